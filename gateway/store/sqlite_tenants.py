"""What is written and read of tenants as a whole: their end, and when their keys were used."""

import sqlite3
from collections.abc import Mapping

from gateway.store.sqlite_threads import DELETES
from tenants.context import TenantContext

_FREE = """
    SELECT number FROM threads
    WHERE tenant = ?
        AND NOT EXISTS (SELECT 1 FROM runs WHERE thread = threads.number AND ended_at IS NULL)
    LIMIT ?
"""
_FORGET_USES = "DELETE FROM key_uses WHERE tenant = ?"
_NOTE_USE = """
    INSERT INTO key_uses (tenant, key, used_at) VALUES (?, ?, ?)
    ON CONFLICT DO UPDATE SET used_at = max(used_at, excluded.used_at)
"""
_USES = "SELECT key, used_at FROM key_uses WHERE tenant = ?"


def forget(connection: sqlite3.Connection, tenant: TenantContext, most: int) -> int:
    """Delete some of a tenant's threads, and what hangs on no thread once none is left.

    Returns:
        How many threads; 0 where none is left but those on which runs work.
    """
    threads = connection.execute(_FREE, (tenant.tenant_id, most)).fetchall()
    for statement in DELETES:
        connection.executemany(statement, threads)
    if not threads:
        connection.execute(_FORGET_USES, (tenant.tenant_id,))
    return len(threads)


def note_key_uses(connection: sqlite3.Connection, uses: Mapping[tuple[str, str], int]) -> None:
    """Keep when keys were used, by tenant and key; what is known already and later stays."""
    rows = [(tenant_id, key_id, used_at) for (tenant_id, key_id), used_at in uses.items()]
    connection.executemany(_NOTE_USE, rows)


def key_uses(connection: sqlite3.Connection, tenant: TenantContext) -> dict[str, int]:
    """When a tenant's keys were last used, in Unix seconds, by the key's id."""
    return dict(connection.execute(_USES, (tenant.tenant_id,)).fetchall())
