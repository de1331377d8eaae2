"""The logs of ended runs, packed to fit."""

import sqlite3
import zlib

import attrs

from gateway.store.errors import NotFoundError
from gateway.store.sqlite_threads import REACHED, reach
from tenants.context import TenantContext

RUN_BYTES = 256 * 1024
LOG_SECONDS = 3600

_ADD = """
    INSERT INTO run_events (run, kept_since, deflated, size, log) VALUES (?, ?, ?, ?, ?)
"""
_LOG = f"""
    SELECT log, deflated FROM runs JOIN threads ON threads.number = runs.thread
    LEFT JOIN run_events ON run_events.run = runs.number AND kept_since > ?
    WHERE {REACHED} AND runs.tenant = ? AND runs.id = ?
"""  # noqa: S608 - the text is a constant of this module


@attrs.frozen
class Log:
    """A run's log as it is kept."""

    packed: bytes
    deflated: bool = False

    def unpacked(self) -> bytes:
        """The log as it was given."""
        return zlib.decompress(self.packed) if self.deflated else self.packed


def deflate(events: bytes) -> Log | None:
    """Compress a log that is larger than what is kept, or None where it stays larger."""
    packed = zlib.compress(events, level=1)
    return Log(packed, deflated=True) if len(packed) <= RUN_BYTES else None


def add_log(connection: sqlite3.Connection, run: int, log: Log, now: int) -> None:
    """Keep the log of the run of that number for an hour from ``now`` on."""
    connection.execute(_ADD, (run, now, log.deflated, len(log.packed), log.packed))


def run_log(
    connection: sqlite3.Connection, tenant: TenantContext, run_id: str, now: int
) -> Log | None:
    """A run's log while it is kept.

    Raises:
        NotFoundError: there is no such run within reach.
    """
    row = connection.execute(
        _LOG, (now - LOG_SECONDS, *reach(tenant), tenant.tenant_id, run_id)
    ).fetchone()
    if row is None:
        raise NotFoundError("run", run_id)
    return None if row[0] is None else Log(row[0], bool(row[1]))
