"""Tenants from a directory: one sub-directory each, validated after start, watched for changes."""

import asyncio
import threading
import time
from collections.abc import Callable
from collections.abc import Set as AbstractSet
from functools import partial
from pathlib import Path
from typing import Literal
from weakref import WeakValueDictionary

import structlog

from tenants.compiled import CompiledTenant
from tenants.describing import LIMIT_SECONDS, Describer
from tenants.errors import (
    Fault,
    RegistryUnavailableError,
    TenantUnavailableError,
    UnknownTenantError,
)
from tenants.model import is_tenant_id
from tenants.ports import TenantHealth
from tenants.registry.listing import fingerprints, holds, list_tenants
from tenants.registry.reading import Finding, Gone, Rejected, Unchanged, look
from tenants.registry.watching import watch
from tenants.threads import Threads, ThreadsExhaustedError, WorkRaisedError

Outcome = Literal["loaded", "rejected", "removed"]

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
    """

    def __init__(
        self,
        path: Path,
        *,
        private_upstreams: AbstractSet[str],
        on_event: Callable[[Outcome], None],
    ) -> None:
        self._root = path
        self._private_upstreams = private_upstreams
        self._on_event = on_event
        self._known: set[str] = set()
        self._tenants: dict[str, CompiledTenant] = {}
        self._since: dict[str, int] = {}
        self._rejected: dict[str, Rejected] = {}
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._threads = Threads(limit=64)
        self._compiling = asyncio.Semaphore(_COMPILING)
        self._describer = Describer()
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
        self._watching = asyncio.Event()
        self._stopping = threading.Event()
        self._following = asyncio.create_task(self._follow(self._stopping))

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
        tenant, rejected = self._tenants.get(tenant_id), self._rejected.get(tenant_id)
        if tenant is None and rejected is None:
            return None
        return TenantHealth(
            revision=tenant.revision if tenant else None,
            since=self._since.get(tenant_id),
            refused="\n".join(map(str, rejected.faults)) if rejected else "",
        )

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
            if tenant_id not in self._tenants and tenant_id not in self._rejected:
                await self._refresh(tenant_id)
        tenant = self._tenants.get(tenant_id)
        if tenant is None and tenant_id not in self._known:
            raise UnknownTenantError(tenant_id)  # It was removed a moment ago.
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
        self._known |= prints.keys()
        for tenant_id in self._known | before.keys():
            if tenant_id not in prints or prints[tenant_id] != before.get(tenant_id):
                await self._update(tenant_id)

    async def _update(self, tenant_id: str) -> None:
        async with self._turn(tenant_id):
            await self._refresh(tenant_id)

    async def _refresh(self, tenant_id: str) -> None:
        """Bring what is in memory up to what is on disk; the caller has the tenant's turn."""
        self._apply(tenant_id, await self._look(tenant_id))

    async def _look(self, tenant_id: str) -> Finding:
        held = self._tenants.get(tenant_id)
        rejected = self._rejected.get(tenant_id)
        seen = {each.revision for each in (held, rejected) if each is not None}
        work = partial(
            look,
            self._root,
            tenant_id,
            seen=seen,
            private_upstreams=self._private_upstreams,
            describer=self._describer,
        )
        try:
            async with self._compiling, asyncio.timeout(COMPILE_TIMEOUT_SECONDS):
                return await self._threads.run(work)
        except WorkRaisedError as error:
            _log.error("tenant_unreadable", tenant_id=tenant_id, exc_info=error.error)
            return _rejected("it could not be read, for a fault that is in the log")
        except (TimeoutError, ThreadsExhaustedError):
            return _rejected(f"it takes over {COMPILE_TIMEOUT_SECONDS:g} s to read")

    def _apply(self, tenant_id: str, finding: Finding) -> None:
        match finding:
            case CompiledTenant():
                self._serve(tenant_id, finding)
            case Rejected():
                self._reject(tenant_id, finding)
            case Gone():
                self._remove(tenant_id)
            case Unchanged(revision):
                rejected = self._rejected.get(tenant_id)
                if rejected is not None and rejected.revision != revision:
                    del self._rejected[tenant_id]

    def _serve(self, tenant_id: str, tenant: CompiledTenant) -> None:
        is_news = tenant_id in self._tenants or tenant_id in self._rejected
        self._known.add(tenant_id)
        self._tenants[tenant_id] = tenant
        self._since[tenant_id] = int(time.time())
        self._rejected.pop(tenant_id, None)
        self._on_event("loaded")
        log = _log.info if is_news else _log.debug
        log("tenant_loaded", tenant_id=tenant_id, revision=tenant.revision)

    def _reject(self, tenant_id: str, finding: Rejected) -> None:
        self._known.add(tenant_id)
        self._rejected[tenant_id] = finding
        self._on_event("rejected")
        faults = [str(fault) for fault in finding.faults]
        _log.warning("tenant_rejected", tenant_id=tenant_id, faults=faults)

    def _remove(self, tenant_id: str) -> None:
        self._rejected.pop(tenant_id, None)
        self._prints.pop(tenant_id, None)
        self._tenants.pop(tenant_id, None)
        self._since.pop(tenant_id, None)
        if tenant_id in self._known:
            self._known.discard(tenant_id)
            self._on_event("removed")
            _log.info("tenant_removed", tenant_id=tenant_id)


def _rejected(message: str) -> Rejected:
    return Rejected("unknown", (Fault("tools.py", "", message),))
