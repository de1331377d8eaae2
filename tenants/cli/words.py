"""Every error that a command may meet, in words: what is wrong, and how to mend it."""

from functools import singledispatch

from migrations_of_config.errors import EarlierConfigError, NewerDocumentError, VersionError
from tenants.cli.errors import CliError
from tenants.errors import (
    BrokenObjectError,
    InvalidTenantError,
    RegistryUnavailableError,
    SecretMissingError,
    SecretsUnavailableError,
    UnknownTenantError,
)
from tenants.knowledge.errors import KnowledgeError
from tenants.registry import layout
from tenants.registry.objects import ObjectChangedError, ObjectsUnavailableError
from tenants.releases.errors import (
    ContendedError,
    OffboardingError,
    PublishConflictError,
    TenantExistsError,
    TooManyKeysError,
    UnannouncedError,
    UnknownKeyError,
    UnknownRevisionError,
    WorkingFormError,
)


@singledispatch
def told(error: Exception) -> str:
    """An error in words, one line or more.

    One that nobody foresaw is told by its kind alone: its text may hold anything.
    """
    return (
        f"tenantctl has a fault of its own ({type(error).__name__}). What was not reported as done "
        "may not be done. LOGGING_LEVEL=DEBUG shows where: please report that."
    )


@told.register(CliError)
@told.register(KnowledgeError)
def _(error: CliError | KnowledgeError) -> str:
    return str(error)


@told.register
def _(error: UnknownTenantError) -> str:
    return (
        f"There is no tenant {error.tenant_id} in this registry. `tenantctl list` shows those that "
        f"there are, `tenantctl onboard {error.tenant_id}` makes it, --registry names another "
        "registry."
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
    if error.name.endswith("/current.json"):
        tenant_id = layout.tenant_of(error.name)
        return (
            f"The registry holds something broken: {error}. Choose a revision of "
            f"`tenantctl history {tenant_id}`, and: tenantctl rollback {tenant_id} REV"
        )
    return (
        f"The registry holds something broken: {error}. Restore it from a backup, or publish anew; "
        "`tenantctl doctor` looks at everything."
    )


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
def _(error: TenantExistsError) -> str:
    return (
        f"There is a tenant {error.tenant_id} already. Take another id, or publish to it: "
        f"tenantctl publish {error.tenant_id} --from DIR"
    )


@told.register
def _(error: WorkingFormError) -> str:
    return (
        f"{error.tenant_id} is a directory in working form, without revisions. Publish it first: "
        f"tenantctl publish {error.tenant_id} --from DIR"
    )


@told.register
def _(error: OffboardingError) -> str:
    return (
        f"The deletion of {error.tenant_id} has begun. Finish it: "
        f"tenantctl offboard {error.tenant_id}"
    )


@told.register
def _(error: PublishConflictError) -> str:
    if error.revision is None:
        return f"Somebody else changed {error.tenant_id} at the same time. Look, and try again."
    return (
        f"Somebody else was first: revision {error.revision} of {error.tenant_id} is in force, by "
        f"{error.by}. Nothing of yours is. Look at `tenantctl diff {error.tenant_id}`, then try "
        "again."
    )


@told.register
def _(error: UnknownRevisionError) -> str:
    which = "earlier revision" if error.revision is None else f"revision {error.revision}"
    return f"{error.tenant_id} has no {which}. Those there are: tenantctl history {error.tenant_id}"


@told.register
def _(error: UnknownKeyError) -> str:
    return (
        f"{error.tenant_id} has no key {error.key_id}, or it is dead. Its keys: "
        f"tenantctl keys list {error.tenant_id}"
    )


@told.register
def _(error: TooManyKeysError) -> str:
    return (
        f"{error.tenant_id} has {error.most} live keys, as many as it may have. Revoke some: "
        f"tenantctl keys revoke {error.tenant_id} KEY_ID"
    )


@told.register
def _(error: ContendedError) -> str:
    return f"Others wrote {error.name} all the time, so nothing was done. Try again."


@told.register
def _(error: UnannouncedError) -> str:
    return (
        f"The change is made, and not announced yet: {error.detail}. It is in force within "
        "5 minutes; the same command again announces it at once."
    )


@told.register
def _(error: EarlierConfigError) -> str:
    faults = [
        ": ".join(
            filter(None, (f"line {each.line}" if each.line else "", each.field, each.message))
        )
        for each in error.faults
    ]
    return "\n".join([*faults, f"This configuration cannot be read: {len(faults)} to mend."])


@told.register
def _(error: NewerDocumentError) -> str:
    return (
        f"Its schema_version {error.version} is newer than this program's {error.newest}: install "
        "a newer tenantctl."
    )


@told.register
def _(error: VersionError) -> str:
    return f"It says no schema_version: write schema_version = {error.newest}, or what it is."


@told.register
def _(error: OSError) -> str:
    place = f"{error.filename}: " if error.filename else ""
    return f"{place}{error.strerror or error}"
