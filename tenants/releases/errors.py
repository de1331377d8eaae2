"""What can go wrong with writing a registry, beside what its objects raise themselves."""

import attrs

from tenants.errors import TenantsError


class ReleasesError(TenantsError):
    """Root of this package's errors."""


@attrs.frozen
class TenantExistsError(ReleasesError):
    """There is a tenant of that id already: publish to it, or take another id."""

    tenant_id: str


@attrs.frozen
class WorkingFormError(ReleasesError):
    """The tenant is a directory in working form, without revisions: publish it first."""

    tenant_id: str


@attrs.frozen
class OffboardingError(ReleasesError):
    """The tenant's deletion has begun: offboard it once more, which finishes it."""

    tenant_id: str


@attrs.frozen
class PublishConflictError(ReleasesError):
    """Somebody else changed the tenant meanwhile: look at what is in force, then try again.

    Args:
        revision: that is in force now; None where the tenant is gone.
        by: who put it there.
    """

    tenant_id: str
    revision: int | None
    by: str


@attrs.frozen
class UnknownRevisionError(ReleasesError):
    """No such revision of the tenant was published, or it is too old to be kept.

    Args:
        revision: None: there is none before the one in force.
    """

    tenant_id: str
    revision: int | None


@attrs.frozen
class UnknownKeyError(ReleasesError):
    """The tenant has no such key, or it is dead already."""

    tenant_id: str
    key_id: str


@attrs.frozen
class TooManyKeysError(ReleasesError):
    """The tenant has as many live keys as it may have: revoke some.

    Args:
        most: that it may have.
    """

    tenant_id: str
    most: int


@attrs.frozen
class ContendedError(ReleasesError):
    """Others wrote an object again and again, faster than this could: try again.

    Args:
        name: of the object.
    """

    name: str


@attrs.frozen
class UnannouncedError(ReleasesError):
    """A change is made and the feed does not say so: it is in force within minutes.

    The same change again, or any further one of the tenant, announces it at once.

    Args:
        tenants: their ids.
        detail: why the feed could not be written.
    """

    tenants: tuple[str, ...]
    detail: str
