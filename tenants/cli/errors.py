"""What keeps a command from being done, where no other package says it."""

from pathlib import Path

import attrs


class CliError(Exception):
    """Root of these errors; the text of each says what is wrong and how to mend it."""


@attrs.frozen
class RefusedError(CliError):
    """The operator said no, or could not be asked.

    Args:
        what: was not done.
    """

    what: str

    def __str__(self) -> str:
        return f"{self.what}: nobody agreed. Answer y, or say --yes."


@attrs.frozen
class LostPointerError(CliError):
    """A tenant is to be exported whose pointer is lost, or makes no sense."""

    tenant_id: str

    def __str__(self) -> str:
        return (
            f"{self.tenant_id} has no current.json that makes sense, so nobody knows what to "
            f"export. Choose a revision of `tenantctl history {self.tenant_id}` and: tenantctl "
            f"rollback {self.tenant_id} REV, or delete what is left of it: --no-export"
        )


@attrs.frozen
class NeverPublishedError(CliError):
    """A tenant is to be offboarded that is a directory in working form alone."""

    tenant_id: str

    def __str__(self) -> str:
        return (
            f"{self.tenant_id} was never published: it is its directory in the registry, served as "
            "it stands. Delete that directory. Where its knowledge was synced, publish it first, so"
            " that what lies upstream is deleted too."
        )


@attrs.frozen
class UpstreamKeptError(CliError):
    """There is no key to delete with what a tenant has upstream.

    Args:
        why: in words.
    """

    tenant_id: str
    why: str

    def __str__(self) -> str:
        return (
            f"The vector store and files of {self.tenant_id} cannot be deleted upstream. {self.why}"
            "\nNothing was done. --keep-upstream leaves them there, and says how to find them."
        )


@attrs.frozen
class UnprintedError(CliError):
    """What a command has to say cannot be printed.

    Args:
        why: in a few words.
    """

    why: str

    def __str__(self) -> str:
        return (
            f"Standard output cannot be written: {self.why}. What the command does may be done all "
            "the same: look with show, history and keys list. Revoke a key that nobody has seen."
        )


@attrs.frozen
class OccupiedError(CliError):
    """Where something is to be written, something is."""

    path: Path

    def __str__(self) -> str:
        return f"{self.path} is there already, and not an empty directory: name a new one."


@attrs.frozen
class TooLargeError(CliError):
    """A file cannot be what it was taken for.

    Args:
        most_bytes: that it may have.
    """

    path: Path
    most_bytes: int

    def __str__(self) -> str:
        return f"{self.path} is larger than {self.most_bytes >> 20} MiB: that is no configuration."


@attrs.frozen
class UnfinishedError(CliError):
    """A command came only so far.

    Args:
        done: what stands.
        why: it did not go on; in words.
        remedy: what to run.
    """

    done: str
    why: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.why}\nDone so far: {self.done}\nTo go on: {self.remedy}"


@attrs.frozen
class BadSecretError(CliError):
    """What was given cannot be a secret's value.

    Args:
        fault: why; it does not quote the value.
    """

    fault: str

    def __str__(self) -> str:
        return f"Nothing was written: {self.fault}. Give it on standard input, as in < key.txt"


@attrs.frozen
class NoSuchSecretError(CliError):
    """What is to be rotated is not there."""

    tenant_id: str
    name: str

    def __str__(self) -> str:
        return (
            f"{self.tenant_id} has no secret {self.name} to rotate. Set it: "
            f"tenantctl secrets set {self.tenant_id} {self.name}"
        )


@attrs.frozen
class UnwritableSecretsError(CliError):
    """Secrets are in the gateway's environment, which another process cannot change.

    Args:
        home: of the secret, in words.
    """

    home: str

    def __str__(self) -> str:
        return (
            f"Secrets are in the gateway's environment: set {self.home} where it is started, or "
            "name another store with --secrets."
        )
