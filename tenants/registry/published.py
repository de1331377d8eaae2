"""Published tenants: loaded at their first request, told of changes, forgotten when idle."""

import asyncio
import time
from collections.abc import Callable
from weakref import WeakValueDictionary

import structlog

from tenants.compiled import CompiledTenant
from tenants.errors import TenantUnavailableError, UnknownTenantError
from tenants.model import is_tenant_id
from tenants.ports import TenantHealth
from tenants.registry.copies import Copies
from tenants.registry.memory import Memory
from tenants.registry.misses import Misses
from tenants.registry.news import NewsReader
from tenants.registry.objects import Objects, ObjectsUnavailableError
from tenants.registry.outcomes import OnEvent
from tenants.registry.pace import Pace
from tenants.registry.published_reading import Reader
from tenants.registry.standing import NOTHING, Standing
from tenants.registry.upkeep import Upkeep
from tenants.threads import Threads

_LOADING = 8
_COMPARING = 4
_RENEWING = 1  # Copies of tenants that nobody asks for: they may wait, and hold up nothing.
_log = structlog.get_logger(__name__)


class PublishedRegistry:
    """Serves the revisions in force of a registry of published tenants.

    Args:
        objects: the registry.
        reader: reads tenants from it.
        copies: the last good ones, for when it is away.
        on_event: counts what became of a revision.
        pace: how often to look.
        clock: monotonic seconds.
    """

    def __init__(  # noqa: PLR0913  (parts that the composition root chooses, and a clock)
        self,
        objects: Objects,
        reader: Reader,
        copies: Copies,
        *,
        on_event: OnEvent,
        pace: Pace | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._pace = pace or Pace()
        self._clock = clock
        self._on_event = on_event
        self._memory = Memory(self._pace, clock)
        self._misses = Misses(clock)
        self._news = NewsReader(objects, self._pace, clock)
        self._upkeep = Upkeep(reader, copies, self._memory, on_event)
        self._loading = Threads(_LOADING)
        self._comparing = Threads(_COMPARING)
        self._renewing = Threads(_RENEWING)
        self._renewals = asyncio.Semaphore(_RENEWING)
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._changed: set[str] = set()
        self._under_way: set[str] = set()
        self._following: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Follow the registry in the background; it is not waited for."""
        self._following = asyncio.create_task(self._follow())

    async def stop(self) -> None:
        """Stop following; what is in memory stays readable."""
        if self._following is not None:
            self._following.cancel()
            await asyncio.wait([self._following])
            self._following = None

    def cached(self, tenant_id: str) -> CompiledTenant | None:
        """The revision in force if it is in memory; never waits."""
        return self._memory.in_force(tenant_id)

    def loaded(self) -> int:
        """How many tenants are in memory."""
        return len(self._memory)

    def health(self, tenant_id: str) -> TenantHealth | None:
        """How a tenant stands here; None where nothing of it is in memory."""
        entry = self._memory.look(tenant_id)
        return entry.since.health(entry.standing) if entry else None

    def stale_seconds(self) -> float:
        """For how long what is in memory could not be compared with what is kept; 0: it could."""
        return self._news.stale_seconds()

    async def load(self, tenant_id: str) -> CompiledTenant:
        """The revision in force, read if need be (single flight).

        Raises:
            UnknownTenantError: there is no such tenant, it is suspended, or its id is outside the
                grammar.
            TenantUnavailableError: no good revision of it could be read.
        """
        if not is_tenant_id(tenant_id):
            raise UnknownTenantError(tenant_id)
        async with self._turn(tenant_id):
            entry = self._memory.use(tenant_id)
            standing = entry.standing if entry else await self._first(tenant_id)
        if standing.suspended:
            raise UnknownTenantError(tenant_id)
        if standing.tenant is None:
            raise TenantUnavailableError(tenant_id)
        return standing.tenant

    def _turn(self, tenant_id: str) -> asyncio.Lock:
        return self._turns.setdefault(tenant_id, asyncio.Lock())

    async def _first(self, tenant_id: str) -> Standing:
        """How a tenant stands that is not in memory."""
        if miss := self._misses.answer(tenant_id):
            raise miss(tenant_id)
        copied = await self._upkeep.copy(tenant_id)
        if self._news.away:
            return self._from_copy(tenant_id, copied)
        if copied is None and not self._misses.spend():
            raise TenantUnavailableError(tenant_id)
        seconds = self._pace.copied_seconds if copied else self._pace.read_seconds
        try:
            standing = await self._upkeep.compare(
                self._loading, tenant_id, copied or NOTHING, within_seconds=seconds
            )
        except ObjectsUnavailableError as error:
            _log.warning("tenant_unread", tenant_id=tenant_id, reason=error.detail)
            return self._from_copy(tenant_id, copied)
        if standing is None:
            self._misses.remember(tenant_id, UnknownTenantError, self._pace.unknown_seconds)
            raise UnknownTenantError(tenant_id)
        if copied is None:
            self._misses.refund()
        return standing

    def _from_copy(self, tenant_id: str, copied: Standing | None) -> Standing:
        if copied is None:
            self._misses.remember(tenant_id, TenantUnavailableError, self._pace.failed_seconds)
            raise TenantUnavailableError(tenant_id)
        self._upkeep.serve_copy(tenant_id, copied)
        self._changed.add(tenant_id)
        return copied

    async def _follow(self) -> None:
        prune_at = self._clock() + self._pace.prune_seconds
        async with asyncio.TaskGroup() as group:
            while True:
                await self._note(await self._news.read())
                self._compare_changed(group)
                self._forget_idle()
                if self._clock() >= prune_at:
                    prune_at = self._clock() + self._pace.prune_seconds
                    group.create_task(self._upkeep.prune())
                await asyncio.sleep(self._news.wait_seconds())

    async def _note(self, changed: frozenset[str] | None) -> None:
        """Remember whom to compare with the registry; those whose first read is under way too.

        And those that have nothing but a copy here, where the feed names them.
        """
        if changed is None:
            self._misses.forget_all()
            self._changed |= self._memory.ids() | set(self._turns)
            return
        for tenant_id in changed:
            self._misses.forget(tenant_id)
            if tenant_id in self._memory or tenant_id in self._turns:
                self._changed.add(tenant_id)
        if changed - self._changed:
            self._changed |= await self._upkeep.copied(changed - self._changed)

    def _compare_changed(self, group: asyncio.TaskGroup) -> None:
        if self._news.away:
            return
        now = (self._changed | set(self._memory.due())) - self._under_way
        self._changed -= now
        self._under_way |= now
        for tenant_id in now:
            group.create_task(self._compare(tenant_id))

    async def _compare(self, tenant_id: str) -> None:
        try:
            if tenant_id in self._memory or tenant_id in self._turns:
                await self._compare_or_renew(tenant_id)
            else:
                async with self._renewals:  # Not in its turn, for which a request may wait.
                    await self._compare_or_renew(tenant_id)
        except ObjectsUnavailableError:
            self._changed.add(tenant_id)
        except Exception as error:  # noqa: BLE001  (one tenant's fault must not end the following)
            _log.error("tenant_uncompared", tenant_id=tenant_id, exc_info=error)
            self._changed.add(tenant_id)
        finally:
            self._under_way.discard(tenant_id)

    async def _compare_or_renew(self, tenant_id: str) -> None:
        within = self._pace.read_seconds
        async with self._turn(tenant_id):
            entry = self._memory.look(tenant_id)
            if entry is not None:
                await self._upkeep.compare(
                    self._comparing, tenant_id, entry.standing, within_seconds=within
                )
                return
            self._misses.forget(tenant_id)
            await self._upkeep.renew(self._renewing, tenant_id, within_seconds=within)

    def _forget_idle(self) -> None:
        for tenant_id in self._memory.drop_idle():
            self._on_event("forgotten")
            _log.debug("tenant_forgotten", tenant_id=tenant_id)
