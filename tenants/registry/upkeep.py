"""Brings one tenant's memory and copy up to what a registry says, in the order that is safe."""

from collections.abc import Callable
from collections.abc import Set as AbstractSet
from functools import partial
from typing import TypeVar

import attrs
import structlog

from tenants.errors import InvalidTenantError
from tenants.registry.copies import Copies
from tenants.registry.memory import Memory
from tenants.registry.objects import ObjectsUnavailableError
from tenants.registry.outcomes import OnEvent, tell_change, tell_removal
from tenants.registry.published_reading import Reader
from tenants.registry.reads import read_in_time
from tenants.registry.standing import NOTHING, Standing
from tenants.threads import Threads

_DISK = 4
_DISK_SECONDS = 2.0
T = TypeVar("T")
_log = structlog.get_logger(__name__)


class Upkeep:
    """Reads tenants, keeps their copies, and puts them in force.

    Callers have the tenant's turn: what one of them reads is in force before the next one reads.

    Args:
        reader: reads tenants from the registry.
        copies: the last good ones.
        memory: what requests see.
        on_event: counts what became of a revision.
    """

    def __init__(
        self,
        reader: Reader,
        copies: Copies,
        memory: Memory,
        on_event: OnEvent,
    ) -> None:
        self._reader = reader
        self._copies = copies
        self._memory = memory
        self._on_event = on_event
        self._disk = Threads(_DISK)

    async def copy(self, tenant_id: str) -> Standing | None:
        """The last good copy; None where there is none that may be served."""
        return await self._on_disk(tenant_id, lambda: self._copies.read(tenant_id))

    async def compare(
        self, threads: Threads, tenant_id: str, last: Standing, *, within_seconds: float
    ) -> Standing | None:
        """Read a tenant, put in force what has changed, and return how it stands.

        Args:
            threads: that the reads may use.
            tenant_id: the tenant's.
            last: how it stood, in memory or in its copy.
            within_seconds: after which the reads are given up.

        Raises:
            ObjectsUnavailableError: the registry cannot be read; nothing has changed here.
        """
        began = self._memory.now()
        work = partial(self._reader.read, tenant_id, last)
        found = await read_in_time(threads, within_seconds, work)
        if found is None:
            if last is not NOTHING:
                await self._remove(tenant_id)
            return None
        if found is not last:
            # Before it is in force: whoever saw a key die here never sees it alive again.
            await self._on_disk(tenant_id, lambda: self._copies.write(tenant_id, found))
        before = last if tenant_id in self._memory else attrs.evolve(last, tenant=None)
        tell_change(tenant_id, before, found, self._on_event, news=last is not NOTHING)
        self._memory.put(tenant_id, found, compared_at=began)
        return found

    async def renew(self, threads: Threads, tenant_id: str, *, within_seconds: float) -> None:
        """Bring the copy of a tenant that is not in memory up to what the registry says.

        So a key, or a tenant, that died while nobody asked for it comes back with no copy.

        Args:
            threads: that the reads may use.
            tenant_id: the tenant's.
            within_seconds: after which the reads are given up.

        Raises:
            ObjectsUnavailableError: the registry cannot be read; the copy is as it was.
        """
        copied = await self.copy(tenant_id)
        if copied is None:
            return
        work = partial(self._reader.read, tenant_id, copied)
        found = await read_in_time(threads, within_seconds, work)
        if found is None:
            await self._on_disk(tenant_id, lambda: self._copies.remove(tenant_id))
        elif found is not copied:
            await self._on_disk(tenant_id, lambda: self._copies.write(tenant_id, found))

    async def copied(self, tenant_ids: AbstractSet[str]) -> frozenset[str]:
        """Those of some tenants that have a copy."""
        found = await self._on_disk(None, lambda: self._copies.among(tenant_ids))
        return found or frozenset()

    def serve_copy(self, tenant_id: str, copied: Standing) -> None:
        """Put a copy in force until the registry can be read."""
        self._on_event("copied")
        _log.warning("tenant_served_from_copy", tenant_id=tenant_id)
        self._memory.put(tenant_id, copied, compared_at=None)

    async def prune(self) -> None:
        """Keep the copies within their room."""
        active = self._memory.ids()
        await self._on_disk(None, lambda: self._copies.prune(active))

    async def _remove(self, tenant_id: str) -> None:
        await self._on_disk(tenant_id, lambda: self._copies.remove(tenant_id))
        self._memory.drop(tenant_id)
        tell_removal(tenant_id, self._on_event)

    async def _on_disk(self, tenant_id: str | None, work: Callable[[], T]) -> T | None:
        """Do something with copies; serving goes on whatever becomes of it."""
        try:
            return await read_in_time(self._disk, _DISK_SECONDS, partial(_attempt, work))
        except ObjectsUnavailableError as error:
            _log.error("tenant_copy_failed", tenant_id=tenant_id, reason=error.detail)
            return None


def _attempt(work: Callable[[], T]) -> T | None:
    try:
        return work()
    except OSError as error:
        raise ObjectsUnavailableError(f"{error.strerror}: {error.filename}") from error
    except InvalidTenantError as error:
        raise ObjectsUnavailableError(str(error)) from error
