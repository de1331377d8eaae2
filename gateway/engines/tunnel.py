"""A way through a proxy to a peer that speaks TLS (RFC 9110, 9.3.6)."""

import asyncio
import re
from typing import cast

from gateway.engines.errors import Cause, EngineError

_MOST_HEAD_BYTES = 2**16
_GRANTED = re.compile(rb"HTTP/1\.[01] 2\d\d[ \r]")


class Tunnel(asyncio.Protocol):
    """A connection to a proxy until the proxy has answered a ``CONNECT``."""

    def __init__(self) -> None:
        self._answer = bytearray()
        self._whole: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._transport: asyncio.Transport | None = None

    async def through(self, request: bytes) -> asyncio.Transport:
        """Ask for the way.

        Raises:
            EngineError: the proxy refuses.
            OSError: the connection broke.
        """
        transport = self._transport
        if transport is None:
            raise ConnectionResetError("the proxy closed the connection")
        transport.write(request)
        await self._whole
        if _GRANTED.match(self._answer) is None:
            status = bytes(self._answer[:40]).partition(b"\r\n")[0].decode("latin-1")
            detail = f"the proxy refused: {status}"
            raise EngineError(Cause.UNAVAILABLE, detail=detail, retryable=True)
        return transport

    def close(self) -> None:
        """Give the way up."""
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See ``asyncio.Protocol``."""
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """See ``asyncio.Protocol``; the peer says nothing before it was spoken to."""
        self._answer += data
        ended = b"\r\n\r\n" in self._answer or len(self._answer) > _MOST_HEAD_BYTES
        if ended and not self._whole.done():
            self._whole.set_result(None)

    def connection_lost(self, exc: Exception | None) -> None:
        """See ``asyncio.Protocol``."""
        self._transport = None
        if not self._whole.done():
            self._whole.set_exception(exc or ConnectionResetError("the proxy went away"))
