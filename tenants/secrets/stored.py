"""Writing secrets, and what a store tells of them without their values."""

from collections.abc import Set as AbstractSet
from typing import Literal, Protocol

import attrs

from tenants.errors import SecretMissingError

MOST_BYTES = 65_536
"""Of one value, as UTF-8; Secret Manager's own limit."""


@attrs.frozen
class SecretVersion:
    """One version of a secret.

    Args:
        number: rises by one with each value that was written; 1 where a store keeps one alone.
        state: only an enabled one can be read.
        created_at: Unix seconds; None where a store does not know.
    """

    number: int
    state: Literal["enabled", "disabled", "destroyed"]
    created_at: int | None


@attrs.frozen
class StoredSecret:
    """A secret as a store lists it.

    Args:
        versions: the newest first; none where it was made and never given a value.
    """

    name: str
    versions: tuple[SecretVersion, ...]


class SecretLister(Protocol):
    """A store that tells which secrets it has. Each raises ``SecretsUnavailableError``."""

    async def stored(self, tenant_id: str) -> tuple[StoredSecret, ...]:
        """A tenant's secrets, by name."""
        ...

    async def close(self) -> None:
        """Let go of connections."""
        ...


class SecretWriter(SecretLister, Protocol):
    """A store of secrets that can be written. Each raises ``SecretsUnavailableError``."""

    async def write(self, tenant_id: str, name: str, value: str) -> int:
        """Give a secret a new value, which is read from then on, and return its version."""
        ...

    async def retire(
        self, tenant_id: str, name: str, pinned: AbstractSet[int] = frozenset()
    ) -> tuple[int, ...]:
        """Disable the enabled versions but for the two newest, and return which they were.

        The newest is in use; the one before it is the way back. Nothing is destroyed.

        Args:
            tenant_id: whose secret it is.
            name: of the secret.
            pinned: versions that are in use by their numbers, and stay too.
        """
        ...


def value_of(tenant_id: str, name: str, text: str | None) -> str:
    """A secret's value as it is used: without the newline that an editor left at its end.

    Args:
        tenant_id: whose secret it is.
        name: of the secret.
        text: as a store keeps it; None where it keeps none.

    Raises:
        SecretMissingError: there is none, or it is empty.
    """
    if text is None:
        raise SecretMissingError(tenant_id, name)
    if not text.strip():
        raise SecretMissingError(tenant_id, name, "it is empty")
    return text.rstrip("\r\n")


def value_fault(value: str) -> str | None:
    """Why a text cannot be a secret's value; never quotes it."""
    if not value.strip():
        return "the value is empty"
    if "\0" in value:
        return "the value has a NUL character"
    try:
        size = len(value.encode())
    except UnicodeEncodeError:
        return "the value is not UTF-8"
    return f"the value has more than {MOST_BYTES:,} bytes" if size > MOST_BYTES else None
