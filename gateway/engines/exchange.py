"""A response, from its head on."""

import asyncio
from collections.abc import Mapping

import aiohttp
import attrs

from gateway.engines.errors import Cause, EngineError
from gateway.engines.failures import failure_of_body

_MOST_REFUSAL_BYTES = 2**16
_SUCCESS = 2  # the first digit of a status


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
        body_bytes: of an unstreamed answer.
        connections: at the same time; 0 is no bound, since admission bounds the runs.
        keepalive_seconds: how long a connection waits for its next request.
    """

    connect_seconds: float = 5
    stream_head_seconds: float = 60
    whole_head_seconds: float = 120
    idle_seconds: float = 60
    release_seconds: float = 2
    refusal_seconds: float = 5
    body_bytes: int = 32 * 1024 * 1024
    connections: int = 0
    keepalive_seconds: float = 30


@attrs.define
class Exchange:
    """A response whose head has come."""

    _response: aiohttp.ClientResponse
    _limits: Limits
    _closed: bool = attrs.field(init=False, default=False)
    _failure: EngineError | None = attrs.field(init=False, default=None)

    def __attrs_post_init__(self) -> None:
        self._limit_silence()

    @property
    def status(self) -> int:
        """The HTTP status."""
        return self._response.status

    @property
    def is_success(self) -> bool:
        """Whether the status is 2xx."""
        return self._response.status // 100 == _SUCCESS

    @property
    def headers(self) -> Mapping[str, str]:
        """The response's headers, by name in any case."""
        return self._response.headers

    async def read(self) -> bytes:
        """All that has arrived, or what arrives next; empty at the end.

        Raises:
            EngineError: the body broke or fell silent. What came before was returned first.
        """
        if self._failure is not None:
            raise self._failure
        try:
            return await self._response.content.readany()
        except (aiohttp.ClientError, OSError) as error:
            if self._closed:
                return b""
            self._failure = failure_of_body(error)
        # aiohttp forgets what had arrived when the failure overtakes the reader.
        left = self._response.content._read_nowait(-1)  # noqa: SLF001 - there is no public way
        self.close()
        return left or await self.read()

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
        if self._response.closed or self._closed:
            return
        self._closed = True
        loop = asyncio.get_running_loop()
        timer = loop.call_later(self._limits.release_seconds, self._response.close)
        self._response.content.on_eof(timer.cancel)

    def close(self) -> None:
        """Let go of the connection now, unless it was released."""
        if not self._closed:
            self._closed = True
            self._response.close()

    def _limit_silence(self) -> None:
        """From here on the idle limit counts, not the head's."""
        connection = self._response.connection
        if connection is not None and connection.protocol is not None:
            connection.protocol.read_timeout = self._limits.idle_seconds
            connection.protocol.start_timeout()
