"""Taking a tenant away for good."""

from collections.abc import Callable

import attrs

from tenants.errors import BrokenObjectError, UnknownTenantError
from tenants.model import is_tenant_id
from tenants.registry import layout
from tenants.registry.objects import NEW, Objects
from tenants.registry.stored import Pointer
from tenants.releases.errors import WorkingFormError
from tenants.releases.feed import Announce, announce
from tenants.releases.pointers import Held, Intent, changeable, find, in_working_form, move


def _nothing() -> None:
    """Nothing comes first."""


def offboard(
    objects: Objects,
    tenant_id: str,
    intent: Intent,
    *,
    announce: Announce = announce,
    first: Callable[[], None] = _nothing,
) -> int:
    """Delete all that a registry holds of a tenant, and return how many objects that were.

    The pointer says first that this has begun, by which requests see no tenant; nothing else can
    be done with the tenant then. It goes last, so that one who dies on the way leaves a tenant that
    can be offboarded once more.

    Args:
        objects: the registry.
        tenant_id: of the tenant.
        intent: who does it, and when.
        announce: tells the feed.
        first: done once it has begun and before anything is deleted, as what the registry alone
            knows of; what it raises is passed on, and the tenant can be offboarded once more.

    Raises:
        UnknownTenantError: there is no such tenant.
        WorkingFormError: it was never published: delete its directory.
        PublishConflictError: somebody else changed it; nothing is deleted.
        UnannouncedError: it has begun, and the feed does not say so yet; nothing is deleted.
        BrokenObjectError: the pointer makes no sense.
        ObjectsUnavailableError: the registry cannot be read or written.
    """
    found = find(objects, tenant_id)
    if found is None and in_working_form(objects, tenant_id):
        raise WorkingFormError(tenant_id)
    if found is None:
        raise UnknownTenantError(tenant_id)
    if found.pointer.offboarding:
        announce(objects, (tenant_id,), "offboard", intent.now)
    else:
        _begin(objects, changeable(tenant_id, found, intent), intent, announce)
    first()
    return _delete(objects, tenant_id)


def remains(objects: Objects, tenant_id: str) -> bool:
    """Whether something is there of a tenant whose pointer is lost or makes no sense.

    Such is what a publish has left that was under way while its tenant was offboarded.

    Raises:
        ObjectsUnavailableError: the registry cannot be read.
    """
    try:
        found = find(objects, tenant_id)
    except BrokenObjectError:
        return True
    if found is not None or not is_tenant_id(tenant_id) or in_working_form(objects, tenant_id):
        return False
    patterns = layout.keys(tenant_id), layout.audits(tenant_id), layout.revisions(tenant_id, "*")
    return any(any(objects.list(pattern)) for pattern in patterns)


def clear(
    objects: Objects,
    tenant_id: str,
    intent: Intent,
    *,
    announce: Announce = announce,
    first: Callable[[], None] = _nothing,
) -> int:
    """Delete what ``remains`` of a tenant, and return how many objects that were; see ``offboard``.

    A pointer is written first that says so, so nobody begins to publish into what is being deleted.
    Who had begun before to make a tenant of that id may have to publish it once more.

    Raises:
        UnknownTenantError: nothing remains, or its pointer does make sense.
        PublishConflictError: somebody makes a tenant of that id just now; nothing is deleted.
        UnannouncedError: it has begun, and the feed does not say so yet; nothing is deleted.
        ObjectsUnavailableError: the registry cannot be read or written.
    """
    stored = objects.read(layout.pointer(tenant_id)) if is_tenant_id(tenant_id) else None
    if not remains(objects, tenant_id):
        raise UnknownTenantError(tenant_id)
    pointer = Pointer(0, "", "", intent.now, intent.by)
    before = Held(tenant_id, pointer, stored.generation if stored else NEW)
    _begin(objects, before, intent, announce)
    first()
    return _delete(objects, tenant_id)


def _begin(objects: Objects, before: Held, intent: Intent, announce: Announce) -> None:
    pointer = attrs.evolve(before.pointer, suspended=True, offboarding=True)
    after = attrs.evolve(before, pointer=pointer)
    move(objects, before, after, intent.entry("offboard"), announce)


def _delete(objects: Objects, tenant_id: str) -> int:
    """Delete everything, keys first and the pointer last."""
    keys, pointer = layout.keys(tenant_id), layout.pointer(tenant_id)
    found = [each.name for each in objects.list(layout.everything(tenant_id))]
    others = [name for name in found if name not in {keys, pointer}]
    names = [*({keys} & {*found}), *others, *({pointer} & {*found})]
    for name in names:
        objects.delete(name)
    return len(names)
