"""Publishing a release: files first, then the one write that puts them in force."""

import hashlib
from functools import partial

import attrs

from tenants import compiled_json
from tenants.registry import layout
from tenants.registry.objects import NEW, ObjectChangedError, Objects
from tenants.registry.stored import Pointer, StoredKeys, StoredRevision
from tenants.registry.stored_json import encode
from tenants.releases.collecting import collect
from tenants.releases.errors import ContendedError, PublishConflictError, TenantExistsError
from tenants.releases.feed import Announce, announce
from tenants.releases.loading import compiled_name
from tenants.releases.pointers import Held, Intent, changeable, find, in_working_form, move
from tenants.releases.release import Release

MOST_REVISIONS = 500  # that a pointer remembers, and that can be rolled back to
_MOST_PASSED_OVER = 100  # numbers, each under which some publish that died has left other files


@attrs.frozen
class Published:
    """What became of a change of a pointer.

    Args:
        held: the pointer that is in force now.
        changed: whether this changed anything.
    """

    held: Held
    changed: bool


def create(
    objects: Objects, release: Release, intent: Intent, *, announce: Announce = announce
) -> Published:
    """Publish the first revision of a tenant that does not exist.

    Raises:
        TenantExistsError: it does.
        PublishConflictError: somebody else creates it just now.
        ContendedError: others write its files all the time; nothing of this is in force.
        UnannouncedError: it is created, and the feed does not say so yet.
        BrokenObjectError: there is a pointer that makes no sense.
        ObjectsUnavailableError: the registry cannot be written.
    """
    tenant_id = release.tenant_id
    # Read before the pointer: keys that come later belong to whoever created the tenant first.
    orphaned = objects.read(layout.keys(tenant_id))
    if find(objects, tenant_id) is not None or in_working_form(objects, tenant_id):
        raise TenantExistsError(tenant_id)
    if orphaned is not None:
        _forget_keys(objects, tenant_id, orphaned.generation)
    return _publish(objects, None, release, intent, announce)


def publish(
    objects: Objects, release: Release, intent: Intent, *, announce: Announce = announce
) -> Published:
    """Publish a release of a tenant that exists, in working form or published.

    What is in force already changes nothing but the feed, in case that its writer died.

    Raises:
        UnknownTenantError: there is no such tenant: create it.
        OffboardingError: its deletion has begun.
        PublishConflictError: somebody else changed it; nothing of this is in force.
        ContendedError: others write its files all the time; nothing of this is in force.
        UnannouncedError: it is published, and the feed does not say so yet.
        BrokenObjectError: its pointer makes no sense.
        ObjectsUnavailableError: the registry cannot be written.
    """
    tenant_id = release.tenant_id
    found = find(objects, tenant_id)
    if found is None and in_working_form(objects, tenant_id):
        return _publish(objects, None, release, intent, announce)
    before = changeable(tenant_id, found, intent)
    if _in_force(objects, before, release):
        announce(objects, (tenant_id,), "publish", intent.now)
        return Published(before, changed=False)
    return _publish(objects, before, release, intent, announce)


def _publish(
    objects: Objects,
    before: Held | None,
    release: Release,
    intent: Intent,
    announce: Announce,
) -> Published:
    compiled = compiled_json.encode(release.compiled)
    first = _next_number(before)
    number = _written(objects, first, release, compiled)
    revision = StoredRevision(
        revision=number,
        sha256=release.sha256,
        compiled_sha256=_sha256(compiled),
        published_at=intent.now,
        by=intent.by,
        note=intent.note,
    )
    pointer = Pointer(
        **attrs.asdict(revision),
        suspended=before is not None and before.pointer.suspended,
        name=release.compiled.display_name,
        schema_version=release.schema_version,
        history=(*_history(before), revision)[-MOST_REVISIONS:],
    )
    entry = intent.entry("publish", revision=number, sha256=release.sha256)
    after = Held(release.tenant_id, pointer, NEW)
    taken = range(first, number + 1)
    try:
        moved = move(objects, before, after, entry, announce)
    except PublishConflictError:
        collect(objects, release.tenant_id, taken)
        raise
    collect(objects, release.tenant_id, taken)
    return Published(moved, changed=True)


def _written(objects: Objects, first: int, release: Release, compiled: bytes) -> int:
    """Write the files of a revision, and return its number.

    What a publish that died half way has left is taken where it is the same; a number under which
    it left something else is passed over, since nothing is written over.
    """
    for number in range(first, first + _MOST_PASSED_OVER):
        files = {**release.files, compiled_json.FILE: compiled}  # compiled.json comes last
        names = partial(layout.revision, release.tenant_id, number, release.sha256)
        if all(_write_once(objects, names(file), content) for file, content in files.items()):
            return number
    raise ContendedError(layout.revision(release.tenant_id, first, release.sha256, ""))


def _write_once(objects: Objects, name: str, content: bytes) -> bool:
    """Write an object, or find it there as it should be."""
    try:
        objects.write(name, content, expected=NEW)
    except ObjectChangedError:
        found = objects.read(name)
        return found is not None and found.content == content
    return True


def _in_force(objects: Objects, before: Held, release: Release) -> bool:
    """Whether a release is what the pointer names, and whole."""
    pointer, compiled = before.pointer, compiled_json.encode(release.compiled)
    if (pointer.sha256, pointer.compiled_sha256) != (release.sha256, _sha256(compiled)):
        return False
    found = objects.read(compiled_name(release.tenant_id, pointer))
    return found is not None and found.content == compiled


def _history(before: Held | None) -> tuple[StoredRevision, ...]:
    return before.pointer.history if before else ()


def _next_number(before: Held | None) -> int:
    return 1 + max((each.revision for each in _history(before)), default=0)


def _forget_keys(objects: Objects, tenant_id: str, generation: int) -> None:
    """Empty the keys of a tenant that is no more, so that they open nothing of its successor."""
    try:
        objects.write(layout.keys(tenant_id), encode(StoredKeys()), expected=generation)
    except ObjectChangedError:
        raise PublishConflictError(tenant_id, None, "") from None


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
