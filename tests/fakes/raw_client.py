"""A client that does nothing of its own accord: it sends and reads only what a test says.

Over it tests send what no library would: half a request, a path of 10 kB, a frame that is cut. It
does not read, answer pings or say goodbye unless it is told to.
"""

import asyncio
import base64
import json
import os
import socket
import struct
from collections.abc import Mapping
from typing import Any, Self
from urllib.parse import urlsplit

import attrs

TEXT, BINARY, CLOSE, PING = 1, 2, 8, 9


@attrs.frozen
class Answer:
    """An HTTP answer.

    Args:
        head: the status line and the headers, as they came.
    """

    head: bytes
    body: bytes

    @property
    def status(self) -> int:
        """Of its status line."""
        return int(self.head.split(b" ", 2)[1])

    @property
    def json(self) -> Any:
        """The body, decoded."""
        return json.loads(self.body)


def request(
    method: str, target: str, body: bytes = b"", headers: Mapping[str, str] | None = None
) -> bytes:
    """A whole request; the connection ends with it unless ``headers`` say otherwise."""
    fields = {"Host": "gateway", "Connection": "close", **(headers or {})}
    if body:
        fields = {
            "Content-Type": "application/json",
            "Content-Length": str(len(body)),
            **fields,
        }
    lines = [f"{method} {target} HTTP/1.1", *(f"{k}: {v}" for k, v in fields.items()), "", ""]
    return "\r\n".join(lines).encode("latin-1") + body


def say(tenant: str, message: str, thread_id: str | None = None) -> bytes:
    """A request that asks for a streamed turn."""
    body = json.dumps({"message": message, "thread_id": thread_id}).encode()
    return request("POST", f"/t/{tenant}/chat", body, {"Accept": "text/event-stream"})


async def ask(url: str, sent: bytes) -> Answer:
    """Send bytes to a server and read its answer to the end of the connection."""
    async with RawClient(url) as client:
        await client.send(sent)
        head, _, body = (await client.read_all()).partition(b"\r\n\r\n")
        return Answer(head, body)


class RawClient:
    """A TCP connection: ``async with RawClient(url) as client``.

    Args:
        url: the server's.
        receive_buffer: of the socket in bytes; a small one fills at once.
    """

    def __init__(self, url: str, receive_buffer: int | None = None) -> None:
        parts = urlsplit(url)
        self._address = (parts.hostname, parts.port)
        self._socket = socket.socket()
        self._socket.setblocking(False)
        if receive_buffer is not None:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self._read = b""

    async def __aenter__(self) -> Self:
        await asyncio.get_running_loop().sock_connect(self._socket, self._address)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._socket.close()

    async def send(self, data: bytes) -> None:
        """Send all of it."""
        await asyncio.get_running_loop().sock_sendall(self._socket, data)

    async def take(self, size: int = 65_536) -> bytes:
        """What is there, or comes next; empty at the end, or when the connection was reset."""
        try:
            async with asyncio.timeout(10):
                return await asyncio.get_running_loop().sock_recv(self._socket, size)
        except ConnectionError:
            return b""

    async def read_until(self, mark: bytes) -> bytes:
        """All up to the end of ``mark``."""
        while mark not in self._read:
            if not (piece := await self.take()):
                raise AssertionError(f"it ended before {mark!r}: {self._read[-500:]!r}")
            self._read += piece
        found, mark, self._read = self._read.partition(mark)
        return found + mark

    async def read_exactly(self, size: int) -> bytes:
        """So many bytes."""
        while len(self._read) < size:
            if not (piece := await self.take()):
                raise AssertionError(f"it ended after {self._read!r}")
            self._read += piece
        found, self._read = self._read[:size], self._read[size:]
        return found

    async def read_all(self) -> bytes:
        """To the end of the connection."""
        pieces = [self._read]
        while piece := await self.take():
            pieces.append(piece)
        return b"".join(pieces)

    def vanish(self, *, reset: bool = False) -> None:
        """Go away without a word; with ``reset`` the server's next packet is refused too."""
        if reset:
            linger = struct.pack("ii", 1, 0)
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self._socket.close()


class RawWebSocket(RawClient):
    """A WebSocket whose frames are sent and read one by one.

    Args:
        url: the server's, with ``http``.
        path: that is asked for.
        receive_buffer: see ``RawClient``.
    """

    def __init__(self, url: str, path: str, receive_buffer: int | None = None) -> None:
        super().__init__(url, receive_buffer)
        self._path = path

    async def __aenter__(self) -> Self:
        await super().__aenter__()
        await self.send(upgrade(self._path))
        head = await self.read_until(b"\r\n\r\n")
        assert b" 101 " in head.split(b"\r\n")[0], head
        return self

    async def send_frame(self, payload: bytes, kind: int = TEXT, *, final: bool = True) -> None:
        """One masked frame."""
        await self.send(frame(payload, kind, final=final))

    async def say(self, message: str, thread_id: str | None = None) -> None:
        """A message."""
        await self.send_frame(json.dumps({"message": message, "thread_id": thread_id}).encode())

    async def next_frame(self) -> tuple[int, bytes]:
        """The next frame, whatever it is: its kind and what it carries."""
        first, length = await self.read_exactly(2)
        if length == 126:
            (length,) = struct.unpack("!H", await self.read_exactly(2))
        elif length == 127:
            (length,) = struct.unpack("!Q", await self.read_exactly(8))
        return first & 0x0F, await self.read_exactly(length)

    async def next_event(self) -> Any:
        """The next text frame's JSON; pings are passed over, not answered."""
        kind, payload = await self.next_frame()
        while kind == PING:
            kind, payload = await self.next_frame()
        assert kind == TEXT, (kind, payload)
        return json.loads(payload)

    async def close_code(self) -> int:
        """The code that the server closes with; events before it are passed over."""
        kind, payload = await self.next_frame()
        while kind != CLOSE:
            kind, payload = await self.next_frame()
        return int(struct.unpack("!H", payload[:2])[0])


def upgrade(path: str) -> bytes:
    """The request that asks for a WebSocket."""
    fields = {
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": base64.b64encode(os.urandom(16)).decode(),
    }
    return request("GET", path, headers=fields)


def frame(payload: bytes, kind: int = TEXT, *, final: bool = True) -> bytes:
    """A client's frame (RFC 6455, section 5.2); its mask is zeros, so the payload can be read."""
    size = len(payload)
    if size < 126:
        length = bytes([0x80 | size])
    elif size < 2**16:
        length = bytes([0x80 | 126]) + struct.pack("!H", size)
    else:
        length = bytes([0x80 | 127]) + struct.pack("!Q", size)
    return bytes([kind | (0x80 if final else 0)]) + length + bytes(4) + payload
