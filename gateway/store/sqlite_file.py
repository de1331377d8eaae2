"""The database's file: made, claimed for one process, opened, and closed again."""

import contextlib
import fcntl
import os
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

from gateway.store.errors import StoreUnavailableError
from gateway.store.sqlite_schema import migrate

Connect = Callable[[Path], sqlite3.Connection]

_OLDEST_SQLITE = (3, 37)  # STRICT tables
_PRAGMAS = (
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",
    # What was deleted is overwritten, not only let go of (FAST leaves freed pages as they are).
    "PRAGMA secure_delete = ON",
    "PRAGMA journal_size_limit = 67108864",
    "PRAGMA temp_store = MEMORY",
    "PRAGMA trusted_schema = OFF",
)


def connect(path: Path) -> sqlite3.Connection:
    """Open a database with no transactions but those that are asked for."""
    return sqlite3.connect(path, isolation_level=None, cached_statements=256)


@contextlib.contextmanager
def opened(path: Path, connecting: Connect, busy_seconds: float) -> Iterator[sqlite3.Connection]:
    """The database, claimed and up to date, until the end of the block.

    Raises:
        StoreUnavailableError: it cannot be opened; the detail says how to mend it.
    """
    with contextlib.ExitStack() as stack:
        try:
            _require_sqlite()
            _prepare(path)
            stack.enter_context(_claimed(path))
            connection = stack.enter_context(contextlib.closing(connecting(path)))
            _configure(connection, busy_seconds)
            migrate(connection)
            forget_deleted(connection)
        except (OSError, sqlite3.Error) as error:
            raise StoreUnavailableError(f"{path} cannot be opened: {error}") from error
        except StoreUnavailableError as error:
            raise StoreUnavailableError(f"{path} cannot be opened: {error.detail}") from error
        yield connection


def forget_deleted(connection: sqlite3.Connection) -> bool:
    """Write the log that commits go to back into the file and empty it.

    The log still holds the pages as they were before a deletion.

    Returns:
        Whether it is empty now; another process that reads keeps it from that.
    """
    (patience,) = connection.execute("PRAGMA busy_timeout").fetchone()
    connection.execute("PRAGMA busy_timeout = 0")
    try:
        (busy, _, _) = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    finally:
        connection.execute(f"PRAGMA busy_timeout = {patience}")
    return not busy


def _require_sqlite() -> None:
    if sqlite3.sqlite_version_info < _OLDEST_SQLITE:
        raise StoreUnavailableError(
            f"SQLite {sqlite3.sqlite_version} is too old: 3.37 or newer is needed"
        )


def _prepare(path: Path) -> None:
    """Make the file for its owner alone; the files beside it get the same mode from SQLite."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    for file in (path, _lock_path(path)):
        descriptor = os.open(file, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            if os.fstat(descriptor).st_mode & 0o077:
                os.fchmod(descriptor, 0o600)
        finally:
            os.close(descriptor)


@contextlib.contextmanager
def _claimed(path: Path) -> Iterator[None]:
    """Hold the file beside the database, so that no second process ends the first one's runs."""
    with _lock_path(path).open("r+", encoding="ascii") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            owner = file.read().strip() or "unknown"
            raise StoreUnavailableError(
                f"process {owner} uses it: stop that one, or set GATEWAY_STORE to another file"
            ) from None
        file.truncate()
        file.write(str(os.getpid()))
        file.flush()
        yield


def _lock_path(path: Path) -> Path:
    return path.with_name(f"{path.name}.lock")


def _configure(connection: sqlite3.Connection, busy_seconds: float) -> None:
    connection.execute(f"PRAGMA busy_timeout = {round(busy_seconds * 1000)}")
    for pragma in _PRAGMAS:
        connection.execute(pragma)
