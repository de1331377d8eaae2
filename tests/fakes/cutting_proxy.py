"""A TCP proxy that drops connections in mid-answer."""

import asyncio
import contextlib
from typing import Self


class CuttingProxy:
    """Passes bytes between clients and one server, until it is told to cut.

    Used as an asynchronous context manager.

    Args:
        port: the server's, on the loopback address.

    Attributes:
        url: where it listens.
        connections: how many came.
    """

    def __init__(self, port: int) -> None:
        self._port = port
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.Task[None]] = set()
        self.connections = 0
        self.url = ""

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        return self

    async def __aexit__(self, *error: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Drop every connection, and take no more."""
        assert self._server is not None
        self._server.close()
        await self.cut()

    async def cut(self) -> None:
        """Drop every open connection at once, without a word."""
        tasks = [*self._open]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _serve(self, client: asyncio.StreamReader, answer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._open.add(task)
        self.connections += 1
        try:
            server, request = await asyncio.open_connection("127.0.0.1", self._port)
            try:
                await asyncio.gather(_pump(client, request), _pump(server, answer))
            finally:
                request.transport.abort()
        except asyncio.CancelledError:
            return  # it was told to cut
        finally:
            answer.transport.abort()
            self._open.discard(task)


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Pass on what comes, then the end of it."""
    with contextlib.suppress(ConnectionError):
        while piece := await reader.read(65_536):
            writer.write(piece)
            await writer.drain()
        writer.write_eof()
