"""Taking a tenant away for good."""

import attrs

from tenants.errors import UnknownTenantError
from tenants.registry import layout
from tenants.registry.objects import Objects
from tenants.releases.errors import WorkingFormError
from tenants.releases.feed import Announce, announce
from tenants.releases.pointers import Held, Intent, changeable, find, in_working_form, move


def offboard(
    objects: Objects, tenant_id: str, intent: Intent, *, announce: Announce = announce
) -> int:
    """Delete all that a registry holds of a tenant, and return how many objects that were.

    The pointer says first that this has begun, by which requests see no tenant; nothing else can
    be done with the tenant then. It goes last, so that one who dies on the way leaves a tenant that
    can be offboarded once more.

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
