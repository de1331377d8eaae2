"""The tables, as a list of steps from an empty file to the newest schema."""

import sqlite3
from collections.abc import Sequence

from gateway.store.errors import StoreUnavailableError

# ``seq`` is the rowid: rows are added at the end and never move when a page is split, so a deleted
# text has left no copy behind in a neighbour's page. Large columns come last, since reading a row
# stops at the last column that is asked for.
_FIRST = """
CREATE TABLE threads (
    tenant TEXT NOT NULL,
    id TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    metadata TEXT NOT NULL,
    PRIMARY KEY (tenant, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE items (
    seq INTEGER PRIMARY KEY,
    tenant TEXT NOT NULL,
    thread_id TEXT NOT NULL,
    id TEXT NOT NULL,
    type TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    run_id TEXT,
    role TEXT,
    assistant_id TEXT,
    status TEXT NOT NULL,
    incomplete_reason TEXT,
    completed_at INTEGER,
    origin TEXT,
    metadata TEXT NOT NULL,
    payload BLOB NOT NULL
) STRICT;
CREATE INDEX items_in_order ON items (tenant, thread_id);
CREATE UNIQUE INDEX items_by_id ON items (tenant, thread_id, id);

CREATE TABLE runs (
    tenant TEXT NOT NULL,
    id TEXT NOT NULL,
    thread_id TEXT NOT NULL,
    assistant_id TEXT NOT NULL,
    model TEXT NOT NULL,
    status TEXT NOT NULL,
    owner TEXT NOT NULL,
    epoch INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    ended_at INTEGER,
    correlation_id TEXT NOT NULL,
    head BLOB NOT NULL,
    ending BLOB,
    PRIMARY KEY (tenant, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX runs_of_thread ON runs (tenant, thread_id);
CREATE UNIQUE INDEX runs_active ON runs (tenant, thread_id) WHERE ended_at IS NULL;

CREATE TABLE run_events (
    seq INTEGER PRIMARY KEY,
    tenant TEXT NOT NULL,
    run_id TEXT NOT NULL,
    kept_since INTEGER NOT NULL,
    deflated INTEGER NOT NULL,
    size INTEGER NOT NULL,
    log BLOB NOT NULL,
    UNIQUE (tenant, run_id)
) STRICT;

CREATE TABLE idempotency (
    tenant TEXT NOT NULL,
    scope TEXT NOT NULL,
    key TEXT NOT NULL,
    body TEXT NOT NULL,
    run_id TEXT NOT NULL,
    thread_id TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (tenant, scope, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX idempotency_of_thread ON idempotency (tenant, thread_id);
CREATE INDEX idempotency_by_age ON idempotency (created_at);

CREATE TABLE run_events_total (bytes INTEGER NOT NULL) STRICT;
INSERT INTO run_events_total VALUES (0);
CREATE TRIGGER run_events_added AFTER INSERT ON run_events BEGIN
    UPDATE run_events_total SET bytes = bytes + new.size;
END;
CREATE TRIGGER run_events_removed AFTER DELETE ON run_events BEGIN
    UPDATE run_events_total SET bytes = bytes - old.size;
END;

CREATE TABLE probe (filler BLOB NOT NULL) STRICT;
"""

MIGRATIONS: tuple[str, ...] = (_FIRST,)
"""Each brings a file from the version of its index to the next; never changed once released."""


def migrate(connection: sqlite3.Connection, migrations: Sequence[str] = MIGRATIONS) -> None:
    """Bring a file to the newest schema, one transaction a step.

    Raises:
        StoreUnavailableError: the file is of a newer program.
    """
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version > len(migrations):
        raise StoreUnavailableError(
            f"its schema is version {version} and this program knows versions up to "
            f"{len(migrations)}: start the newer program, or name another file"
        )
    for number, script in enumerate(migrations[version:], start=version + 1):
        _step(connection, script, number)


def _step(connection: sqlite3.Connection, script: str, number: int) -> None:
    try:
        connection.executescript(
            f"BEGIN IMMEDIATE;\n{script}\nPRAGMA user_version = {number};\nCOMMIT;"
        )
    except sqlite3.Error:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
