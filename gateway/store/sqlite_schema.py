"""The tables, as a list of steps from an empty file to the newest schema."""

import sqlite3
from collections.abc import Sequence

from gateway.store.errors import StoreUnavailableError

# Threads and runs are found by their tenant and id, and what belongs to them hangs on their row's
# number: no row can be reached past its tenant, and what is written of the threads that are talked
# in now lies together in few pages (random ids as keys cost twice the time of a commit).
#
# Rows are added at a table's end, so that texts are not moved when a page is split, which would
# leave copies in free space. Large columns come last, since a reader stops at the last column that
# it asks for.
_FIRST = """
CREATE TABLE threads (
    number INTEGER PRIMARY KEY,
    tenant TEXT NOT NULL,
    id TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    metadata TEXT NOT NULL,
    end_user TEXT,
    UNIQUE (tenant, id)
) STRICT;

CREATE TABLE items (
    number INTEGER PRIMARY KEY,
    thread INTEGER NOT NULL,
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
    payload BLOB NOT NULL,
    UNIQUE (thread, id)
) STRICT;
CREATE INDEX items_in_order ON items (thread);

CREATE TABLE runs (
    number INTEGER PRIMARY KEY,
    tenant TEXT NOT NULL,
    id TEXT NOT NULL,
    thread INTEGER NOT NULL,
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
    UNIQUE (tenant, id)
) STRICT;
CREATE INDEX runs_of_thread ON runs (thread);
CREATE UNIQUE INDEX runs_active ON runs (thread) WHERE ended_at IS NULL;

CREATE TABLE run_events (
    number INTEGER PRIMARY KEY,
    run INTEGER NOT NULL UNIQUE,
    kept_since INTEGER NOT NULL,
    deflated INTEGER NOT NULL,
    size INTEGER NOT NULL,
    log BLOB NOT NULL
) STRICT;

CREATE TABLE idempotency (
    tenant TEXT NOT NULL,
    scope TEXT NOT NULL,
    key TEXT NOT NULL,
    body TEXT NOT NULL,
    run INTEGER NOT NULL,
    thread INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (tenant, scope, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX idempotency_of_thread ON idempotency (thread);
CREATE INDEX idempotency_by_age ON idempotency (created_at);

CREATE TABLE key_uses (
    tenant TEXT NOT NULL,
    key TEXT NOT NULL,
    used_at INTEGER NOT NULL,
    PRIMARY KEY (tenant, key)
) STRICT, WITHOUT ROWID;

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
