"""Moving a tenant's pointer without a new revision: back, off and on."""

from contextlib import suppress

import attrs

from tenants.documents import FILE, written_version
from tenants.errors import BrokenObjectError, UnknownTenantError
from tenants.model import is_tenant_id
from tenants.registry.objects import Objects
from tenants.registry.stored import AuditEntry, Pointer, StoredRevision
from tenants.releases.errors import UnknownRevisionError, WorkingFormError
from tenants.releases.feed import Announce, announce
from tenants.releases.pointers import Held, Intent, changeable, held, move
from tenants.releases.publishing import Published
from tenants.releases.reading import read_whole, revision_of, show
from tenants.releases.restoring import restored


def rollback(
    objects: Objects,
    tenant_id: str,
    intent: Intent,
    *,
    to: int | None = None,
    announce: Announce = announce,
) -> Published:
    """Put an earlier revision in force, once it is found to be whole.

    Where the pointer is lost or makes no sense this makes it anew, if a number is given.

    Args:
        objects: the registry.
        tenant_id: of a published tenant.
        intent: who wants it.
        to: the revision's number; None: the one published before the one in force.
        announce: tells replicas.

    Raises:
        UnknownTenantError: there is no such tenant.
        WorkingFormError: it was never published.
        OffboardingError: its deletion has begun.
        UnknownRevisionError: there is no such revision, or none before.
        PublishConflictError: somebody else changed it; nothing of this is in force.
        UnannouncedError: it is in force, and the feed does not say so yet.
        BrokenObjectError: the pointer makes no sense, or the revision is not whole.
        ObjectsUnavailableError: the registry cannot be read or written.
    """
    before = changeable(tenant_id, known(objects, tenant_id, to), intent)
    revision = previous(before) if to is None else revision_of(before, to)
    stored = read_whole(objects, tenant_id, revision)
    pointer = attrs.evolve(
        before.pointer,
        revision=revision.revision,
        sha256=revision.sha256,
        compiled_sha256=revision.compiled_sha256,
        name=stored.compiled.display_name,
        schema_version=written_version(stored.files[FILE]),
        published_at=intent.now,
        by=intent.by,
        note=intent.note,
    )
    entry = intent.entry("rollback", revision=revision.revision)
    return _moved(objects, before, pointer, entry, announce)


def known(objects: Objects, tenant_id: str, to: int | None) -> Held:
    """The pointer that a rollback replaces; see there."""
    try:
        return show(objects, tenant_id)
    except (UnknownTenantError, WorkingFormError, BrokenObjectError):
        if to is None or not is_tenant_id(tenant_id):
            raise
        with suppress(UnknownTenantError):
            return restored(objects, tenant_id)
        raise


def suspend(
    objects: Objects, tenant_id: str, intent: Intent, *, announce: Announce = announce
) -> Published:
    """Switch a tenant off: its requests see no tenant; see ``rollback`` for what it raises."""
    before = held(objects, tenant_id, intent)
    pointer = attrs.evolve(before.pointer, suspended=True)
    return _moved(objects, before, pointer, intent.entry("suspend"), announce)


def resume(
    objects: Objects, tenant_id: str, intent: Intent, *, announce: Announce = announce
) -> Published:
    """Switch a tenant on again; see ``rollback`` for what it raises."""
    before = held(objects, tenant_id, intent)
    pointer = attrs.evolve(before.pointer, suspended=False)
    return _moved(objects, before, pointer, intent.entry("resume"), announce)


def _moved(
    objects: Objects, before: Held, pointer: Pointer, entry: AuditEntry, announce: Announce
) -> Published:
    if _facts(pointer) == _facts(before.pointer):
        announce(objects, (before.tenant_id,), entry.action, entry.at)
        return Published(before, changed=False)
    after = attrs.evolve(before, pointer=pointer)
    return Published(move(objects, before, after, entry, announce), changed=True)


def _facts(pointer: Pointer) -> tuple[int, bool]:
    return pointer.revision, pointer.suspended


def previous(before: Held) -> StoredRevision:
    """The revision that was published before the one in force.

    Raises:
        UnknownRevisionError: there is none.
    """
    numbers = [each.revision for each in before.pointer.history]
    place = numbers.index(before.pointer.revision) if before.pointer.revision in numbers else 0
    if place == 0:
        raise UnknownRevisionError(before.tenant_id, None)
    return before.pointer.history[place - 1]
