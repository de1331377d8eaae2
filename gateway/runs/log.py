"""A run's log: batches of events in the order they came, readable from the start by anybody.

A reader holds an index into the log and no queue of its own, so a slow client costs nothing but
its connection and never holds up the run.
"""

import asyncio
from collections.abc import Callable, Sequence
from typing import NamedTuple, Self

import msgspec

from gateway.engines.events import Event, decode


class Batch(NamedTuple):
    """Events that came together.

    Args:
        at_ms: Unix time in milliseconds.
    """

    at_ms: int
    events: Sequence[Event]


class RunLog:
    """Append-only, in memory while its run lives."""

    __slots__ = ("__weakref__", "_wakers", "batches", "closed", "count", "size")

    def __init__(self) -> None:
        self.batches: list[Batch] = []
        self.closed = False
        self.count = 0
        self.size = 0
        self._wakers: list[Callable[[], None]] = []

    def append(self, at_ms: int, events: Sequence[Event]) -> None:
        """Add events and wake the readers once."""
        self.batches.append(Batch(at_ms, events))
        self.count += len(events)
        self.size += sum(len(event.raw) for event in events)
        self._wake()

    def close(self) -> None:
        """Say that nothing follows."""
        self.closed = True
        self._wake()

    def watch(self, waker: Callable[[], None]) -> None:
        """Call ``waker`` at every change, until it is unwatched."""
        self._wakers.append(waker)

    def unwatch(self, waker: Callable[[], None]) -> None:
        """Call it no more."""
        self._wakers.remove(waker)

    def _wake(self) -> None:
        for waker in self._wakers:
            waker()


class Reader:
    """One reader's place in a log.

    Used as a context manager, so that the log forgets it::

        with Reader(log) as reader:
            while not reader.at_end:
                for batch in reader.take():
                    ...
                await reader.wait()
    """

    __slots__ = ("_index", "_log", "_stopped", "_waiter")

    def __init__(self, log: RunLog) -> None:
        self._log = log
        self._index = 0
        self._stopped = False
        self._waiter: asyncio.Future[None] | None = None

    def __enter__(self) -> Self:
        self._log.watch(self.wake)
        return self

    def __exit__(self, *_: object) -> None:
        self._log.unwatch(self.wake)

    def take(self) -> list[Batch]:
        """The batches since the last call, perhaps none."""
        if self._stopped:
            return []
        batches = self._log.batches[self._index :]
        self._index += len(batches)
        return batches

    @property
    def at_end(self) -> bool:
        """Whether nothing is left to take, now or later."""
        return self._stopped or (self._log.closed and self._index == len(self._log.batches))

    async def wait(self) -> None:
        """Until there is more to take, the log ends, or somebody wakes the reader."""
        if self._stopped or self._log.closed or self._index < len(self._log.batches):
            return
        self._waiter = asyncio.get_running_loop().create_future()
        await self._waiter

    def wake(self) -> None:
        """Make ``wait`` return."""
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def stop(self) -> None:
        """End the reading, whatever the log does."""
        self._stopped = True
        self.wake()


_Stored = list[tuple[int, list[bytes]]]
_decoder = msgspec.msgpack.Decoder(_Stored)


def encode(batches: Sequence[Batch]) -> bytes:
    """A log as one compact value."""
    return msgspec.msgpack.encode([(at, [event.raw for event in events]) for at, events in batches])


def decode_log(stored: bytes) -> list[Batch]:
    """What ``encode`` was given."""
    return [Batch(at, [decode(raw) for raw in raws]) for at, raws in _decoder.decode(stored)]
