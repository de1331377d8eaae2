"""Tenants' API keys as tests give them out, straight into a directory's ``keys.json``."""

import time
from pathlib import Path

import attrs

from tenants.keys import digest_of, new_key, new_key_id
from tenants.registry import layout
from tenants.registry.files import FileObjects
from tenants.registry.stored import StoredKey, StoredKeys
from tenants.registry.stored_json import encode
from tenants.releases.key_records import keyring_of
from tests.fakes.gateway import RunningGateway
from tests.fakes.tenants import until


@attrs.frozen
class Given:
    """A key as its holder has it."""

    id: str
    text: str


class KeyFile:
    """The keys of one tenant of a directory registry that a gateway serves.

    Args:
        root: of the registry.
        gateway: each change is in force there when the method that made it returns.
    """

    def __init__(self, root: Path, tenant_id: str, gateway: RunningGateway) -> None:
        self._tenant_id = tenant_id
        self._objects = FileObjects(root)
        self._gateway = gateway
        self._keys: dict[str, StoredKey] = {}

    async def give(self, scope: str = "chat history", *, expires_at: int | None = None) -> Given:
        """A new key."""
        text, key_id = new_key(self._tenant_id), new_key_id()
        now = int(time.time())
        await self._write(StoredKey(key_id, digest_of(text), scope, now, expires_at))
        return Given(key_id, text)

    async def revoke(self, key: Given) -> None:
        """Let a key open nothing from now on."""
        await self._write(attrs.evolve(self._keys[key.id], revoked_at=int(time.time())))

    async def expire(self, key: Given, expires_at: int) -> None:
        """Let a key end at that Unix second."""
        await self._write(attrs.evolve(self._keys[key.id], expires_at=expires_at))

    async def _write(self, key: StoredKey) -> None:
        self._keys[key.id] = key
        stored = StoredKeys(tuple(self._keys.values()))
        self._objects.write(layout.keys(self._tenant_id), encode(stored), expected=None)
        registry = self._gateway.app._registry
        await registry.load(self._tenant_id)
        wanted = keyring_of(stored)._keys
        await until(lambda: registry.cached(self._tenant_id).keys._keys == wanted)
