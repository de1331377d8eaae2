"""Tenants' API keys: ``agw_<tenant>_<43 base62 random>_<6 checksum>``; only a hash is kept."""

import hashlib
import hmac
import re
import secrets
import zlib
from collections.abc import Iterable
from typing import Literal, TypeAlias

import attrs

from tenants.model import is_tenant_id

PREFIX = "agw_"
Scope: TypeAlias = Literal["chat", "history", "manage"]
SCOPES: tuple[Scope, ...] = ("chat", "history", "manage")

_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_RANDOM_LENGTH = 43  # 256 bits
_CHECKSUM_LENGTH = 6  # of CRC-32, so that a mistyped key is told from a wrong one, as GitHub's are
_KEY = re.compile(r"(agw_([a-z0-9-]{1,63})_[0-9A-Za-z]{43})_([0-9A-Za-z]{6})")


@attrs.frozen
class ApiKey:
    """What is known of a key.

    Args:
        id: such as ``key_…``; not secret.
        sha256: of the whole key, in hexadecimal.
        expires_at: Unix seconds from which on it is dead; None: never.
        revoked_at: as ``expires_at``.
    """

    id: str
    sha256: str
    scopes: frozenset[Scope]
    created_at: int
    expires_at: int | None = None
    revoked_at: int | None = None

    @property
    def ends_at(self) -> int | None:
        """Unix seconds from which on it opens nothing; None: never."""
        ends = [end for end in (self.expires_at, self.revoked_at) if end is not None]
        return min(ends, default=None)

    def alive(self, now: float) -> bool:
        """Whether it opens anything at this Unix time."""
        ends_at = self.ends_at
        return ends_at is None or now < ends_at


class Keyring:
    """A tenant's keys."""

    def __init__(self, keys: Iterable[ApiKey] = ()) -> None:
        self._keys = tuple(keys)

    def find(self, key: str, now: float) -> ApiKey | None:
        """The live key of this text. It costs the same whether there is one or not."""
        digest = digest_of(key)
        found = None
        for each in self._keys:
            if hmac.compare_digest(each.sha256, digest):
                found = each
        return found if found is not None and found.alive(now) else None

    def alive(self, key_id: str, now: float) -> bool:
        """Whether a key that was accepted before still opens anything."""
        return any(each.id == key_id and each.alive(now) for each in self._keys)


def new_key(tenant_id: str) -> str:
    """A fresh key, to be shown once."""
    body = f"{PREFIX}{tenant_id}_{_random(_RANDOM_LENGTH)}"
    return f"{body}_{_checksum(body)}"


def new_key_id() -> str:
    """A fresh id of a key."""
    return f"key_{_random(16)}"


def digest_of(key: str) -> str:
    """What is kept of a key: its SHA-256, in hexadecimal. A key has 256 random bits, so no salt."""
    return hashlib.sha256(key.encode()).hexdigest()


def tenant_of(key: str) -> str | None:
    """The tenant that a key names, or None where it is no whole key of ours."""
    found = _KEY.fullmatch(key)
    if found is None or not is_tenant_id(found[2]) or _checksum(found[1]) != found[3]:
        return None
    return found[2]


def _random(length: int) -> str:
    return "".join(secrets.choice(_ALPHABET) for _ in range(length))


def _checksum(body: str) -> str:
    number, digits = zlib.crc32(body.encode()), ""
    for _ in range(_CHECKSUM_LENGTH):
        number, digit = divmod(number, len(_ALPHABET))
        digits = _ALPHABET[digit] + digits
    return digits
