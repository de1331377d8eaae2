"""What the gateway asks of tenants: their compiled form, and their secrets."""

from typing import Protocol

from tenants.compiled import CompiledTenant
from tenants.model import SecretRef


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


class Secrets(Protocol):
    """Secret values by tenant and reference."""

    async def read(self, tenant_id: str, ref: SecretRef) -> str:
        """The value.

        Raises:
            SecretMissingError: there is none of that name for this tenant, or it is empty.
            SecretsUnavailableError: the store did not answer.
        """
        ...
