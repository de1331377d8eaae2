"""A tenant's keys as they are stored, and as requests see them."""

from typing import get_args

from tenants.keys import ApiKey, Keyring, Scope
from tenants.registry.stored import StoredKey, StoredKeys

_KNOWN: frozenset[Scope] = frozenset(get_args(Scope))


def keyring_of(stored: StoredKeys) -> Keyring:
    """The keys that may open something.

    A revoked key is left out, whatever the time: the clock of who revoked it may be ahead.
    """
    return Keyring(api_key(each) for each in stored.keys if each.revoked_at is None)


def api_key(stored: StoredKey) -> ApiKey:
    """A stored key as requests see it; scopes of a newer program open nothing here."""
    return ApiKey(
        id=stored.id,
        sha256=stored.sha256,
        scopes=frozenset(scope for scope in _KNOWN if scope in stored.scope.split()),
        created_at=stored.created_at,
        expires_at=stored.expires_at,
        revoked_at=stored.revoked_at,
    )


def stored_key(key: ApiKey, note: str = "") -> StoredKey:
    """A key as it is stored."""
    return StoredKey(
        id=key.id,
        sha256=key.sha256,
        scope=" ".join(sorted(key.scopes)),
        created_at=key.created_at,
        expires_at=key.expires_at,
        revoked_at=key.revoked_at,
        note=note,
    )
