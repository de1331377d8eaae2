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


def alive(stored: StoredKey, now: float) -> bool:
    """Whether a key opens anything at this Unix time; a revoked one never does again."""
    return stored.revoked_at is None and (stored.expires_at is None or now < stored.expires_at)
