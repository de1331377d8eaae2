"""What is written and read of threads and their items."""

import sqlite3
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from gateway.store.errors import NotFoundError, ThreadBusyError
from gateway.store.model import Item, Page, Thread

_ITEM = (
    "id, type, created_at, payload, run_id, role, assistant_id, status, incomplete_reason, "
    "completed_at, origin, metadata"
)
_ADD_ITEM = f"""
    INSERT INTO items (tenant, thread_id, {_ITEM})
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""  # noqa: S608 - the text is a constant of this module
_IN_THREAD = f"SELECT {_ITEM} FROM items WHERE tenant = ? AND thread_id = ?"  # noqa: S608 - as above
_NEWEST = f"{_IN_THREAD} ORDER BY seq DESC LIMIT ?"
_OF_RUN = f"{_IN_THREAD} AND run_id = ? ORDER BY seq"
_MESSAGES = f"{_IN_THREAD} AND type = 'message' AND seq > ? AND seq < ? ORDER BY seq"
_MESSAGE = (
    "SELECT seq FROM items WHERE tenant = ? AND thread_id = ? AND id = ? AND type = 'message'"
)
_THREAD = "SELECT id, created_at, metadata FROM threads WHERE tenant = ? AND id = ?"
_ACTIVE = "SELECT id FROM runs WHERE tenant = ? AND thread_id = ? AND ended_at IS NULL"
_DELETES = (
    """DELETE FROM run_events WHERE tenant = ?1 AND run_id IN
        (SELECT id FROM runs WHERE tenant = ?1 AND thread_id = ?2)""",
    "DELETE FROM runs WHERE tenant = ?1 AND thread_id = ?2",
    "DELETE FROM items WHERE tenant = ?1 AND thread_id = ?2",
    "DELETE FROM idempotency WHERE tenant = ?1 AND thread_id = ?2",
    "DELETE FROM threads WHERE tenant = ?1 AND id = ?2",
)

_FIRST_SEQ = 0
_LAST_SEQ = 2**63 - 1
_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(dict[str, str]).decode


def create_thread(connection: sqlite3.Connection, tenant_id: str, thread: Thread) -> None:
    """Keep a new thread."""
    connection.execute(
        "INSERT INTO threads (tenant, id, created_at, metadata) VALUES (?, ?, ?, ?)",
        (tenant_id, thread.id, thread.created_at, _encoded(thread.metadata)),
    )


def thread(connection: sqlite3.Connection, tenant_id: str, thread_id: str) -> Thread:
    """Look a thread up.

    Raises:
        NotFoundError: there is none of that id within the tenant.
    """
    row = connection.execute(_THREAD, (tenant_id, thread_id)).fetchone()
    if row is None:
        raise NotFoundError("thread", thread_id)
    return Thread(row[0], row[1], _decode(row[2]))


def active_run(connection: sqlite3.Connection, tenant_id: str, thread_id: str) -> str | None:
    """The id of the run that works on a thread."""
    row = connection.execute(_ACTIVE, (tenant_id, thread_id)).fetchone()
    return None if row is None else str(row[0])


def delete_thread(connection: sqlite3.Connection, tenant_id: str, thread_id: str) -> None:
    """Delete a thread and everything of it.

    Raises:
        NotFoundError: there is none of that id within the tenant.
        ThreadBusyError: a run works on it.
    """
    run_id = active_run(connection, tenant_id, thread_id)
    if run_id is not None:
        raise ThreadBusyError(thread_id, run_id)
    thread(connection, tenant_id, thread_id)
    for statement in _DELETES:
        connection.execute(statement, (tenant_id, thread_id))


def add_items(
    connection: sqlite3.Connection, tenant_id: str, thread_id: str, items: Iterable[Item]
) -> None:
    """Add items to the end of a thread."""
    connection.executemany(_ADD_ITEM, [_item_row(tenant_id, thread_id, item) for item in items])


def newest_items(
    connection: sqlite3.Connection, tenant_id: str, thread_id: str, newest: int
) -> list[Item]:
    """The newest items of a thread, oldest first."""
    return _items(connection, _NEWEST, (tenant_id, thread_id, newest))[::-1]


def items_of_run(
    connection: sqlite3.Connection, tenant_id: str, thread_id: str, run_id: str
) -> list[Item]:
    """What a run added to its thread, oldest first."""
    return _items(connection, _OF_RUN, (tenant_id, thread_id, run_id))


def messages(
    connection: sqlite3.Connection, tenant_id: str, thread_id: str, page: Page
) -> tuple[list[Item], bool]:
    """A page of a thread's messages, and whether there are more behind it.

    A page that only names ``before`` ends at that message: it is read backwards and turned round.

    Raises:
        NotFoundError: there is no such thread, or no such message in it.
    """
    thread(connection, tenant_id, thread_id)
    after = _seq(connection, tenant_id, thread_id, page.after)
    before = _seq(connection, tenant_id, thread_id, page.before)
    ascending = page.order == "asc"
    backwards = before is not None and after is None
    low, high = (after, before) if ascending else (before, after)
    direction = "ASC" if ascending != backwards else "DESC"
    found = _items(
        connection,
        f"{_MESSAGES} {direction} LIMIT ?",
        (tenant_id, thread_id, low or _FIRST_SEQ, high or _LAST_SEQ, page.limit + 1),
    )
    part = found[: page.limit]
    return part[::-1] if backwards else part, len(found) > page.limit


def _seq(
    connection: sqlite3.Connection, tenant_id: str, thread_id: str, message_id: str | None
) -> int | None:
    if message_id is None:
        return None
    row = connection.execute(_MESSAGE, (tenant_id, thread_id, message_id)).fetchone()
    if row is None:
        raise NotFoundError("message", message_id)
    return int(row[0])


def _items(connection: sqlite3.Connection, statement: str, values: Sequence[Any]) -> list[Item]:
    rows = connection.execute(statement, values)
    return [Item(*(*row[:-1], _decoded(row[-1]))) for row in rows]


def _item_row(tenant_id: str, thread_id: str, item: Item) -> tuple[Any, ...]:
    return (
        tenant_id,
        thread_id,
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
