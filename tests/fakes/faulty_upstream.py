"""A simulator whose requests can be counted, refused, or answered to nobody."""

import asyncio
import re
from typing import Self

import attrs

from gateway.simulator.app import create_app
from gateway.simulator.playing import Event, Receive, Send
from gateway.simulator.server import Simulator


@attrs.define
class Fault:
    """What becomes of requests.

    Args:
        asked: an expression for ``POST /v1/files`` and the like; others go through.
        status: what they are answered with.
        times: how many of them.
        done: whether the simulator does what was asked all the same.
    """

    asked: str
    status: int = 500
    times: int = 1
    done: bool = False


class FaultyUpstream:
    """A simulator behind faults; an asynchronous context manager.

    Attributes:
        asked: method and path of each request that the simulator has done, oldest first.
        headers: of each of them.
        faults: the first that fits a request is played.
        lives: how many further requests are done before it answers none; None: it lives.
        last_words: whether the answer to the last of them still comes.
        held: an expression for requests that wait, before they are done, for ``release``; they
            are done then, whether or not anybody waits for an answer.
    """

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.headers: list[dict[str, str]] = []
        self.faults: list[Fault] = []
        self.lives: int | None = None
        self.last_words = True
        self.held = ""
        self._holds = asyncio.Event()
        self._held: list[asyncio.Event] = []
        self._released = asyncio.Event()
        self._app = create_app()
        self._simulator = Simulator(self._serve)

    @property
    def base_url(self) -> str:
        """Such as ``http://127.0.0.1:8001/v1``; there once it was entered."""
        return self._simulator.base_url

    def count(self, asked: str) -> int:
        """How many requests were done that fit an expression."""
        return sum(re.fullmatch(asked, each) is not None for each in self.asked)

    async def holds(self) -> None:
        """Wait until a request is held."""
        async with asyncio.timeout(30):
            await self._holds.wait()

    async def release(self) -> None:
        """Let requests go on, and wait until those that are held are done."""
        self._released.set()
        async with asyncio.timeout(30):
            for done in self._held:
                await done.wait()

    async def __aenter__(self) -> Self:
        await self._simulator.__aenter__()
        return self

    async def __aexit__(self, *error: object) -> None:
        await self._simulator.__aexit__(None, None, None)

    async def _serve(self, scope: Event, receive: Receive, send: Send) -> None:
        asked = f"{scope['method']} {scope['path']}"
        if not self.held or not re.fullmatch(self.held, asked):
            await self._do(asked, scope, receive, send)
            return
        done = asyncio.Event()
        self._held.append(done)
        try:
            whole = await _received(receive)
            if whole is not None:
                self._holds.set()
                await self._released.wait()
                await self._do(asked, scope, whole, send)
        finally:
            done.set()

    async def _do(self, asked: str, scope: Event, receive: Receive, send: Send) -> None:
        fault = self._due(asked)
        if fault is None or fault.done:
            self.asked.append(asked)
            self.headers.append({k.decode(): v.decode() for k, v in scope["headers"]})
            await self._app(scope, receive, send if fault is None else _nobody)
        if fault is not None:
            await _refuse(send, fault.status)

    def _due(self, asked: str) -> Fault | None:
        if self.lives is not None:
            self.lives -= 1
            if self.lives < 0:
                return Fault(asked, done=False)
            if self.lives == 0 and not self.last_words:
                return Fault(asked, done=True)
        for fault in self.faults:
            if fault.times and re.fullmatch(fault.asked, asked):
                fault.times -= 1
                return fault
        return None


async def _received(receive: Receive) -> Receive | None:
    """A request's body, kept though its client may go away; None where it went before the end."""
    parts = [await receive()]
    while parts[-1].get("more_body"):
        parts.append(await receive())
    if parts[-1]["type"] == "http.disconnect":
        return None
    kept = iter(parts)

    async def again() -> Event:
        return next(kept, None) or await receive()

    return again


async def _nobody(_: Event) -> None:
    """An answer that gets lost."""


async def _refuse(send: Send, status: int) -> None:
    headers = [(b"content-type", b"application/json"), (b"retry-after-ms", b"1")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    body = b'{"error":{"message":"No luck.","type":"t","param":null,"code":null}}'
    await send({"type": "http.response.body", "body": body})
