"""What the gateway asks of tenants: their compiled form, and their secrets."""

from typing import Protocol

import attrs

from tenants.compiled import CompiledTenant
from tenants.model import SecretRef


@attrs.frozen
class TenantHealth:
    """How a tenant stands in this process.

    Args:
        revision: the SHA-256 of the files that are in force here, in hexadecimal; None: none are.
        since: Unix seconds from which on they are in force here; None where none are.
        refused: why a newer revision is not in force, for operators alone; empty: the newest is.
        refused_since: Unix seconds from which on the newest is not; None where it is.
    """

    revision: str | None = None
    since: int | None = None
    refused: str = ""
    refused_since: int | None = None


class Registry(Protocol):
    """Tenants by id."""

    def cached(self, tenant_id: str) -> CompiledTenant | None:
        """The revision in force if it is in memory; never waits."""
        ...

    async def load(self, tenant_id: str) -> CompiledTenant:
        """The revision in force, read if need be (single flight).

        Raises:
            UnknownTenantError: there is no such tenant, or its id is outside the grammar.
            TenantUnavailableError: it exists and no good revision of it could be read.
        """
        ...

    def health(self, tenant_id: str) -> TenantHealth | None:
        """How a tenant stands here; None where nothing of it is in memory."""
        ...

    def stale_seconds(self) -> float:
        """For how long what is in memory could not be compared with what is kept; 0: it could."""
        ...


class SecretStore(Protocol):
    """Secret values by tenant and reference, as a store of secrets gives them."""

    async def read(self, tenant_id: str, ref: SecretRef) -> str:
        """The value.

        Raises:
            SecretMissingError: there is none of that name for this tenant, or it is empty.
            SecretsUnavailableError: the store did not answer.
        """
        ...

    async def reach(self) -> None:
        """Make sure that the store answers, whatever it holds.

        Raises:
            SecretsUnavailableError: it does not; its detail says why, and how to mend it.
        """
        ...

    async def close(self) -> None:
        """Let go of connections."""
        ...


class Secrets(SecretStore, Protocol):
    """Secret values by tenant and reference, kept in memory where reading them takes time."""

    async def renew(self, tenant_id: str, ref: SecretRef, refused: str) -> str:
        """The value to use instead of one that was not accepted where it was shown.

        A store is asked once for all who come together, and not more often than every few
        seconds, so that a key that stays bad does not become a flood of reads.

        Args:
            tenant_id: whose secret it is.
            ref: which one.
            refused: the value that was not accepted.

        Returns:
            The value now; ``refused`` again where there is no other.

        Raises:
            SecretMissingError: there is none any more.
            SecretsUnavailableError: the store did not answer.
        """
        ...
