"""SQLite's errors as ours: one table."""

import sqlite3

from gateway.store.errors import DuplicateError, StoreUnavailableError

_UNIQUE = {sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY, sqlite3.SQLITE_CONSTRAINT_UNIQUE}
_KINDS = {"threads": "thread", "runs": "run", "items": "item"}


def translated(error: Exception) -> Exception:
    """What a caller is told of ``error``; itself where it is nothing of SQLite's.

    A full disk, a lock that is not let go, a failing or damaged file make the store unavailable; a
    second row of one id is a duplicate; the rest are faults of this program and stay as they are.
    """
    if isinstance(error, sqlite3.IntegrityError):
        return _duplicate(error) or error
    if type(error) in (sqlite3.OperationalError, sqlite3.DatabaseError):
        name = getattr(error, "sqlite_errorname", None) or "SQLite"
        return StoreUnavailableError(f"{name}: {error}")
    return error


def _duplicate(error: sqlite3.IntegrityError) -> DuplicateError | None:
    if error.sqlite_errorcode not in _UNIQUE:
        return None
    table = str(error).rpartition(": ")[2].partition(".")[0]
    kind = _KINDS.get(table)
    return None if kind is None else DuplicateError(kind)
