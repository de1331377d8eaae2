"""A run's frames over Server-Sent Events."""

import asyncio
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from functools import partial
from itertools import starmap

import attrs
from litestar.types import Receive, Scope, Send

from gateway.engines.events import Event
from gateway.http.door.open_connections import End
from gateway.http.entrance import Entrance, entrance, told_of_loss
from gateway.http.ports import StreamMetrics
from gateway.http.problems import error_frame, problem_of
from gateway.http.pulse import Pulse, PulseLimits
from gateway.runs.log import Batch, Reader
from gateway.runs.orchestrator import Joined
from gateway.runs.projections.conversation import ConversationProjection
from gateway.runs.projections.conversation_sse import HEARTBEAT, encode, error_event

_HEADERS = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-cache, no-transform"),
    (b"x-accel-buffering", b"no"),
]
_CHUNK_BYTES = 65_536
_LAST_WORDS_SECONDS = 1.0


@attrs.frozen
class StreamOptions:
    """How this process streams.

    Args:
        retry_ms: what clients are told to wait before they come back.
    """

    pulse: PulseLimits = attrs.field(factory=PulseLimits)
    retry_ms: int = 5000


@attrs.frozen
class Client:
    """Who follows a run.

    Args:
        watching: looks at the client's credential while the stream is open, and ends it by what it
            is given.
        left: told when the stream is over: whether the client was sent the run's end.
    """

    watching: Callable[[End], AbstractContextManager[None]]
    left: Callable[[bool], None]


class EventStream:
    """An ASGI application that sends one run from an event on, to its end.

    Args:
        after: the number of the last event that the client has.
    """

    __slots__ = ("_after", "_client", "_finished", "_joined", "_metrics", "_options", "_stuck")

    def __init__(
        self,
        joined: Joined,
        after: int,
        options: StreamOptions,
        metrics: StreamMetrics,
        client: Client,
    ) -> None:
        self._joined = joined
        self._after = after
        self._options = options
        self._metrics = metrics
        self._client = client
        self._stuck = False
        self._finished = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 - ASGI
        """Send the stream; returns when the run has ended or the client is gone."""
        with (
            Reader(self._joined.log) as reader,
            self._metrics.streaming("sse"),
            self._client.watching(partial(self._end, scope, reader)),
            told_of_loss(scope, reader.stop),
        ):
            try:
                await self._guarded(scope, send, reader)
            finally:
                # A loss is known before the send that it interrupts returns as if all were well.
                whole = self._finished and not entrance(scope).gone
                if not whole or self._joined.log.closed:
                    self._client.left(whole)

    async def _guarded(self, scope: Scope, send: Send, reader: Reader) -> None:
        """Stream, and detach a client that does not read."""
        task: asyncio.Task[object] = asyncio.current_task()  # type: ignore[assignment] # a coroutine that runs has one
        with Pulse(self._options.pulse, reader.wake, partial(self._detach, task)) as pulse:
            try:
                await self._stream(scope, send, reader, pulse)
            except asyncio.CancelledError:
                if not self._stuck:
                    raise
                task.uncancel()
                self._metrics.client_detached()
                entrance(scope).abort()
                # The server has to see the loss before this returns, or it reports a fault of ours.
                await asyncio.sleep(0)

    async def _end(self, scope: Scope, reader: Reader, _: Exception) -> None:
        """End the stream where it is; a client that does not read what is left is cut off."""
        reader.stop()
        asyncio.get_running_loop().call_later(_LAST_WORDS_SECONDS, self._cut, entrance(scope))

    def _cut(self, client: Entrance) -> None:
        if not self._finished:
            client.abort()

    def _detach(self, task: "asyncio.Task[object]") -> None:
        self._stuck = True
        task.cancel()

    async def _stream(self, scope: Scope, send: Send, reader: Reader, pulse: Pulse) -> None:
        projection = ConversationProjection(self._after)
        chunks = self._chunks(projection, reader.take())
        last = next(chunks, b"")
        if last or reader.at_end:  # so that a body follows at once
            entrance(scope).hold_head()
        await send({"type": "http.response.start", "status": 200, "headers": _HEADERS})
        while True:
            # One chunk is made at a time: a backlog may be long, and its reader slow.
            for chunk in chunks:
                if last:
                    await _body(send, pulse, last)
                last = chunk
            del chunks  # nothing of them stays while the stream is silent
            if reader.at_end or pulse.expired:
                break
            if last or pulse.take_heartbeat():
                await _body(send, pulse, last or HEARTBEAT)
            await reader.wait()
            last, chunks = b"", self._chunks(projection, reader.take())
        await _body(send, pulse, last + self._last_words(), more=False)
        self._finished = True

    def _chunks(
        self, projection: ConversationProjection, batches: Iterable[Batch]
    ) -> Iterator[bytes]:
        """What batches show, all in one piece unless it is long.

        A long piece is cut, since a server takes one piece whole, however slow its client is.
        """
        pieces, size = [], 0
        # No name refers to a batch while its frames are sent: that may take long.
        for piece in starmap(partial(self._shown, projection), batches):
            pieces.append(piece)
            size += len(piece)
            if size >= _CHUNK_BYTES:
                chunk, pieces, size = b"".join(pieces), [], 0
                yield chunk
        if size:
            yield b"".join(pieces)

    def _shown(self, projection: ConversationProjection, at: int, events: Sequence[Event]) -> bytes:
        numbered = projection.feed(at, events)
        return encode(self._joined.head.run_id, numbered, self._after, self._options.retry_ms)

    def _last_words(self) -> bytes:
        """What no run event can carry: that the run's end could not be stored."""
        live = self._joined.live
        if live is None or (error := live.ended.error) is None:
            return b""
        return error_event(error_frame(problem_of(error), self._joined.head.correlation_id))


async def _body(send: Send, pulse: Pulse, chunk: bytes, *, more: bool = True) -> None:
    pulse.sending()
    await send({"type": "http.response.body", "body": chunk, "more_body": more})
    pulse.sent()
