"""The connections of a transport, and those among them that wait for a request."""

import asyncio
import time

from gateway.engines.connection import Connection
from gateway.engines.exchange import Limits


class Pool:
    """Connections by the place that they lead to.

    Args:
        limits: of every connection.
    """

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._open: dict[Connection, str] = {}
        self._free: dict[str, list[Connection]] = {}
        self._sweeping: asyncio.TimerHandle | None = None
        self._closed = False

    @property
    def free(self) -> int:
        """How many wait for a request."""
        return sum(map(len, self._free.values()))

    def make(self, place: str) -> Connection:
        """A connection that is yet to be made."""
        connection = Connection(self._limits, self)
        self._open[connection] = place
        return connection

    def take(self, place: str) -> Connection | None:
        """The connection that waits for the shortest time, if there is one."""
        waiting = self._free.get(place)
        while waiting:
            connection = waiting.pop()
            if connection.usable:
                return connection
        return None

    def freed(self, connection: Connection) -> None:
        """See ``gateway.engines.connection.Owner``."""
        place = self._open.get(connection)
        if place is None or self._closed:
            connection.close()
            return
        self._free.setdefault(place, []).append(connection)
        if self._sweeping is None:
            self._arm()

    def lost(self, connection: Connection) -> None:
        """See ``gateway.engines.connection.Owner``."""
        place = self._open.pop(connection, None)
        waiting = self._free.get(place or "", [])
        if connection in waiting:
            waiting.remove(connection)

    def close(self) -> None:
        """Close them all."""
        self._closed = True
        if self._sweeping is not None:
            self._sweeping.cancel()
        for connection in list(self._open):
            connection.close()

    def _arm(self) -> None:
        seconds = self._limits.keepalive_seconds
        self._sweeping = asyncio.get_running_loop().call_later(seconds, self._sweep)

    def _sweep(self) -> None:
        """Close those that have waited too long."""
        self._sweeping = None
        since = time.monotonic() - self._limits.keepalive_seconds
        for place, waiting in list(self._free.items()):
            for connection in waiting:
                if connection.free_since <= since:
                    connection.close()
            kept = [connection for connection in waiting if connection.usable]
            if kept:
                self._free[place] = kept
            else:
                del self._free[place]
        if self._free:
            self._arm()
