"""What can go wrong with a tenant. No HTTP here: ``gateway.http.problems`` maps these."""

import attrs


class TenantsError(Exception):
    """Root of this package's errors."""


@attrs.frozen
class Fault:
    """One thing that is wrong with one file of a tenant.

    Args:
        file: such as ``tenant.toml``.
        field: a path such as ``assistant.temperature``; empty where the whole file is meant.
        message: what is wrong and how to mend it, in one sentence or two.
        line: from 1, where it is known.
    """

    file: str
    field: str
    message: str
    line: int | None = None

    def __str__(self) -> str:
        place = self.file if self.line is None else f"{self.file}:{self.line}"
        return (
            f"{place}: {self.field}: {self.message}" if self.field else f"{place}: {self.message}"
        )


@attrs.frozen
class InvalidTenantError(TenantsError):
    """A tenant's files cannot be served; carries everything that is wrong with them."""

    tenant_id: str
    faults: tuple[Fault, ...]

    def __str__(self) -> str:
        return "\n".join(str(fault) for fault in self.faults)


@attrs.frozen
class UnknownTenantError(TenantsError):
    """There is no such tenant."""

    tenant_id: str


@attrs.frozen
class TenantUnavailableError(TenantsError):
    """The tenant exists and no good revision of it can be had now."""

    tenant_id: str


@attrs.frozen
class RegistryUnavailableError(TenantsError):
    """The place that holds the tenants cannot be read.

    Args:
        detail: why, and how to mend it; names the place, so it is for operators alone.
    """

    detail: str


@attrs.frozen
class SecretMissingError(TenantsError):
    """A secret that a tenant refers to does not exist, is empty or is switched off.

    Args:
        reason: which of these, for operators alone.
    """

    tenant_id: str
    name: str
    reason: str = "there is none"

    def __str__(self) -> str:
        return f"{self.tenant_id}: its secret {self.name} is missing: {self.reason}"


@attrs.frozen
class SecretsUnavailableError(TenantsError):
    """The secret store did not answer, or what it answered cannot be used.

    Args:
        detail: why, and how to mend it; names the place, so it is for operators alone.
    """

    detail: str = ""

    def __str__(self) -> str:
        return self.detail


@attrs.frozen
class BrokenObjectError(TenantsError):
    """What a registry keeps is cut, altered, missing, or of a newer program.

    Args:
        name: of the object, such as ``tenants/acme/current.json``.
        detail: what is wrong with it; for operators alone.
    """

    name: str
    detail: str

    def __str__(self) -> str:
        return f"{self.name}: {self.detail}"
