"""The store in one SQLite file, for one process."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from sqlite3 import Connection
from typing import Concatenate, ParamSpec, TypeVar

import attrs

from gateway.store import sqlite_logs, sqlite_runs, sqlite_tenants, sqlite_threads
from gateway.store.errors import StoreUnavailableError
from gateway.store.model import Fence, Item, Key, Page, Run, RunBegin, RunEnd, Thread
from gateway.store.sqlite_file import Connect, connect, opened
from gateway.store.sqlite_sweeping import Sweeper
from gateway.store.sqlite_thread import SqliteThread
from tenants.context import TenantContext

P = ParamSpec("P")
T = TypeVar("T")
Within = Callable[Concatenate[Connection, TenantContext, P], T]
"""An operation within a tenant: the connection, the context, and what it is about."""


@attrs.frozen
class SqliteLimits:
    """Bounds of a store.

    Args:
        busy_seconds: how long another process's lock is waited for: 5 s, and a margin.
        waiting: how many calls may wait before further ones are refused.
        log_bytes: what all logs of runs together may take.
        tick_seconds: how often an idle store looks whether something is due.
        company_seconds: how long a busy store waits for more to write at once.
    """

    busy_seconds: float = 6
    waiting: int = 10_000
    log_bytes: int = 2**30
    tick_seconds: float = 1
    company_seconds: float = 0.002


class SqliteStore:
    """``gateway.store.ports.Store`` over the standard library's ``sqlite3``.

    Args:
        path: the database's file; its folders are made.
        clock: Unix time in seconds.
        connecting: opens a connection of ``sqlite3``, in the store's own thread.
    """

    def __init__(
        self,
        path: Path,
        *,
        limits: SqliteLimits | None = None,
        clock: Callable[[], float] = time.time,
        connecting: Connect = connect,
    ) -> None:
        self._limits = limits = limits or SqliteLimits()
        self._clock = clock
        self._database = partial(opened, path, connecting, limits.busy_seconds)
        self._sweeper = Sweeper(clock, limits.log_bytes)
        self._thread: SqliteThread | None = None

    async def open(self, lost: bytes) -> int:
        """See ``Store.open``."""
        self._thread = SqliteThread(
            self._database,
            self._sweeper.sweep,
            waiting_limit=self._limits.waiting,
            tick_seconds=self._limits.tick_seconds,
            company_seconds=self._limits.company_seconds,
        )
        return await self._thread.do(
            partial(sqlite_runs.end_lost, ending=lost, now=self._now()), writes=True
        )

    async def close(self) -> None:
        """See ``Store.close``."""
        if self._thread is not None:
            await self._thread.stop()

    def healthy(self) -> bool:
        """See ``Store.healthy``."""
        return self._thread is not None and self._thread.healthy()

    async def create_thread(self, tenant: TenantContext, thread: Thread) -> None:
        """See ``Threads.create_thread``."""
        await self._write(sqlite_threads.create_thread, tenant, thread)

    async def thread(self, tenant: TenantContext, thread_id: str) -> Thread:
        """See ``Threads.thread``."""
        return await self._read(sqlite_threads.thread, tenant, thread_id)

    async def delete_thread(self, tenant: TenantContext, thread_id: str) -> None:
        """See ``Threads.delete_thread``."""
        await self._write(sqlite_threads.delete_thread, tenant, thread_id)
        await self._running().do(self._sweeper.forget, writes=False)

    async def items(self, tenant: TenantContext, thread_id: str, newest: int) -> list[Item]:
        """See ``Threads.items``."""
        return await self._read(sqlite_threads.newest_items, tenant, thread_id, newest)

    async def messages(
        self, tenant: TenantContext, thread_id: str, page: Page
    ) -> tuple[list[Item], bool]:
        """See ``Threads.messages``."""
        return await self._read(sqlite_threads.messages, tenant, thread_id, page)

    async def begin_run(self, tenant: TenantContext, begin: RunBegin) -> None:
        """See ``Runs.begin_run``."""
        await self._write(sqlite_runs.begin_run, tenant, begin, self._now())

    async def record_run(self, tenant: TenantContext, begin: RunBegin, end: RunEnd) -> None:
        """See ``Runs.record_run``."""
        log = None if end.events is None else await _packed(end.events)
        await self._write(sqlite_runs.record_run, tenant, begin, end, log, self._now())

    async def save_items(self, tenant: TenantContext, fence: Fence, items: Sequence[Item]) -> None:
        """See ``Runs.save_items``."""
        await self._write(sqlite_runs.save_items, tenant, fence, items)

    async def end_run(self, tenant: TenantContext, end: RunEnd) -> None:
        """See ``Runs.end_run``."""
        log = None if end.events is None else await _packed(end.events)
        await self._write(sqlite_runs.end_run, tenant, end, log, self._now())

    async def run(self, tenant: TenantContext, run_id: str) -> Run:
        """See ``Runs.run``."""
        return await self._read(sqlite_runs.run, tenant, run_id)

    async def run_events(self, tenant: TenantContext, run_id: str) -> bytes | None:
        """See ``Runs.run_events``."""
        log = await self._read(sqlite_logs.run_log, tenant, run_id, self._now())
        if log is None:
            return None
        return await asyncio.to_thread(log.unpacked) if log.deflated else log.packed

    async def run_items(self, tenant: TenantContext, run_id: str) -> list[Item]:
        """See ``Runs.run_items``."""
        return await self._read(sqlite_runs.run_items, tenant, run_id)

    async def run_by_key(
        self, tenant: TenantContext, scope: str, key: str
    ) -> tuple[Key, str] | None:
        """See ``Runs.run_by_key``."""
        return await self._read(sqlite_runs.run_by_key, tenant, scope, key, self._now())

    async def forget(self, tenant: TenantContext, most: int) -> int:
        """See ``Tenants.forget``."""
        forgotten = await self._write(sqlite_tenants.forget, tenant, most)
        if not forgotten:
            await self._running().do(self._sweeper.forget, writes=False)
        return forgotten

    async def note_key_uses(self, uses: Mapping[tuple[str, str], int]) -> None:
        """See ``Tenants.note_key_uses``."""
        await self._running().do(partial(sqlite_tenants.note_key_uses, uses=uses), writes=True)

    async def key_uses(self, tenant: TenantContext) -> dict[str, int]:
        """See ``Tenants.key_uses``."""
        return await self._read(sqlite_tenants.key_uses, tenant)

    def _read(
        self, ask: Within[P, T], tenant: TenantContext, *args: P.args, **kwargs: P.kwargs
    ) -> Awaitable[T]:
        return self._running().do(
            lambda connection: ask(connection, tenant, *args, **kwargs), writes=False
        )

    def _write(
        self, change: Within[P, T], tenant: TenantContext, *args: P.args, **kwargs: P.kwargs
    ) -> Awaitable[T]:
        return self._running().do(
            lambda connection: change(connection, tenant, *args, **kwargs), writes=True
        )

    def _running(self) -> SqliteThread:
        if self._thread is None:
            raise StoreUnavailableError("it is not open")
        return self._thread

    def _now(self) -> int:
        return int(self._clock())


async def _packed(events: bytes) -> sqlite_logs.Log | None:
    """Pack a log; a large one in another thread, since that takes milliseconds."""
    if len(events) <= sqlite_logs.RUN_BYTES:
        return sqlite_logs.Log(events)
    return await asyncio.to_thread(sqlite_logs.deflate, events)
