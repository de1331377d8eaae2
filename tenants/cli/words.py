"""Every error that a command may meet, in words: what is wrong, and how to mend it."""

from functools import singledispatch

from tenants.cli.errors import CliError
from tenants.errors import (
    BrokenObjectError,
    InvalidTenantError,
    RegistryUnavailableError,
    SecretMissingError,
    SecretsUnavailableError,
    UnknownTenantError,
)
from tenants.registry.objects import ObjectChangedError, ObjectsUnavailableError


@singledispatch
def told(error: Exception) -> str:
    """An error in words, one line or more.

    One that nobody foresaw is told by its kind alone: its text may hold anything.
    """
    return (
        f"tenantctl has a fault of its own ({type(error).__name__}). What was not reported as done "
        "may not be done. LOGGING_LEVEL=DEBUG shows where: please report that."
    )


@told.register
def _(error: CliError) -> str:
    return str(error)


@told.register
def _(error: UnknownTenantError) -> str:
    return (
        f"There is no tenant {error.tenant_id} in this registry. `tenantctl list` shows those "
        "there are; --registry names another one."
    )


@told.register
def _(error: InvalidTenantError) -> str:
    faults = [str(fault) for fault in error.faults]
    return "\n".join([*faults, f"{error.tenant_id} is not valid: {len(faults)} to mend."])


@told.register(ObjectsUnavailableError)
@told.register(RegistryUnavailableError)
def _(error: ObjectsUnavailableError | RegistryUnavailableError) -> str:
    return f"The registry cannot be used: {error.detail}"


@told.register
def _(error: ObjectChangedError) -> str:
    return f"Somebody else wrote {error.name} at the same time. Look what they did, and try again."


@told.register
def _(error: BrokenObjectError) -> str:
    return f"The registry holds something broken: {error}. `tenantctl doctor` looks at all of it."


@told.register
def _(error: SecretMissingError) -> str:
    return (
        f"The secret {error.name} of {error.tenant_id} cannot be read: {error.reason}. "
        f"Set it with: tenantctl secrets set {error.tenant_id} {error.name}"
    )


@told.register
def _(error: SecretsUnavailableError) -> str:
    return f"The secret store cannot be used: {error.detail or 'it did not answer'}"


@told.register
def _(error: OSError) -> str:
    place = f"{error.filename}: " if error.filename else ""
    return f"{place}{error.strerror or error}"
