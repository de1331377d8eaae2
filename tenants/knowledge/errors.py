"""What keeps a tenant's knowledge from being synced; each says what is wrong and how to mend it."""

import attrs

from tenants.errors import TenantsError


class KnowledgeError(TenantsError):
    """Root of this package's errors."""


@attrs.frozen
class NoKnowledgeError(KnowledgeError):
    """The tenant's document names no knowledge."""

    tenant_id: str

    def __str__(self) -> str:
        return (
            f'{self.tenant_id} has no knowledge: add [knowledge] with vector_store = "…" and files'
            ' = ["knowledge/*.md"] to tenant.toml, and publish it.'
        )


@attrs.frozen
class FileFault:
    """What is wrong with one file, or with one pattern.

    Args:
        path: within the tenant's directory, or the field that holds the pattern.
    """

    path: str
    message: str

    def __str__(self) -> str:
        return f"{self.path}: {self.message}"


@attrs.frozen
class UnfitFilesError(KnowledgeError):
    """Files that the upstream would not take; nothing was sent."""

    faults: tuple[FileFault, ...]

    def __str__(self) -> str:
        return "\n".join([*map(str, self.faults), "Nothing was sent."])


@attrs.frozen
class FileRefusedError(KnowledgeError):
    """The upstream does not take one file."""

    fault: FileFault


@attrs.frozen
class FilesFailedError(KnowledgeError):
    """Files that the upstream refused or could not index; nothing was published."""

    faults: tuple[FileFault, ...]

    def __str__(self) -> str:
        end = "Nothing was published. Mend these files and run it again: the others are kept."
        return "\n".join([*map(str, self.faults), end])


@attrs.frozen
class AccountError(KnowledgeError):
    """The upstream refuses the account, or does not work now.

    Args:
        detail: why, without a secret.
        status: of its answer; None where it did not answer.
    """

    detail: str
    status: int | None = None

    def __str__(self) -> str:
        if self.status in {401, 403}:
            mend = "give the tenant's upstream a key that may write files and vector stores."
        else:
            mend = "run it again: it goes on where it stopped."
        return f"The upstream failed: {self.detail}. Nothing was published; {mend}"


@attrs.frozen
class NoAccountError(KnowledgeError):
    """There is no key for the upstream."""

    def __str__(self) -> str:
        return "There is no key for the upstream: set OPENAI_API_KEY, or [upstream] api_key."


@attrs.frozen
class UnusableKeyError(KnowledgeError):
    """The key of the account is none that a request could carry."""

    def __str__(self) -> str:
        return (
            "The key of the upstream has characters that no key has, such as a line break: set it"
            " anew, as its issuer shows it."
        )


@attrs.frozen
class IndexingStalledError(KnowledgeError):
    """The upstream has not indexed any further file for long.

    Args:
        left: how many files are not indexed.
        seconds: how long nothing changed.
    """

    left: int
    seconds: float

    def __str__(self) -> str:
        return (
            f"The upstream is still indexing {self.left} files, none of which was done within "
            f"{self.seconds:.0f} s. Nothing was published; run it again: it goes on waiting."
        )
