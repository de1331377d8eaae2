"""A run's log: batches of events in the order they came, readable from the start by anybody.

A reader holds an index into the log and no queue of its own, so a slow client costs nothing but
its connection and never holds up the run. What a reader is not likely to read again is kept as it
is stored, in less than half the memory.
"""

import asyncio
from collections.abc import Callable, Iterator, Sequence
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


_NEWEST = 3  # what a run that comes at once consists of: its head, its answer, its end
_encoder = msgspec.msgpack.Encoder()
_scratch = bytearray()
_batch = msgspec.msgpack.Decoder(tuple[int, list[bytes]])
_batches = msgspec.msgpack.Decoder(list[msgspec.Raw])


class RunLog:
    """Append-only, in memory while its run lives.

    Args:
        stored: what ``encoded`` gave, of a log that is read again.
    """

    __slots__ = ("__weakref__", "_encoded", "_newest", "_wakers", "closed", "count", "size")

    def __init__(self, stored: bytes | None = None) -> None:
        self._encoded = [] if stored is None else [bytes(raw) for raw in _batches.decode(stored)]
        self._newest: list[Batch] = []
        self._wakers: list[Callable[[], None]] = []
        self.closed = stored is not None
        self.count = 0
        self.size = 0

    def __len__(self) -> int:
        """How many batches there are."""
        return len(self._encoded)

    def append(self, at_ms: int, events: Sequence[Event]) -> None:
        """Add events and wake the readers once."""
        batch = Batch(at_ms, events)
        encoded = _encode(batch)
        self._encoded.append(encoded)
        self._newest = [*self._newest[1 - _NEWEST :], batch]
        self.count += len(events)
        self.size += len(encoded)
        self._wake()

    def batch(self, index: int) -> Batch:
        """One of them; an older one is read anew."""
        place = index - len(self._encoded) + len(self._newest)
        if place >= 0:
            return self._newest[place]
        at_ms, raws = _batch.decode(self._encoded[index])
        return Batch(at_ms, [decode(raw) for raw in raws])

    def since(self, index: int) -> Iterator[Batch]:
        """The batches from that one on that there are now."""
        return map(self.batch, range(index, len(self._encoded)))

    def encoded(self, *more: Batch) -> bytes:
        """All of it as one compact value, and ``more`` behind it."""
        return _encoder.encode([msgspec.Raw(e) for e in (*self._encoded, *map(_encode, more))])

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

    def take(self) -> Iterator[Batch]:
        """The batches since the last call, perhaps none."""
        if self._stopped:
            return iter(())
        first, self._index = self._index, len(self._log)
        return self._log.since(first)

    @property
    def at_end(self) -> bool:
        """Whether nothing is left to take, now or later."""
        return self._stopped or (self._log.closed and self._index == len(self._log))

    async def wait(self) -> None:
        """Until there is more to take, the log ends, or somebody wakes the reader."""
        if self._stopped or self._log.closed or self._index < len(self._log):
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


def _encode(batch: Batch) -> bytes:
    # ``encode`` cuts its bytes from a larger piece, whose rest is of little use to others.
    _encoder.encode_into((batch.at_ms, [event.raw for event in batch.events]), _scratch)
    return bytes(_scratch)
