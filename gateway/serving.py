"""The HTTP server: uvicorn as the gateway needs it."""

import asyncio
import gc
import socket
import sys
from collections.abc import Callable
from typing import Any

import uvicorn
from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from gateway.app import Gateway
from gateway.http.entrance import ON_LOSS
from gateway.http.wire import MAX_BODY_BYTES

# Long enough for a slow network, short enough that dead clients do not pile up.
_UNACKNOWLEDGED_MS = 60_000
_BACKLOG = 2048
# The store's thread gives the interpreter's lock away at each statement; at the default of 5 ms
# a busy event loop gives it back so late that a commit takes longer than a turn.
_SWITCH_SECONDS = 0.0005
_YOUNG_OBJECTS = 10_000
_PING_SECONDS = 20
_LONGEST_HEAD_BYTES = 64 * 1024
_HEAD_TOO_LONG = STATUS_LINE[431] + b"content-length: 0\r\nconnection: close\r\n\r\n"


def server_config(app: Gateway, *, host: str, port: int) -> uvicorn.Config:
    """How uvicorn serves the gateway.

    Pings keep proxies from closing idle WebSockets, but a client that does not answer them is not
    closed for it: a terminal client blocks while its user types.
    """
    proxies = [str(network) for network in app.settings.trusted_proxies]
    return uvicorn.Config(
        app,
        host=host,
        port=port,
        loop="uvloop",
        http=HttpProtocol,
        ws=WebSocketProtocol,
        ws_max_size=MAX_BODY_BYTES,
        ws_ping_interval=_PING_SECONDS,
        ws_ping_timeout=None,
        ws_per_message_deflate=False,
        interface="asgi3",
        lifespan="on",
        log_config=None,
        # Its lines below this hold whole URLs, with the tokens in their queries.
        log_level="warning",
        access_log=False,
        server_header=False,
        proxy_headers=bool(proxies),
        forwarded_allow_ips=proxies,
        backlog=_BACKLOG,
        timeout_graceful_shutdown=5,
    )


class HttpProtocol(HttpToolsProtocol):
    """Bounds the head of a request, and the trailers behind its body; uvicorn keeps all of it.

    Besides, it tells streams that their client is gone, which otherwise takes each a task that
    waits for it, and holds less while they are open.
    """

    _pending_bytes = 0  # that are no whole head and no piece of a body so far

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as uvicorn has it
        """See uvicorn."""
        super().connection_made(transport)
        self.flow = Flow(transport)
        self.pipeline = Pipeline()  # type: ignore[assignment] # it is as much of a deque as is used
        self._on_loss: list[Callable[[], None]] = []

    def connection_lost(self, exc: Exception | None) -> None:
        """See uvicorn."""
        super().connection_lost(exc)
        for tell in tuple(self._on_loss):
            tell()

    def on_message_begin(self) -> None:
        """See uvicorn."""
        super().on_message_begin()
        self.scope[ON_LOSS] = self._on_loss  # type: ignore[literal-required] # ours

    def data_received(self, data: bytes) -> None:
        """See uvicorn."""
        self._pending_bytes += len(data)
        super().data_received(data)
        if self._pending_bytes > _LONGEST_HEAD_BYTES and not self.transport.is_closing():
            self.transport.write(_HEAD_TOO_LONG)
            self.transport.close()

    def on_headers_complete(self) -> None:
        """See uvicorn."""
        self._pending_bytes = 0
        before = self.cycle
        super().on_headers_complete()
        # An upgrade has no cycle of its own, and the answer to a HEAD no body to wait for.
        if self.cycle is not before and self.scope["method"] != "HEAD":
            self.cycle.transport = Answering(self.transport)  # type: ignore[assignment] # as much of one as a cycle uses

    def on_body(self, body: bytes) -> None:
        """See uvicorn."""
        self._pending_bytes = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        """See uvicorn."""
        self._pending_bytes = 0
        super().on_message_complete()


class Answering:
    """The transport of one answer, whose head may wait for its body.

    uvicorn writes a head as soon as it has one, and uvloop makes each write a call of the system.
    """

    __slots__ = ("_head", "_holding", "_transport")

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._head = b""
        self._holding = False

    def hold_head(self) -> None:
        """Have the next write wait for the one after it, or for the end."""
        self._holding = True

    def write(self, data: bytes) -> None:
        """See ``asyncio.WriteTransport``."""
        head, self._head = self._head, b""
        if self._holding:
            self._holding, self._head = False, head + data
        else:
            self._transport.write(head + data)

    def is_closing(self) -> bool:
        """See ``asyncio.BaseTransport``."""
        return self._transport.is_closing()

    def close(self) -> None:
        """See ``asyncio.BaseTransport``."""
        if self._head:
            self.write(b"")
        self._transport.close()

    def abort(self) -> None:
        """See ``asyncio.WriteTransport``."""
        self._transport.abort()


class Flow(FlowControl):
    """Has an event only while a client does not read: one takes 0.7 KB."""

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self.read_paused = self.write_paused = False

    def pause_writing(self) -> None:
        """See uvicorn."""
        if not self.write_paused:
            self._is_writable_event = asyncio.Event()
        super().pause_writing()


class Pipeline(list[Any]):
    """Requests that came before their predecessor was answered: none, and a deque takes 0.7 KB."""

    def appendleft(self, request: object) -> None:
        """As of a deque."""
        self.insert(0, request)


class WebSocketProtocol(WebSocketsSansIOProtocol):
    """Answers an upgrade that cannot be read, too long a path or header; uvicorn leaves it open."""

    def data_received(self, data: bytes) -> None:
        """See uvicorn."""
        super().data_received(data)
        if self.conn.handshake_exc is not None and not self.handshake_initiated:
            self.handshake_complete = True
            self.transport.write(b"".join(self.conn.data_to_send()))
            self.transport.close()


class Server(uvicorn.Server):
    """Lets runs come to their end before connections are closed.

    Args:
        gateway: what it serves.
        grace_seconds: how long runs may go on once the process was told to stop.
    """

    def __init__(self, config: uvicorn.Config, gateway: Gateway, grace_seconds: float) -> None:
        super().__init__(config)
        self._gateway = gateway
        self._grace_seconds = grace_seconds

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """See uvicorn; besides, the kernel gives up on clients that take nothing for a minute."""
        await super().startup(sockets)
        _tune()
        for server in self.servers:
            for listening in server.sockets:
                listening.setsockopt(
                    socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, _UNACKNOWLEDGED_MS
                )

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """See uvicorn; before it closes connections, their runs are waited for."""
        await self._gateway.drain(self._grace_seconds)
        await super().shutdown(sockets)


def _tune() -> None:
    """Set what the whole interpreter shares, once everything that lasts is in memory.

    What is there by now is never garbage, so that collections need not look at it again.
    """
    sys.setswitchinterval(_SWITCH_SECONDS)
    gc.collect()
    gc.freeze()
    gc.set_threshold(_YOUNG_OBJECTS, 20, 50)
