"""A tenant's pointer: reading it, and moving it in the one order that is safe to die in."""

from typing import NoReturn

import attrs
from attrs.validators import max_len

from tenants.documents import FILE
from tenants.errors import UnknownTenantError
from tenants.model import is_tenant_id
from tenants.registry import layout
from tenants.registry.objects import NEW, ObjectChangedError, Objects
from tenants.registry.stored import AuditEntry, Pointer
from tenants.registry.stored_json import encode
from tenants.releases.audit import REFUSED, record
from tenants.releases.errors import OffboardingError, PublishConflictError, WorkingFormError
from tenants.releases.feed import Announce
from tenants.releases.loading import decode_pointer

LONGEST_TEXT = 200
"""Characters of a name or a note: they are kept with each revision, and shown in lists."""


@attrs.frozen
class Held:
    """A pointer as it was read.

    Args:
        generation: of ``current.json``.
    """

    tenant_id: str
    pointer: Pointer
    generation: int


@attrs.frozen
class Intent:
    """Who changes a tenant, when and why.

    Args:
        by: such as a login name; one line of at most ``LONGEST_TEXT`` characters.
        now: Unix seconds.
        note: for people; as long as ``by`` at most.
        expected: the generation of the pointer that they saw; None: whatever it is.
    """

    by: str = attrs.field(validator=max_len(LONGEST_TEXT))
    now: int
    note: str = attrs.field(default="", validator=max_len(LONGEST_TEXT))
    expected: int | None = None

    def entry(self, action: str, **details: str | int) -> AuditEntry:
        """What the audit says of it."""
        noted = {"note": self.note} if self.note else {}
        return AuditEntry(self.now, self.by, action, {**details, **noted})


def find(objects: Objects, tenant_id: str) -> Held | None:
    """A tenant's pointer, or None where nothing is published under that id.

    Raises:
        BrokenObjectError: it makes no sense.
        ObjectsUnavailableError: the registry cannot be read.
    """
    stored = objects.read(layout.pointer(tenant_id)) if is_tenant_id(tenant_id) else None
    if stored is None:
        return None
    return Held(tenant_id, decode_pointer(tenant_id, stored.content), stored.generation)


def held(objects: Objects, tenant_id: str, intent: Intent) -> Held:
    """The pointer of a tenant that is to be changed.

    Raises:
        UnknownTenantError: there is no such tenant.
        WorkingFormError: it was never published.
        OffboardingError: its deletion has begun.
        PublishConflictError: it is not the one that was seen.
        BrokenObjectError: it makes no sense.
        ObjectsUnavailableError: the registry cannot be read.
    """
    found = find(objects, tenant_id)
    if found is None and in_working_form(objects, tenant_id):
        raise WorkingFormError(tenant_id)
    return changeable(tenant_id, found, intent)


def changeable(tenant_id: str, found: Held | None, intent: Intent) -> Held:
    """A pointer, where it may be changed; see ``held``."""
    if found is None:
        raise UnknownTenantError(tenant_id)
    if found.pointer.offboarding:
        raise OffboardingError(tenant_id)
    if intent.expected not in {None, found.generation}:
        raise PublishConflictError(tenant_id, found.pointer.revision, found.pointer.by)
    return found


def in_working_form(objects: Objects, tenant_id: str) -> bool:
    """Whether a directory registry holds a tenant's files outside of any revision."""
    return is_tenant_id(tenant_id) and objects.read(layout.source(tenant_id, FILE)) is not None


def move(
    objects: Objects,
    before: Held | None,
    after: Held,
    entry: AuditEntry,
    announce: Announce,
) -> Held:
    """Write a pointer in another's place: audit entry, pointer, change feed.

    Args:
        objects: the registry.
        before: what it replaces; None: there must be none.
        after: the pointer to write; its generation is not known yet.
        entry: for the audit.
        announce: tells replicas.

    Returns:
        What was written, with its generation; or what has followed it since.

    Raises:
        PublishConflictError: somebody else was first; nothing has changed.
        UnannouncedError: it is changed, and the feed does not say so yet.
        ObjectsUnavailableError: the registry cannot be written.
    """
    tenant_id = after.tenant_id
    record(objects, tenant_id, entry)
    try:
        generation = objects.write(
            layout.pointer(tenant_id),
            encode(after.pointer),
            expected=before.generation if before else NEW,
            labels=labels_of(after.pointer),
        )
    except ObjectChangedError:
        winner = find(objects, tenant_id)
        if winner is None or not _went_through(before, after, winner):
            _refuse(objects, tenant_id, entry, winner)
        now = winner
    else:
        now = attrs.evolve(after, generation=generation)
    announce(objects, (tenant_id,), entry.action, entry.at)
    return now


def _went_through(before: Held | None, after: Held, winner: Held) -> bool:
    """Whether the answer to a write was lost, and somebody has moved the pointer on since."""
    new = {*after.pointer.history} - {*(before.pointer.history if before else ())}
    return bool(new) and new <= {*winner.pointer.history}


def _refuse(objects: Objects, tenant_id: str, entry: AuditEntry, winner: Held | None) -> NoReturn:
    refused = {**entry.details, "action": entry.action}
    record(objects, tenant_id, attrs.evolve(entry, action=REFUSED, details=refused))
    if winner is None:
        raise PublishConflictError(tenant_id, None, "") from None
    raise PublishConflictError(tenant_id, winner.pointer.revision, winner.pointer.by) from None


def labels_of(pointer: Pointer) -> dict[str, str]:
    """A pointer's facts as a listing shows them."""
    return {
        "name": pointer.name,
        "revision": str(pointer.revision),
        "sha256": pointer.sha256,
        "published_at": str(pointer.published_at),
        "by": pointer.by,
        "suspended": str(pointer.suspended).lower(),
        "offboarding": str(pointer.offboarding).lower(),
        "schema_version": str(pointer.schema_version),
    }
