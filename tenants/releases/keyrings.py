"""A tenant's API keys in the registry: issued, rotated and revoked by compare-and-swap."""

from collections.abc import Callable, Iterable
from functools import partial

import attrs

from tenants.errors import UnknownTenantError
from tenants.keys import Scope, digest_of, new_key, new_key_id
from tenants.model import is_tenant_id
from tenants.registry import layout
from tenants.registry.objects import NEW, ObjectChangedError, Objects
from tenants.registry.stored import AuditEntry, StoredKey, StoredKeys
from tenants.registry.stored_json import decode, encode
from tenants.releases.audit import record
from tenants.releases.contention import tries
from tenants.releases.errors import (
    OffboardingError,
    TooManyKeysError,
    UnannouncedError,
    UnknownKeyError,
)
from tenants.releases.feed import Announce, announce
from tenants.releases.key_records import alive
from tenants.releases.pointers import Intent, find, in_working_form

MOST_LIVE_KEYS = 100
MOST_KEYS = 200  # dead ones are forgotten beyond that, the oldest first
_Change = Callable[[StoredKeys], StoredKeys]


@attrs.frozen
class IssuedKey:
    """A new key.

    Args:
        text: all of it, to be shown once; it is kept nowhere.
        unannounced: why the feed does not tell of it, so that it opens within 5 minutes alone;
            empty: it does.
    """

    record: StoredKey
    text: str = attrs.field(repr=False)
    unannounced: str = ""


def keys(objects: Objects, tenant_id: str) -> tuple[StoredKey, ...]:
    """A tenant's keys, dead ones too, oldest first.

    Raises:
        UnknownTenantError: there is no such tenant.
        OffboardingError: its deletion has begun.
        BrokenObjectError: the keys make no sense.
        ObjectsUnavailableError: the registry cannot be read.
    """
    _require(objects, tenant_id)
    return _read(objects, tenant_id)[0].keys


def issue(  # noqa: PLR0913  (what the key is to be, and who wants it)
    objects: Objects,
    tenant_id: str,
    scopes: Iterable[Scope],
    intent: Intent,
    *,
    expires_at: int | None = None,
    announce: Announce = announce,
) -> IssuedKey:
    """Make a new key; the intent's note is kept with it.

    Args:
        objects: the registry.
        tenant_id: of a tenant, published or in working form.
        scopes: what it is to reach.
        intent: who wants it.
        expires_at: Unix seconds from which on it is dead; None: never.
        announce: tells replicas.

    Raises:
        TooManyKeysError: the tenant has too many live ones.
        UnknownTenantError: there is no such tenant.
        OffboardingError: its deletion has begun.
        ContendedError: others changed its keys all the time; nothing is changed.
        BrokenObjectError: the keys make no sense.
        ObjectsUnavailableError: the registry cannot be written.
    """
    issued = _new(tenant_id, scopes, intent, expires_at)
    entry = intent.entry("keys.issue", key_id=issued.record.id, scope=issued.record.scope)

    def change(held: StoredKeys) -> StoredKeys:
        return _with(tenant_id, held, issued.record, intent.now)

    return _issued(issued, partial(_apply, objects, tenant_id, change, entry, announce))


def rotate(  # noqa: PLR0913  (which key, who wants it, and how long both live)
    objects: Objects,
    tenant_id: str,
    key_id: str,
    intent: Intent,
    *,
    overlap_seconds: int,
    expires_at: int | None = None,
    announce: Announce = announce,
) -> IssuedKey:
    """Make a new key of the same scopes; the old one dies after the overlap, if not before.

    Args:
        objects: the registry.
        tenant_id: of a tenant, published or in working form.
        key_id: of a live key.
        intent: who wants it; its note, or else the old key's, is kept with the new one.
        overlap_seconds: for how long both open the same.
        expires_at: of the new key, in Unix seconds; None: never.
        announce: tells replicas.

    Raises:
        UnknownKeyError: there is no such live key.
        TooManyKeysError: as ``issue``; so are the others.
    """
    _require(objects, tenant_id)
    old = _live(tenant_id, _read(objects, tenant_id)[0], key_id, intent.now)
    noted = attrs.evolve(intent, note=intent.note or old.note)
    issued = _new(tenant_id, old.scope.split(), noted, expires_at)
    entry = intent.entry("keys.rotate", key_id=key_id, new_key_id=issued.record.id)
    ends = intent.now + overlap_seconds

    def change(held: StoredKeys) -> StoredKeys:
        found = _live(tenant_id, held, key_id, intent.now)
        expires = ends if found.expires_at is None else min(ends, found.expires_at)
        shortened = _replaced(held, attrs.evolve(found, expires_at=expires))
        return _with(tenant_id, shortened, issued.record, intent.now)

    return _issued(issued, partial(_apply, objects, tenant_id, change, entry, announce))


def revoke(
    objects: Objects,
    tenant_id: str,
    key_id: str,
    intent: Intent,
    *,
    announce: Announce = announce,
) -> StoredKey:
    """End a key at once; one that was revoked before stays so, and is announced again.

    Raises:
        UnknownKeyError: there is no such key.
        UnannouncedError: it is revoked, and the feed does not say so yet.
        UnknownTenantError: as ``issue``; so are the others.
    """

    def change(held: StoredKeys) -> StoredKeys:
        found = _find(tenant_id, held, key_id)
        if found.revoked_at is not None:
            return held
        return _replaced(held, attrs.evolve(found, revoked_at=intent.now))

    entry = intent.entry("keys.revoke", key_id=key_id)
    return _find(tenant_id, _apply(objects, tenant_id, change, entry, announce), key_id)


def _issued(issued: IssuedKey, write: Callable[[], object]) -> IssuedKey:
    """A key once it is written, also where nobody could be told: its text is known here alone."""
    try:
        write()
    except UnannouncedError as error:
        return attrs.evolve(issued, unannounced=error.detail)
    return issued


def _apply(
    objects: Objects, tenant_id: str, change: _Change, entry: AuditEntry, announce: Announce
) -> StoredKeys:
    """Change a tenant's keys, whoever else does; the audit has it before it takes effect."""
    audited = False
    for _ in tries(layout.keys(tenant_id)):
        held, generation = _read(objects, tenant_id)
        # Asked after the keys were read: those of a tenant that is offboarded meanwhile end here,
        # or are refused below, since offboarding deletes them after it has said that it began.
        _require(objects, tenant_id)
        changed = change(held)
        if changed == held:
            break
        if not audited:
            record(objects, tenant_id, entry)
            audited = True
        try:
            objects.write(layout.keys(tenant_id), encode(changed), expected=generation)
        except ObjectChangedError:
            continue
        break
    announce(objects, (tenant_id,), entry.action, entry.at)
    return changed


def _require(objects: Objects, tenant_id: str) -> None:
    found = find(objects, tenant_id)
    if found is None and not in_working_form(objects, tenant_id):
        raise UnknownTenantError(tenant_id)
    if found is not None and found.pointer.offboarding:
        raise OffboardingError(tenant_id)


def _read(objects: Objects, tenant_id: str) -> tuple[StoredKeys, int]:
    if not is_tenant_id(tenant_id):
        raise UnknownTenantError(tenant_id)
    name = layout.keys(tenant_id)
    stored = objects.read(name)
    if stored is None:
        return StoredKeys(), NEW
    return decode(stored.content, StoredKeys, name), stored.generation


def _new(
    tenant_id: str, scopes: Iterable[str], intent: Intent, expires_at: int | None
) -> IssuedKey:
    text = new_key(tenant_id)
    record = StoredKey(
        id=new_key_id(),
        sha256=digest_of(text),
        scope=" ".join(dict.fromkeys(scopes)),
        created_at=intent.now,
        expires_at=expires_at,
        note=intent.note,
    )
    return IssuedKey(record, text)


def _with(tenant_id: str, held: StoredKeys, new: StoredKey, now: int) -> StoredKeys:
    if new in held.keys:
        return held  # The answer to its write was lost, and others have written since.
    live = [each for each in held.keys if alive(each, now)]
    if len(live) >= MOST_LIVE_KEYS:
        raise TooManyKeysError(tenant_id, MOST_LIVE_KEYS)
    dead = [each for each in held.keys if not alive(each, now)]
    too_many = max(0, len(held.keys) + 1 - MOST_KEYS)
    kept = {each.id for each in (*live, *dead[too_many:])}
    return StoredKeys((*(each for each in held.keys if each.id in kept), new))


def _replaced(held: StoredKeys, new: StoredKey) -> StoredKeys:
    return StoredKeys(tuple(new if each.id == new.id else each for each in held.keys))


def _find(tenant_id: str, held: StoredKeys, key_id: str) -> StoredKey:
    for each in held.keys:
        if each.id == key_id:
            return each
    raise UnknownKeyError(tenant_id, key_id)


def _live(tenant_id: str, held: StoredKeys, key_id: str, now: int) -> StoredKey:
    found = _find(tenant_id, held, key_id)
    if not alive(found, now):
        raise UnknownKeyError(tenant_id, key_id)
    return found
