"""What is written and read of runs and their idempotency keys."""

import sqlite3
from collections.abc import Sequence
from typing import TypeAlias

from gateway.store.errors import FenceLostError, KeyUsedError, NotFoundError
from gateway.store.model import Fence, Item, Key, Run, RunBegin, RunEnd
from gateway.store.sqlite_logs import Log, add_log
from gateway.store.sqlite_threads import (
    REACHED,
    add_items,
    create_thread,
    free_thread,
    items_of_run,
    reach,
)
from tenants.context import TenantContext

KEY_SECONDS = 24 * 3600
State: TypeAlias = tuple[str, int | None, bytes | None]
_WORKING: State = ("in_progress", None, None)

_ADD = """
    INSERT INTO runs
        (tenant, id, thread, assistant_id, model, owner, epoch, created_at, correlation_id, head,
         status, ended_at, ending)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""
_OWNED = "tenant = ? AND id = ? AND owner = ? AND epoch = ? AND ended_at IS NULL"
_END = f"""
    UPDATE runs SET status = ?, ended_at = ?, ending = ? WHERE {_OWNED} RETURNING number, thread
"""  # noqa: S608 - the text is a constant of this module
_THREAD_OF = f"SELECT thread FROM runs WHERE {_OWNED}"  # noqa: S608 - as above
_END_LOST = "UPDATE runs SET status = 'failed', ended_at = ?, ending = ? WHERE ended_at IS NULL"
_RUN = f"""
    SELECT runs.id, threads.id, assistant_id, model, status, runs.created_at, correlation_id, head,
        ended_at, ending
    FROM runs JOIN threads ON threads.number = runs.thread
    WHERE {REACHED} AND runs.tenant = ? AND runs.id = ?
"""  # noqa: S608 - as above
_KEY = """
    SELECT scope, key, body, runs.id
    FROM idempotency AS used JOIN runs ON runs.number = used.run
    WHERE used.tenant = ? AND scope = ? AND key = ? AND used.created_at > ?
"""
_ADD_KEY = """
    INSERT OR REPLACE INTO idempotency (tenant, scope, key, body, run, thread, created_at)
    VALUES (?, ?, ?, ?, ?, ?, ?)
"""


def begin_run(
    connection: sqlite3.Connection, tenant: TenantContext, begin: RunBegin, now: int
) -> None:
    """Write a run with its thread, its first items and its key, which is kept from ``now`` on.

    Raises:
        NotFoundError: its thread does not exist.
        ThreadBusyError: another run works on the thread.
        KeyUsedError: its key started another run already.
    """
    thread, _ = _add_run(connection, tenant, begin, _WORKING, now)
    add_items(connection, thread, begin.items)


def record_run(  # noqa: PLR0913, PLR0917 - begin_run and end_run in one
    connection: sqlite3.Connection,
    tenant: TenantContext,
    begin: RunBegin,
    end: RunEnd,
    log: Log | None,
    now: int,
) -> None:
    """Write what ``begin_run`` and ``end_run`` would.

    Raises:
        NotFoundError: its thread does not exist.
        ThreadBusyError: another run works on the thread.
        KeyUsedError: its key started another run already.
    """
    state = (end.status, end.ended_at, end.ending)
    thread, run = _add_run(connection, tenant, begin, state, now)
    add_items(connection, thread, (*begin.items, *end.items))
    if log is not None:
        add_log(connection, run, log, now)


def save_items(
    connection: sqlite3.Connection, tenant: TenantContext, fence: Fence, items: Sequence[Item]
) -> None:
    """Add items to a run's thread.

    Raises:
        FenceLostError: the run has ended or has another owner.
    """
    row = connection.execute(_THREAD_OF, _fence_row(tenant, fence)).fetchone()
    if row is None:
        raise FenceLostError(fence.run_id)
    add_items(connection, row[0], items)


def end_run(
    connection: sqlite3.Connection, tenant: TenantContext, end: RunEnd, log: Log | None, now: int
) -> None:
    """Write a run's end, its last items and its log, which is kept from ``now`` on.

    Raises:
        FenceLostError: the run has ended or has another owner.
    """
    values = (end.status, end.ended_at, end.ending, *_fence_row(tenant, end.fence))
    row = connection.execute(_END, values).fetchone()
    if row is None:
        raise FenceLostError(end.fence.run_id)
    add_items(connection, row[1], end.items)
    if log is not None:
        add_log(connection, row[0], log, now)


def end_lost(connection: sqlite3.Connection, ending: bytes, now: int) -> int:
    """End every run that still works, in all tenants: the process that worked on it is dead.

    Returns:
        How many there were.
    """
    return connection.execute(_END_LOST, (now, ending)).rowcount


def run(connection: sqlite3.Connection, tenant: TenantContext, run_id: str) -> Run:
    """Look a run up.

    Raises:
        NotFoundError: there is none of that id within reach.
    """
    row = connection.execute(_RUN, (*reach(tenant), tenant.tenant_id, run_id)).fetchone()
    if row is None:
        raise NotFoundError("run", run_id)
    return Run(*row)


def run_items(connection: sqlite3.Connection, tenant: TenantContext, run_id: str) -> list[Item]:
    """What a run added to its thread, oldest first.

    Raises:
        NotFoundError: there is no such run within the tenant.
    """
    run(connection, tenant, run_id)
    return items_of_run(connection, tenant, run_id)


def run_by_key(
    connection: sqlite3.Connection, tenant: TenantContext, scope: str, key: str, now: int
) -> tuple[Key, str] | None:
    """The stored key and the id of its run, if it was used in the last 24 hours."""
    row = connection.execute(_KEY, (tenant.tenant_id, scope, key, now - KEY_SECONDS)).fetchone()
    return None if row is None else (Key(*row[:3]), row[3])


def _add_run(
    connection: sqlite3.Connection, tenant: TenantContext, begin: RunBegin, state: State, now: int
) -> tuple[int, int]:
    """Add a run's row with its thread and its key.

    Returns:
        The numbers of the thread's row and of the run's.
    """
    if begin.key is not None:
        _require_unused(connection, tenant, begin.key, now)
    if begin.thread is not None:
        thread = create_thread(connection, tenant, begin.thread)
    else:
        thread = free_thread(connection, tenant, begin.thread_id)
    row = (*_run_row(tenant, begin, thread), *state)
    run = int(connection.execute(_ADD, row).lastrowid or 0)
    if (key := begin.key) is not None:
        values = (tenant.tenant_id, key.scope, key.key, key.body, run, thread, now)
        connection.execute(_ADD_KEY, values)
    return thread, run


def _require_unused(
    connection: sqlite3.Connection, tenant: TenantContext, key: Key, now: int
) -> None:
    used = run_by_key(connection, tenant, key.scope, key.key, now)
    if used is not None:
        raise KeyUsedError(key.key, used[1])


def _run_row(tenant: TenantContext, begin: RunBegin, thread: int) -> tuple[object, ...]:
    return (
        tenant.tenant_id,
        begin.fence.run_id,
        thread,
        begin.assistant_id,
        begin.model,
        begin.fence.owner,
        begin.fence.epoch,
        begin.created_at,
        begin.correlation_id,
        begin.head,
    )


def _fence_row(tenant: TenantContext, fence: Fence) -> tuple[str, str, str, int]:
    return (tenant.tenant_id, fence.run_id, fence.owner, fence.epoch)
