"""The simulator as a test's upstream: it answers, and remembers what it was asked.

Use it as an asynchronous context manager::

    async with RecordingSimulator() as upstream:
        ...  # upstream.base_url, upstream.requests
"""

import asyncio
from typing import Any, Self

import attrs
import msgspec

from gateway.simulator.app import create_app
from gateway.simulator.playing import Event, Receive, Send
from gateway.simulator.server import Simulator


@attrs.define(eq=False)
class Recorded:
    """One request that the upstream got.

    Args:
        headers: by lower-case name.
        body: as it came.
        abandoned: whether the client went away before the answer was whole.
        done: set once the upstream is through with it.
    """

    method: str
    path: str
    headers: dict[str, str]
    body: bytes = b""
    abandoned: bool = False
    done: asyncio.Event = attrs.Factory(asyncio.Event)

    @property
    def json(self) -> Any:
        """The body, decoded."""
        return msgspec.json.decode(self.body)


class RecordingSimulator:
    """A simulator on a free loopback port that keeps every request.

    Attributes:
        app: the simulator itself, without the recorder.
        requests: in the order of their arrival.
    """

    def __init__(self) -> None:
        self.requests: list[Recorded] = []
        self._arrived = asyncio.Condition()
        self.app = create_app()
        self._simulator = Simulator(self._record)

    @property
    def base_url(self) -> str:
        """Such as ``http://127.0.0.1:8001/v1``; there once it was entered."""
        return self._simulator.base_url

    async def __aenter__(self) -> Self:
        await self._simulator.__aenter__()
        return self

    async def __aexit__(self, *error: object) -> None:
        await self._simulator.__aexit__(None, None, None)

    async def arrived(self, count: int) -> Recorded:
        """Wait for so many requests, and return the newest of them; at most ten seconds."""
        async with asyncio.timeout(10), self._arrived:
            await self._arrived.wait_for(lambda: len(self.requests) >= count)
        return self.requests[count - 1]

    async def _record(self, scope: Event, receive: Receive, send: Send) -> None:
        headers = {name.decode(): value.decode("latin-1") for name, value in scope["headers"]}
        recorded = Recorded(scope["method"], scope["path"], headers)
        whole = False

        async def recording_receive() -> Event:
            event = await receive()
            if event["type"] == "http.disconnect":
                recorded.abandoned = not whole
                return event
            recorded.body += event.get("body", b"")
            if not event.get("more_body"):
                await self._note(recorded)
            return event

        async def recording_send(event: Event) -> None:
            nonlocal whole
            await send(event)
            whole = event["type"] == "http.response.body" and not event.get("more_body", False)

        try:
            await self.app(scope, recording_receive, recording_send)
        finally:
            recorded.done.set()

    async def _note(self, recorded: Recorded) -> None:
        async with self._arrived:
            if recorded not in self.requests:
                self.requests.append(recorded)
            self._arrived.notify_all()
