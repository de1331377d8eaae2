"""A request's answer: its connection writes it, an engine reads it."""

import asyncio
import zlib
from collections.abc import Callable, Mapping
from typing import Protocol

import attrs

from gateway.engines.errors import Cause, EngineError
from gateway.engines.failures import failure_of_body, failure_to_answer

_MOST_REFUSAL_BYTES = 2**16
_MOST_UNREAD_BYTES = 2**18
_SUCCESS = 2  # the first digit of a status
_ZLIB_OR_GZIP = zlib.MAX_WBITS | 32  # told by the data's own head
_INFLATED = frozenset({"gzip", "x-gzip", "deflate"})


@attrs.frozen
class Limits:
    """What an upstream may take.

    Args:
        connect_seconds: for a connection: name, TCP and TLS.
        stream_head_seconds: from the request to the response head of a stream.
        whole_head_seconds: the same of an unstreamed answer, whose head comes once it is made.
        idle_seconds: between two pieces of a body.
        release_seconds: how long a body may go on after all that mattered of it has come.
        refusal_seconds: for the body of an error.
        body_bytes: of an unstreamed answer, and of what one piece of a packed one unpacks to.
        keepalive_seconds: how long a connection waits for its next request.
    """

    connect_seconds: float = 5
    stream_head_seconds: float = 60
    whole_head_seconds: float = 120
    idle_seconds: float = 60
    release_seconds: float = 2
    refusal_seconds: float = 5
    body_bytes: int = 32 * 1024 * 1024
    keepalive_seconds: float = 30


class Line(Protocol):
    """The connection of an exchange, while it has one."""

    def drop(self) -> None:
        """Close it: the rest of the answer is not wanted."""
        ...

    def drain(self, seconds: float) -> None:
        """Keep it for others if the rest of the answer comes so soon."""
        ...

    def hold(self) -> None:
        """Take nothing more from it."""
        ...

    def go_on(self) -> None:
        """Take from it again."""
        ...


class Exchange:
    """One answer.

    Attributes:
        line: None once its last byte has come, and once nobody wants it.
        status: the HTTP status; 0 before the head.
        headers: by lower-case name; the first one where it repeats.
    """

    __slots__ = (
        "_ended",
        "_failure",
        "_inflate",
        "_limits",
        "_pieces",
        "_unread",
        "_waiter",
        "headers",
        "line",
        "status",
    )

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self.line: Line | None = None
        self.status = 0
        self.headers: Mapping[str, str] = {}
        self._pieces: list[bytes] = []
        self._unread = 0
        self._inflate: Callable[[bytes, int], bytes] | None = None
        self._ended = False
        self._failure: Exception | None = None
        self._waiter: asyncio.Future[None] | None = None

    @property
    def is_success(self) -> bool:
        """Whether the status is 2xx."""
        return self.status // 100 == _SUCCESS

    async def head(self) -> None:
        """Wait for the response head.

        Raises:
            EngineError: it does not come.
        """
        while not self.status:
            if self._failure is not None:
                raise failure_to_answer(self._failure)
            self._waiter = asyncio.get_running_loop().create_future()
            await self._waiter

    async def read(self) -> bytes:
        """All that has arrived, or what arrives next; empty at the end.

        Raises:
            EngineError: the body broke or fell silent. What came before was returned first.
        """
        while not self._pieces:
            if self._ended:
                return b""
            if self._failure is not None:
                raise failure_of_body(self._failure)
            self._waiter = asyncio.get_running_loop().create_future()
            await self._waiter
        return self.arrived()

    def arrived(self) -> bytes:
        """All that has arrived; empty where nothing has."""
        pieces, self._pieces = self._pieces, []
        if self._unread > _MOST_UNREAD_BYTES and self.line is not None:
            self.line.go_on()
        self._unread = 0
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    async def read_whole(self) -> bytes:
        """The body to its end.

        Raises:
            EngineError: it broke, fell silent or is larger than ``body_bytes``.
        """
        pieces = []
        size = 0
        while piece := await self.read():
            pieces.append(piece)
            size += len(piece)
            if size > self._limits.body_bytes:
                self.close()
                raise EngineError(Cause.BROKEN, self.status, detail=f"more than {size} bytes")
        return b"".join(pieces)

    async def read_refusal(self) -> bytes:
        """As much of an error's body as comes soon; then the connection is let go of."""
        pieces = []
        size = 0
        try:
            async with asyncio.timeout(self._limits.refusal_seconds):
                while size < _MOST_REFUSAL_BYTES and (piece := await self.read()):
                    pieces.append(piece)
                    size += len(piece)
        except (EngineError, TimeoutError):
            pass  # the status says enough
        finally:
            self.close()
        return b"".join(pieces)

    def release(self) -> None:
        """Nothing more is wanted: once the body ends, its connection serves other requests."""
        line = self.line
        self.finish()
        if line is not None:
            line.drain(self._limits.release_seconds)

    def close(self) -> None:
        """Let go of the connection now, unless its answer is over."""
        line = self.line
        self.finish()
        if line is not None:
            self._pieces.clear()
            line.drop()

    def begin(self, status: int, headers: Mapping[str, str]) -> None:
        """The head has come."""
        self.status, self.headers = status, headers
        if headers.get("content-encoding", "").lower() in _INFLATED:
            self._inflate = zlib.decompressobj(_ZLIB_OR_GZIP).decompress

    def take(self, piece: bytes) -> None:
        """A piece of the body has come.

        Raises:
            zlib.error: it does not unpack.
        """
        if self._ended:
            return
        if self._inflate is not None:
            most = self._limits.body_bytes
            piece = self._inflate(piece, most)
            if len(piece) == most:
                raise zlib.error("too much in one piece")
        if piece:
            self._pieces.append(piece)
            self._unread += len(piece)
            if self._unread > _MOST_UNREAD_BYTES and self.line is not None:
                self.line.hold()

    def finish(self) -> None:
        """The last byte has come, or nobody wants it any more."""
        self._ended, self.line = True, None
        self.wake()

    def fail(self, error: Exception) -> None:
        """No more will come, and something is missing."""
        self._failure, self.line = error, None
        self.wake()

    def wake(self) -> None:
        """Whoever waits looks again."""
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)
