"""Tenants from a directory: one sub-directory each, validated after start, watched for changes."""

import asyncio
import threading
from collections.abc import Callable
from collections.abc import Set as AbstractSet
from functools import partial
from pathlib import Path
from weakref import WeakValueDictionary

import attrs
import structlog

from tenants.compiled import CompiledTenant
from tenants.describing import LIMIT_SECONDS, Describer
from tenants.errors import RegistryUnavailableError, TenantUnavailableError, UnknownTenantError
from tenants.model import is_tenant_id
from tenants.ports import TenantHealth
from tenants.registry.listing import fingerprints, holds, list_tenants
from tenants.registry.outcomes import OnEvent, tell_change, tell_removal
from tenants.registry.reading import DirectoryReader
from tenants.registry.standing import NOTHING, Since, Standing
from tenants.registry.watching import watch
from tenants.threads import Threads, ThreadsExhaustedError, WorkRaisedError

_COMPILING = 4
# Modules are imported one after the other; each has its own time limit.
COMPILE_TIMEOUT_SECONDS = 2 * _COMPILING * LIMIT_SECONDS
SWEEP_SECONDS = 60.0
UNWATCHED_SWEEP_SECONDS = 0.5
_log = structlog.get_logger(__name__)


class DirectoryRegistry:
    """Serves the last good revision of each tenant in a directory.

    Args:
        path: of the directory.
        private_upstreams: hosts that an upstream may have though they are private.
        on_event: counts what became of a revision.
        inline_tools: whether tool modules may run outside of cells.
    """

    def __init__(
        self,
        path: Path,
        *,
        private_upstreams: AbstractSet[str],
        on_event: OnEvent,
        inline_tools: bool = True,
    ) -> None:
        self._root = path
        self._private_upstreams = private_upstreams
        self._inline_tools = inline_tools
        self._on_event = on_event
        self._known: set[str] = set()
        self._tenants: dict[str, CompiledTenant] = {}
        self._since: dict[str, Since] = {}
        # Of those alone whose revision in force is not all that is to be known of them.
        self._standings: dict[str, Standing] = {}
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._threads = Threads(limit=64)
        self._compiling = asyncio.Semaphore(_COMPILING)
        self._describer = Describer()
        self._reader = self._new_reader()
        self._prints: dict[str, int] = {}
        self._sweep_seconds = SWEEP_SECONDS
        self._watching = asyncio.Event()
        self._stopping = threading.Event()
        self._following: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """List the tenants, then validate and follow them in the background.

        Raises:
            RegistryUnavailableError: the directory cannot be read.
        """
        try:
            self._root = await asyncio.to_thread(self._root.resolve, strict=True)
            self._known = await asyncio.to_thread(list_tenants, self._root)
        except (OSError, RuntimeError) as error:
            detail = f"{self._root} is not a readable directory: make it, or name another ({error})"
            raise RegistryUnavailableError(detail) from None
        self._describer = Describer()
        self._reader = self._new_reader()
        self._watching = asyncio.Event()
        self._stopping = threading.Event()
        self._following = asyncio.create_task(self._follow(self._stopping))

    def _new_reader(self) -> DirectoryReader:
        return DirectoryReader(
            self._root,
            private_upstreams=self._private_upstreams,
            inline_tools=self._inline_tools,
            describer=self._describer,
        )

    async def stop(self) -> None:
        """Stop following; what is in memory stays readable."""
        self._stopping.set()
        if self._following is not None:
            self._following.cancel()
            await asyncio.wait([self._following])
            self._following = None
        await asyncio.to_thread(self._describer.close)

    def cached(self, tenant_id: str) -> CompiledTenant | None:
        """The revision in force if it is in memory; never waits."""
        return self._tenants.get(tenant_id)

    def ids(self) -> list[str]:
        """The ids of all tenants that the directory holds, good or not."""
        return sorted(self._known)

    def loaded(self) -> int:
        """How many tenants are in memory."""
        return len(self._tenants)

    def health(self, tenant_id: str) -> TenantHealth | None:
        """How a tenant stands here; None where nothing of it is in memory."""
        standing = self._standing(tenant_id)
        return None if standing is NOTHING else self._since[tenant_id].health(standing)

    def stale_seconds(self) -> float:
        """Always 0: what is on disk is at hand."""
        return 0.0

    async def load(self, tenant_id: str) -> CompiledTenant:
        """The revision in force, read if need be (single flight).

        Raises:
            UnknownTenantError: there is no such tenant, or its id is outside the grammar.
            TenantUnavailableError: it exists and no good revision of it could be read.
        """
        if tenant_id not in self._known and not await self._holds(tenant_id):
            raise UnknownTenantError(tenant_id)
        async with self._turn(tenant_id):
            if self._standing(tenant_id) is NOTHING:
                await self._refresh(tenant_id)
        tenant = self._tenants.get(tenant_id)
        if tenant is None and (tenant_id not in self._known or self._standing(tenant_id).suspended):
            raise UnknownTenantError(tenant_id)  # It may have been removed a moment ago.
        if tenant is None:
            raise TenantUnavailableError(tenant_id)
        return tenant

    async def _holds(self, tenant_id: str) -> bool:
        """Whether the directory holds a tenant that the watcher has not told of yet."""
        return is_tenant_id(tenant_id) and await asyncio.to_thread(holds, self._root, tenant_id)

    def _turn(self, tenant_id: str) -> asyncio.Lock:
        return self._turns.setdefault(tenant_id, asyncio.Lock())

    async def _follow(self, stopping: threading.Event) -> None:
        loop = asyncio.get_running_loop()
        async with asyncio.TaskGroup() as group:

            def changed(names: frozenset[str]) -> None:
                self._watching.set()
                for name in () if stopping.is_set() else names:
                    group.create_task(self._update(name))

            def report(names: frozenset[str]) -> None:
                try:
                    loop.call_soon_threadsafe(changed, names)
                except RuntimeError:  # The loop has closed without a stop.
                    stopping.set()

            target = partial(self._watch, stopping, report)
            threading.Thread(target=target, name="tenants-watch", daemon=True).start()
            await self._watching.wait()
            while True:
                await self._sweep()
                await asyncio.sleep(self._sweep_seconds)

    def _watch(self, stopping: threading.Event, report: Callable[[frozenset[str]], None]) -> None:
        try:
            watch(self._root, stopping, report)
        except (OSError, RuntimeError) as error:
            _log.error("registry_watch_failed", error=str(error))
            self._sweep_seconds = UNWATCHED_SWEEP_SECONDS
            report(frozenset())

    async def _sweep(self) -> None:
        """Look at each tenant whose files may have changed; the backstop of watching."""
        try:
            prints = await asyncio.to_thread(fingerprints, self._root)
        except OSError as error:
            _log.error("registry_unreadable", error=str(error))
            return
        before, self._prints = self._prints, prints
        self._known |= prints.keys() - before.keys()
        for tenant_id in self._known | before.keys():
            if tenant_id not in prints or prints[tenant_id] != before.get(tenant_id):
                await self._update(tenant_id)

    async def _update(self, tenant_id: str) -> None:
        async with self._turn(tenant_id):
            await self._refresh(tenant_id)

    async def _refresh(self, tenant_id: str) -> None:
        """Bring what is in memory up to what is on disk; the caller has the tenant's turn."""
        last = self._standing(tenant_id)
        found = await self._look(tenant_id, last)
        if found is None:
            self._remove(tenant_id)
        else:
            self._put(tenant_id, last, found)

    def _standing(self, tenant_id: str) -> Standing:
        """What is known of a tenant; ``NOTHING`` where nothing is."""
        known, tenant = self._standings.get(tenant_id), self._tenants.get(tenant_id)
        return known or (Standing(tenant=tenant) if tenant else NOTHING)

    async def _look(self, tenant_id: str, last: Standing) -> Standing | None:
        work = partial(self._reader.read, tenant_id, last)
        try:
            async with self._compiling, asyncio.timeout(COMPILE_TIMEOUT_SECONDS):
                return await self._threads.run(work)
        except WorkRaisedError as error:
            _log.error("tenant_unreadable", tenant_id=tenant_id, exc_info=error.error)
            words = "it could not be read, for a fault that is in the log"
        except (TimeoutError, ThreadsExhaustedError):
            words = f"tools.py: it takes over {COMPILE_TIMEOUT_SECONDS:g} s to read"
        return attrs.evolve(last, refused=words)

    def _put(self, tenant_id: str, last: Standing, found: Standing) -> None:
        """Put in force what was found."""
        self._known.add(tenant_id)
        tell_change(tenant_id, last, found, self._on_event, news=last is not NOTHING)
        tenant = found.in_force
        if tenant is None:
            self._tenants.pop(tenant_id, None)
        else:
            self._tenants[tenant_id] = tenant
        self._since[tenant_id] = self._since.get(tenant_id, Since()).after(last, found)
        if found == Standing(tenant=tenant):
            self._standings.pop(tenant_id, None)
        else:
            self._standings[tenant_id] = found

    def _remove(self, tenant_id: str) -> None:
        if self._standing(tenant_id) is not NOTHING:
            tell_removal(tenant_id, self._on_event)
        self._known.discard(tenant_id)
        self._standings.pop(tenant_id, None)
        self._tenants.pop(tenant_id, None)
        self._since.pop(tenant_id, None)
