"""A scriptable upstream: a real HTTP server on a port of its own that can misbehave to the byte.

Each request takes the next reply of the script, then the ``usual`` one. A reply says what is
written and how it ends, so a test can cut in mid-character, stall, reset or send garbage.
"""

import asyncio
import contextlib
import enum
import json
import socket
import ssl
import struct
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any, Self

import attrs


class Ending(enum.Enum):
    """What happens once the parts of a reply are written."""

    CLEAN = "clean"  # the body ends as it should; the connection serves the next request
    CUT = "cut"  # the connection closes
    RESET = "reset"  # the connection closes with a TCP reset
    STALL = "stall"  # nothing more comes until the client goes away


@attrs.frozen
class Request:
    """One request as it came.

    Args:
        headers: by lower-case name.
        connection: which connection it came over, counted from 0.
    """

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes
    connection: int

    @property
    def json(self) -> Any:
        """The body, decoded."""
        return json.loads(self.body)


@attrs.frozen
class Reply:
    """What is sent for one request.

    Args:
        head: the status line and headers as they go out, with the blank line; may be garbage.
        parts: written and flushed one by one; an ``asyncio.Event`` holds the rest back until set.
        chunked: whether each part goes out as an HTTP chunk.
    """

    head: bytes
    parts: tuple[bytes | asyncio.Event, ...] = ()
    ending: Ending = Ending.CLEAN
    chunked: bool = False


def head(status: int = 200, headers: Mapping[str, str] | None = None) -> bytes:
    """A response head."""
    lines = [f"HTTP/1.1 {status} Scripted", *(f"{k}: {v}" for k, v in (headers or {}).items())]
    return "\r\n".join([*lines, "", ""]).encode()


def json_reply(body: object, status: int = 200, headers: Mapping[str, str] | None = None) -> Reply:
    """A whole JSON answer; ``body`` may be bytes that are JSON already, or not JSON at all."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    fields = {"content-type": "application/json", "content-length": str(len(raw))}
    return Reply(head(status, fields | dict(headers or {})), (raw,))


def error_reply(
    status: int,
    code: str | None = None,
    headers: Mapping[str, str] | None = None,
    message: str = "scripted",
) -> Reply:
    """An error in OpenAI's form."""
    error = {"message": message, "type": "invalid_request_error", "param": None, "code": code}
    return json_reply({"error": error}, status, headers)


def stream_reply(
    *parts: bytes | asyncio.Event,
    ending: Ending = Ending.CLEAN,
    headers: Mapping[str, str] | None = None,
) -> Reply:
    """A stream of server-sent events, each part one HTTP chunk."""
    fields = {"content-type": "text/event-stream; charset=utf-8", "transfer-encoding": "chunked"}
    return Reply(head(200, fields | dict(headers or {})), parts, ending, chunked=True)


def whole_stream_reply(stream: bytes) -> Reply:
    """A stream that leaves in one write with its response head, and is over."""
    fields = {"content-type": "text/event-stream", "content-length": str(len(stream))}
    return Reply(head(200, fields) + stream)


def raw_reply(*parts: bytes | asyncio.Event, ending: Ending = Ending.CUT) -> Reply:
    """Bytes as they are, response head and all."""
    return Reply(b"", parts, ending)


def sse(*events: Mapping[str, Any]) -> bytes:
    """Frame Responses events as OpenAI does."""
    return b"".join(
        f"event: {event['type']}\ndata: {json.dumps(event, ensure_ascii=False)}\n\n".encode()
        for event in events
    )


def response(status: str, **fields: Any) -> dict[str, Any]:
    """A response object, small but whole enough."""
    usage = {"input_tokens": 3, "output_tokens": 2, "total_tokens": 5}
    fixed = {"id": "resp_1", "object": "response", "created_at": 1, "model": "gpt-6-luna"}
    ended = status not in {"queued", "in_progress"}
    return {**fixed, "status": status, "output": [], "usage": usage if ended else None, **fields}


def text_stream(*deltas: str) -> bytes:
    """A whole stream in which the assistant says ``deltas``."""
    part = {"type": "output_text", "text": "".join(deltas), "annotations": []}
    item = {"id": "msg_1", "type": "message", "role": "assistant", "status": "completed"}
    place = {"item_id": "msg_1", "output_index": 0, "content_index": 0}
    events: list[dict[str, Any]] = [
        {"type": "response.created", "response": response("in_progress")},
        {"type": "response.output_item.added", "output_index": 0, "item": {**item, "content": []}},
        {"type": "response.content_part.added", **place, "part": {**part, "text": ""}},
        *({"type": "response.output_text.delta", **place, "delta": delta} for delta in deltas),
        {"type": "response.output_text.done", **place, "text": part["text"]},
        {"type": "response.content_part.done", **place, "part": part},
        {
            "type": "response.output_item.done",
            "output_index": 0,
            "item": {**item, "content": [part]},
        },
        {
            "type": "response.completed",
            "response": response("completed", output=[{**item, "content": [part]}]),
        },
    ]
    return sse(*({**event, "sequence_number": n} for n, event in enumerate(events)))


def text_answer(text: str) -> Reply:
    """An unstreamed answer in which the assistant says ``text``."""
    part = {"type": "output_text", "text": text, "annotations": []}
    item = {"id": "msg_1", "type": "message", "role": "assistant", "status": "completed"}
    return json_reply(response("completed", output=[{**item, "content": [part]}]))


def closed_port() -> int:
    """A port of this machine on which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


class Upstream:
    """The server: ``async with Upstream() as upstream``.

    Args:
        usual: the reply once the script has run out.
        tls: with it the server speaks https.
    """

    def __init__(self, usual: Reply | None = None, tls: ssl.SSLContext | None = None) -> None:
        self._tls = tls
        self.usual = usual or error_reply(500, "script_has_run_out")
        self.requests: list[Request] = []
        self.connections = 0
        self.open_connections = 0
        self.base_url = ""
        self._script: deque[Reply] = deque()
        self._tasks: set[asyncio.Task[None]] = set()
        self._changed = asyncio.Condition()

    def script(self, *replies: Reply) -> None:
        """Add replies, one for each request to come."""
        self._script.extend(replies)

    async def until(self, holds: Callable[[Self], bool], timeout_seconds: float = 5) -> None:
        """Wait until ``holds`` of this server."""
        async with asyncio.timeout(timeout_seconds), self._changed:
            await self._changed.wait_for(lambda: holds(self))

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=self._tls)
        port = self._server.sockets[0].getsockname()[1]
        self.base_url = f"{'https' if self._tls else 'http'}://127.0.0.1:{port}/v1"
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
        number = self.connections
        await self._count(opened=1)
        try:
            with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
                while await self._exchange(reader, writer, number):
                    pass
        except asyncio.CancelledError:
            pass  # the server stops; the streams' own callback would report the cancellation
        finally:
            writer.close()
            with contextlib.suppress(ConnectionError, asyncio.CancelledError):
                await writer.wait_closed()
            await self._count(opened=-1)

    async def _count(self, opened: int) -> None:
        async with self._changed:
            self.connections += opened > 0
            self.open_connections += opened
            self._changed.notify_all()

    async def _exchange(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, number: int
    ) -> bool:
        request = await _read_request(reader, number)
        async with self._changed:
            self.requests.append(request)
            reply = self._script.popleft() if self._script else self.usual
            self._changed.notify_all()
        await _write_reply(writer, reply)
        return await _end(reader, writer, reply)


async def _read_request(reader: asyncio.StreamReader, number: int) -> Request:
    raw = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    first, *lines = raw.split("\r\n")
    method, target, _ = first.split(" ")
    pairs = (line.partition(":") for line in lines if line)
    headers = {name.lower(): value.strip() for name, _, value in pairs}
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    return Request(method, target, headers, body, number)


async def _write_reply(writer: asyncio.StreamWriter, reply: Reply) -> None:
    writer.write(reply.head)
    await writer.drain()
    for part in reply.parts:
        if isinstance(part, asyncio.Event):
            await part.wait()
            continue
        writer.write(b"%x\r\n%s\r\n" % (len(part), part) if reply.chunked else part)
        await writer.drain()


async def _end(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, reply: Reply) -> bool:
    """Do as the ending says; whether the connection serves another request."""
    if reply.ending is Ending.STALL:
        await reader.read(1)
    elif reply.ending is Ending.RESET:
        linger = struct.pack("ii", 1, 0)
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        writer.transport.abort()
    elif reply.ending is Ending.CLEAN and reply.chunked:
        writer.write(b"0\r\n\r\n")
        await writer.drain()
    return reply.ending is Ending.CLEAN
