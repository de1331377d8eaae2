"""What a tenant's pointer must have said, where it is lost or makes no sense any more.

Revisions tell of their content by themselves, and the audit who published them, when, and whether
the tenant was switched off. So a number is all that an operator has to know.
"""

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import suppress

import attrs

from tenants import compiled_json
from tenants.errors import BrokenObjectError, UnknownTenantError
from tenants.registry import layout
from tenants.registry.objects import NEW, Objects
from tenants.registry.stored import AuditEntry, Pointer, StoredRevision
from tenants.registry.stored_json import decode
from tenants.releases import audit
from tenants.releases.pointers import Held
from tenants.releases.publishing import MOST_REVISIONS

NOTHING = 0
"""The number of the revision in force where nobody knows it."""


def restored(objects: Objects, tenant_id: str) -> Held:
    """A pointer to stand in for one that cannot be read: its history, and no revision in force.

    A revision whose publisher died right before the pointer moved is in that history too.

    Args:
        objects: the registry.
        tenant_id: within the grammar.

    Returns:
        What ``tenants.releases.pointers.move`` may replace.

    Raises:
        UnknownTenantError: there is no whole revision either.
        ObjectsUnavailableError: the registry cannot be read.
    """
    stored = objects.read(layout.pointer(tenant_id))
    told = [*_audited(objects, tenant_id)]
    history = _history(objects, tenant_id, told)
    if not history:
        raise UnknownTenantError(tenant_id)
    pointer = Pointer(NOTHING, "", "", 0, "", suspended=_suspended(told), history=history)
    return Held(tenant_id, pointer, stored.generation if stored else NEW)


def _audited(objects: Objects, tenant_id: str) -> Iterator[AuditEntry]:
    """The entries of the audit that make sense, oldest first."""
    for name in audit.names(objects, tenant_id):
        stored = objects.read(name)
        with suppress(BrokenObjectError):
            if stored is not None:
                yield decode(stored.content, AuditEntry, name)


def _history(
    objects: Objects, tenant_id: str, told: list[AuditEntry]
) -> tuple[StoredRevision, ...]:
    """The revisions by number; of two under one number the one that was published later."""
    published = _published(told)
    latest = {place: order for order, place in enumerate(published)}
    found = sorted(
        _revisions(objects, tenant_id),
        key=lambda each: (each.revision, latest.get((each.revision, each.sha256), -1)),
    )
    by_number = {each.revision: each for each in found}
    return tuple(
        _as_told(each, published.get((each.revision, each.sha256))) for each in by_number.values()
    )[-MOST_REVISIONS:]


def _revisions(objects: Objects, tenant_id: str) -> Iterator[StoredRevision]:
    """Every revision that has a compiled form which makes sense."""
    for listed in objects.list(layout.of_revisions(tenant_id, compiled_json.FILE)):
        stored = objects.read(listed.name)
        if stored is None:
            continue
        with suppress(BrokenObjectError, ValueError):
            number, digits = layout.revision_of(listed.name)
            compiled = compiled_json.decode(stored.content, listed.name)
            if compiled.tenant_id == tenant_id and compiled.revision.startswith(digits):
                digest = hashlib.sha256(stored.content).hexdigest()
                yield StoredRevision(number, compiled.revision, digest, 0, "")


def _published(told: list[AuditEntry]) -> Mapping[tuple[object, object], AuditEntry]:
    """The entries of revisions that were published and not refused, the latest last."""
    found: dict[tuple[object, object], AuditEntry] = {}
    for entry in told:
        place = entry.details.get("revision"), entry.details.get("sha256")
        if entry.action == "publish":
            found.pop(place, None)
            found[place] = entry
        elif entry.action == audit.REFUSED:
            found.pop(place, None)
    return found


def _as_told(revision: StoredRevision, entry: AuditEntry | None) -> StoredRevision:
    if entry is None:
        return revision
    note = str(entry.details.get("note", ""))
    return attrs.evolve(revision, published_at=entry.at, by=entry.by, note=note)


def _suspended(told: list[AuditEntry]) -> bool:
    """Whether the tenant was switched off; in doubt it was."""
    switches = [each for each in told if _switch(each) in {"suspend", "resume", "offboard"}]
    return bool(switches) and switches[-1].action != "resume"


def _switch(entry: AuditEntry) -> str | int:
    return entry.details.get("action", "") if entry.action == audit.REFUSED else entry.action
