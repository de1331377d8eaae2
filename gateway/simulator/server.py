"""Serving the simulator: blocking, within a running event loop, or in a process of its own."""

import asyncio
import contextlib
import socket
import subprocess
import sys
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self, cast

import uvicorn

from gateway.simulator.app import App, create_app
from gateway.simulator.errors import NotStartedError

_BACKLOG = 2048
_KEEP_ALIVE_SECONDS = 75
_SHUTDOWN_SECONDS = 1


def run(host: str, port: int, on_ready: Callable[[str], None] | None = None) -> None:
    """Serve until a signal ends the process.

    Args:
        host: the address to bind.
        port: 0 takes a free one.
        on_ready: called with the base URL once connections are taken.
    """
    listener = _listen(host, port)
    if on_ready is not None:
        on_ready(_base_url(listener))
    server = uvicorn.Server(_config(create_app(), log_level="critical"))
    with contextlib.suppress(KeyboardInterrupt):  # uvicorn raises the signal again once it is done
        server.run(sockets=[listener])


def spawn() -> tuple[subprocess.Popen[str], str]:
    """Serve on a free loopback port in a process of its own, which ends when this one does.

    Returns:
        The process, to be ended with ``terminate``, and the simulator's base URL.

    Raises:
        NotStartedError: the process ended instead of listening.
    """
    command = [sys.executable, "-m", "gateway.simulator", "--port", "0", "--until-stdin-closes"]
    # A session of its own: Ctrl-C in a terminal is for the gateway, which drains its runs first.
    process = subprocess.Popen(  # noqa: S603 -- this very interpreter and module
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert process.stdout is not None  # noqa: S101 -- a pipe was asked for
    base_url = process.stdout.readline().strip()
    if not base_url:
        raise NotStartedError(process.wait())
    return process, base_url


class Simulator:
    """A simulator within the running event loop; an asynchronous context manager.

    Args:
        app: serves instead of a new simulator, such as one in a recorder.
        port: 0 takes a free one.

    Attributes:
        base_url: such as ``http://127.0.0.1:8001/v1``; there once it was entered.
    """

    base_url: str

    def __init__(self, app: App | None = None, host: str = "127.0.0.1", port: int = 0) -> None:
        self._address = (host, port)
        self._server = uvicorn.Server(_config(app or create_app()))

    async def __aenter__(self) -> Self:
        """Take connections; uvicorn's main loop, which handles signals, is left out."""
        listener = _listen(*self._address)
        self.base_url = _base_url(listener)
        config = self._server.config
        config.load()
        self._server.lifespan = config.lifespan_class(config)
        await self._server.startup(sockets=[listener])
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close every connection at once, also those that hang by their script."""
        for listening in self._server.servers:
            listening.close()
        for connection in list(self._server.server_state.connections):
            transport = cast("asyncio.Transport | None", connection.transport)
            if transport is not None:
                transport.abort()
        if self._server.server_state.tasks:
            await asyncio.wait(self._server.server_state.tasks)


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.create_server((host, port), family=family, backlog=_BACKLOG)
    # asyncio sets this only on sockets it made itself; without it an answer waits 40 ms for an ACK.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listener


def _base_url(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}/v1" if ":" in host else f"http://{host}:{port}/v1"


def _config(app: App, log_level: str | None = None) -> uvicorn.Config:
    return uvicorn.Config(
        cast("Any", app),
        http="httptools",
        ws="none",
        lifespan="off",
        interface="asgi3",
        access_log=False,
        log_config=None,
        log_level=log_level,
        server_header=False,
        date_header=False,
        proxy_headers=False,
        timeout_keep_alive=_KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=_SHUTDOWN_SECONDS,
        backlog=_BACKLOG,
    )
