"""What is written and read of threads and their items."""

import sqlite3
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from gateway.store.errors import NotFoundError, ThreadBusyError
from gateway.store.model import Item, Page, Thread
from tenants.context import TenantContext

# Whatever is looked up is looked up with this condition on its thread: see ``reach``.
REACHED = (
    "threads.tenant = ? AND (? IS NULL OR threads.end_user = ?) AND (? IS NULL OR threads.id = ?)"
)
_ITEM = (
    "id, type, created_at, payload, run_id, role, assistant_id, status, incomplete_reason, "
    "completed_at, origin, metadata"
)
_NUMBER = f"SELECT number FROM threads WHERE {REACHED} AND id = ?"  # noqa: S608 - a constant
_ADD_ITEM = f"""
    INSERT INTO items (thread, {_ITEM}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""  # noqa: S608 - the text is a constant of this module
_NEWEST = f"""
    SELECT {_ITEM} FROM items WHERE thread = ({_NUMBER}) ORDER BY number DESC LIMIT ?
"""  # noqa: S608 - as above
_MESSAGES = f"""
    SELECT {_ITEM} FROM items
    WHERE thread = ? AND type = 'message' AND number > ? AND number < ? ORDER BY number
"""  # noqa: S608 - as above
_OF_RUN = f"""
    SELECT {_ITEM} FROM items
    WHERE thread = (
        SELECT thread FROM runs JOIN threads ON threads.number = thread
        WHERE {REACHED} AND runs.tenant = ? AND runs.id = ?
    ) AND run_id = ?
    ORDER BY number
"""  # noqa: S608 - as above
_MESSAGE = "SELECT number FROM items WHERE thread = ? AND id = ? AND type = 'message'"
_THREAD = f"""
    SELECT id, created_at, metadata, end_user FROM threads WHERE {REACHED} AND id = ?
"""  # noqa: S608 - as above
_STATE = f"""
    SELECT number, (SELECT id FROM runs WHERE thread = threads.number AND ended_at IS NULL)
    FROM threads WHERE {REACHED} AND id = ?
"""  # noqa: S608 - as above
DELETES = (
    "DELETE FROM run_events WHERE run IN (SELECT number FROM runs WHERE thread = ?)",
    "DELETE FROM runs WHERE thread = ?",
    "DELETE FROM items WHERE thread = ?",
    "DELETE FROM idempotency WHERE thread = ?",
    "DELETE FROM threads WHERE number = ?",
)

_FIRST = 0
_LAST = 2**63 - 1
_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(dict[str, str]).decode


def reach(tenant: TenantContext) -> tuple[str | None, ...]:
    """The values of ``REACHED``: the tenant's threads, its user's threads, or its one thread."""
    user = tenant.user if tenant.thread_id is None else None
    return (tenant.tenant_id, user, user, tenant.thread_id, tenant.thread_id)


def create_thread(connection: sqlite3.Connection, tenant: TenantContext, thread: Thread) -> int:
    """Keep a new thread.

    Returns:
        The number of its row.
    """
    added = connection.execute(
        "INSERT INTO threads (tenant, id, created_at, metadata, end_user) VALUES (?, ?, ?, ?, ?)",
        (tenant.tenant_id, thread.id, thread.created_at, _encoded(thread.metadata), thread.user),
    )
    return int(added.lastrowid or 0)


def thread(connection: sqlite3.Connection, tenant: TenantContext, thread_id: str) -> Thread:
    """Look a thread up.

    Raises:
        NotFoundError: there is none of that id within reach.
    """
    row = connection.execute(_THREAD, (*reach(tenant), thread_id)).fetchone()
    if row is None:
        raise NotFoundError("thread", thread_id)
    return Thread(row[0], row[1], _decode(row[2]), row[3])


def free_thread(connection: sqlite3.Connection, tenant: TenantContext, thread_id: str) -> int:
    """The number of the row of a thread on which no run works.

    Raises:
        NotFoundError: there is none of that id within reach.
        ThreadBusyError: a run works on it.
    """
    row = connection.execute(_STATE, (*reach(tenant), thread_id)).fetchone()
    if row is None:
        raise NotFoundError("thread", thread_id)
    if row[1] is not None:
        raise ThreadBusyError(thread_id, row[1])
    return int(row[0])


def delete_thread(connection: sqlite3.Connection, tenant: TenantContext, thread_id: str) -> None:
    """Delete a thread and everything of it.

    Raises:
        NotFoundError: there is none of that id within reach.
        ThreadBusyError: a run works on it.
    """
    number = free_thread(connection, tenant, thread_id)
    for statement in DELETES:
        connection.execute(statement, (number,))


def add_items(connection: sqlite3.Connection, thread: int, items: Iterable[Item]) -> None:
    """Add items to the end of the thread of that number."""
    connection.executemany(_ADD_ITEM, [_item_row(thread, item) for item in items])


def newest_items(
    connection: sqlite3.Connection, tenant: TenantContext, thread_id: str, newest: int
) -> list[Item]:
    """The newest items of a thread, oldest first."""
    return _items(connection, _NEWEST, (*reach(tenant), thread_id, newest))[::-1]


def items_of_run(connection: sqlite3.Connection, tenant: TenantContext, run_id: str) -> list[Item]:
    """What a run added to its thread, oldest first."""
    return _items(connection, _OF_RUN, (*reach(tenant), tenant.tenant_id, run_id, run_id))


def messages(
    connection: sqlite3.Connection, tenant: TenantContext, thread_id: str, page: Page
) -> tuple[list[Item], bool]:
    """A page of a thread's messages, and whether there are more behind it.

    A page that only names ``before`` ends at that message: it is read backwards and turned round.

    Raises:
        NotFoundError: there is no such thread, or no such message in it.
    """
    row = connection.execute(_NUMBER, (*reach(tenant), thread_id)).fetchone()
    if row is None:
        raise NotFoundError("thread", thread_id)
    after = _message(connection, row[0], page.after)
    before = _message(connection, row[0], page.before)
    ascending = page.order == "asc"
    backwards = before is not None and after is None
    low, high = (after, before) if ascending else (before, after)
    direction = "ASC" if ascending != backwards else "DESC"
    found = _items(
        connection,
        f"{_MESSAGES} {direction} LIMIT ?",
        (row[0], low or _FIRST, high or _LAST, page.limit + 1),
    )
    part = found[: page.limit]
    return part[::-1] if backwards else part, len(found) > page.limit


def _message(connection: sqlite3.Connection, thread: int, message_id: str | None) -> int | None:
    if message_id is None:
        return None
    row = connection.execute(_MESSAGE, (thread, message_id)).fetchone()
    if row is None:
        raise NotFoundError("message", message_id)
    return int(row[0])


def _items(connection: sqlite3.Connection, statement: str, values: Sequence[Any]) -> list[Item]:
    rows = connection.execute(statement, values)
    return [Item(*(*row[:-1], _decoded(row[-1]))) for row in rows]


def _item_row(thread: int, item: Item) -> tuple[Any, ...]:
    return (
        thread,
        item.id,
        item.type,
        item.created_at,
        item.payload,
        item.run_id,
        item.role,
        item.assistant_id,
        item.status,
        item.incomplete_reason,
        item.completed_at,
        item.origin,
        _encoded(item.metadata),
    )


def _encoded(metadata: dict[str, str]) -> str:
    return _encode(metadata).decode() if metadata else "{}"


def _decoded(metadata: str) -> dict[str, str]:
    return {} if metadata == "{}" else _decode(metadata)
