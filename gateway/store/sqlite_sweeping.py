"""What is kept for a time only, dropped a little at a time."""

import sqlite3
from collections.abc import Callable

from gateway.store.sqlite_file import forget_deleted
from gateway.store.sqlite_logs import LOG_SECONDS
from gateway.store.sqlite_runs import KEY_SECONDS

_EVERY_SECONDS = 60
_LOGS_AT_ONCE = 32
_KEYS_AT_ONCE = 500

_TOTAL = "SELECT bytes FROM run_events_total"
_OLDEST = "SELECT number, kept_since, size FROM run_events ORDER BY number LIMIT ?"
_DROP_LOGS = "DELETE FROM run_events WHERE number <= ?"
_DROP_KEYS = """
    DELETE FROM idempotency WHERE (tenant, scope, key) IN (
        SELECT tenant, scope, key FROM idempotency WHERE created_at <= ? LIMIT ?
    )
"""


class Sweeper:
    """Drops expired logs and keys each minute, and the oldest logs beyond what is kept in all.

    Args:
        clock: Unix time in seconds.
        log_budget_bytes: what all logs together may take.
    """

    def __init__(self, clock: Callable[[], float], log_budget_bytes: int) -> None:
        self._clock = clock
        self._log_budget_bytes = log_budget_bytes
        self._due = 0.0
        self._remains = False

    def sweep(self, connection: sqlite3.Connection) -> None:
        """Drop what is due; a long queue of it is left to the next calls."""
        if self._remains:
            self.forget(connection)
        now = self._clock()
        (total,) = connection.execute(_TOTAL).fetchone()
        excess = total - self._log_budget_bytes
        if excess <= 0 and 0 < self._due - now <= _EVERY_SECONDS:
            return
        connection.execute("BEGIN IMMEDIATE")
        more = _drop_logs(connection, int(now) - LOG_SECONDS, excess)
        keys = connection.execute(_DROP_KEYS, (int(now) - KEY_SECONDS, _KEYS_AT_ONCE)).rowcount
        connection.execute("COMMIT")
        self._due = now if more or keys == _KEYS_AT_ONCE else now + _EVERY_SECONDS

    def forget(self, connection: sqlite3.Connection) -> None:
        """Leave nothing of deleted rows in the log of commits, now or as soon as nobody reads."""
        self._remains = not forget_deleted(connection)


def _drop_logs(connection: sqlite3.Connection, expired: int, excess: int) -> bool:
    """Drop the oldest logs that have expired or are too many.

    Returns:
        Whether there may be more of them.
    """
    rows = connection.execute(_OLDEST, (_LOGS_AT_ONCE,)).fetchall()
    last = None
    for number, kept_since, size in rows:
        if kept_since > expired and excess <= 0:
            break
        last = number
        excess -= size
    if last is None:
        return False
    connection.execute(_DROP_LOGS, (last,))
    return bool(last == rows[-1][0])
