"""When tenants' API keys were last used: noted in memory, written to the store now and then."""

import contextlib
from collections.abc import AsyncIterator

import structlog

from gateway.http.door.repeating import repeated
from gateway.store.errors import StoreUnavailableError
from gateway.store.ports import Tenants
from tenants.context import TenantContext

_log = structlog.get_logger(__name__)


class KeyUses:
    """Notes the use of keys.

    Args:
        store: where it is kept.
        seconds: between two writes; what was noted since the last one is lost with the process.
    """

    def __init__(self, store: Tenants, seconds: float = 60) -> None:
        self._store = store
        self._seconds = seconds
        self._waiting: dict[tuple[str, str], float] = {}

    def note(self, tenant_id: str, key_id: str, now: float) -> None:
        """A key was accepted, at this Unix time."""
        self._waiting[tenant_id, key_id] = now

    async def last(self, tenant: TenantContext) -> dict[str, int]:
        """When a tenant's keys were last used, in Unix seconds, by the key's id.

        Raises:
            StoreUnavailableError: the store cannot be read.
        """
        noted = {
            key_id: int(now)
            for (tenant_id, key_id), now in self._waiting.items()
            if tenant_id == tenant.tenant_id
        }
        return await self._store.key_uses(tenant) | noted

    def forget(self, tenant_id: str) -> None:
        """Drop what was noted of a tenant that is being deleted."""
        for place in [place for place in self._waiting if place[0] == tenant_id]:
            del self._waiting[place]

    async def flush(self) -> None:
        """Write what was noted, all of it at once; a store that is away gets it the next time."""
        noted = dict(self._waiting)
        if not noted:
            return
        try:
            await self._store.note_key_uses({place: int(now) for place, now in noted.items()})
        except StoreUnavailableError as error:
            _log.warning("key_uses_not_written", detail=error.detail)
            return
        # What was noted or forgotten meanwhile stays so.
        self._waiting = dict(self._waiting.items() - noted.items())

    @contextlib.asynccontextmanager
    async def followed(self) -> AsyncIterator[None]:
        """Write every so often while this is entered, and at its end."""
        try:
            async with repeated(self.flush, self._seconds, "key_uses_not_written"):
                yield
        finally:
            await self.flush()
