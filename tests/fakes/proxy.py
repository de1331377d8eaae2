"""A proxy of HTTP that joins its clients to peers on request."""

import asyncio
from typing import Self


class Proxy:
    """The server: ``async with Proxy() as proxy``.

    Args:
        refusal: answered to every ``CONNECT`` instead of a way through.

    Attributes:
        heads: what clients asked of it, each up to its blank line.
    """

    def __init__(self, refusal: bytes | None = None) -> None:
        self._refusal = refusal
        self._tasks: set[asyncio.Task[None]] = set()
        self.heads: list[str] = []
        self.url = ""

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.url = f"http://user:p%40ss@127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        self.heads.append(head)
        if self._refusal is not None:
            writer.write(self._refusal)
            writer.close()
            return
        port = int(head.split(" ", 2)[1].rpartition(":")[2])
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"HTTP/1.1 200 Connection established\r\nX-Via: fake\r\n\r\n")
        await asyncio.gather(_carry(reader, far_writer), _carry(far_reader, writer))


async def _carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while piece := await reader.read(65_536):
            writer.write(piece)
            await writer.drain()
    except ConnectionError:
        pass
    finally:
        writer.close()
