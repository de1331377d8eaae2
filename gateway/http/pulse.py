"""The clock of one open stream: heartbeats, its longest life, and clients that do not read.

One timer a stream, armed again only when it fires: an event on a stream costs no timer.
"""

import asyncio
import time
from collections.abc import Callable
from typing import Self

import attrs


@attrs.frozen
class PulseLimits:
    """How long a stream may be silent, live, and be stuck in one send."""

    heartbeat_seconds: float = 15.0
    life_seconds: float = 3600.0
    stuck_seconds: float = 30.0


class Pulse:
    """Watches one stream while it is open.

    Args:
        wake: called when the stream has something to do: a heartbeat is due, or its time is up.
        detach: called when its client has not read for too long.
    """

    __slots__ = ("_detach", "_due", "_last", "_limits", "_opened", "_sending", "_timer", "_wake")

    def __init__(
        self, limits: PulseLimits, wake: Callable[[], None], detach: Callable[[], object]
    ) -> None:
        self._limits = limits
        self._wake = wake
        self._detach = detach
        self._opened = self._last = time.monotonic()
        self._sending = False
        self._due = False
        self._timer: asyncio.TimerHandle | None = None

    def __enter__(self) -> Self:
        self._arm()
        return self

    def __exit__(self, *_: object) -> None:
        if self._timer is not None:
            self._timer.cancel()

    @property
    def expired(self) -> bool:
        """Whether the stream has lived as long as it may."""
        return time.monotonic() - self._opened >= self._limits.life_seconds

    def take_heartbeat(self) -> bool:
        """Whether a heartbeat is due now."""
        due, self._due = self._due, False
        return due

    def sending(self) -> None:
        """A send begins."""
        self._sending = True
        self._last = time.monotonic()

    def sent(self) -> None:
        """The send is done."""
        self._sending = False
        self._last = time.monotonic()

    def _arm(self) -> None:
        self._timer = asyncio.get_running_loop().call_later(self._beat(), self._fire)

    def _beat(self) -> float:
        """Until the next thing that may be due, whether a send begins meanwhile or not."""
        limits = self._limits
        due = self._last + limits.heartbeat_seconds - time.monotonic()
        return min(limits.stuck_seconds, due if due > 0 else limits.heartbeat_seconds)

    def _fire(self) -> None:
        silent = time.monotonic() - self._last
        if self._sending and silent >= self._limits.stuck_seconds:
            self._detach()
            return
        if not self._sending and silent >= self._limits.heartbeat_seconds:
            self._due = True
            self._wake()
        self._arm()
