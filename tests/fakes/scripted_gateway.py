"""A gateway before an upstream that plays a script, and the answers that scripts need."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import attrs

from tests.fakes.conversation import Talker
from tests.fakes.gateway import RunningGateway, serving
from tests.fakes.two_tenants import WEATHER, two_tenants
from tests.fakes.upstream import Reply, Upstream, response, sse, stream_reply, text_stream

_QUIET = (
    b"agw_runs_active 0.0",
    b'agw_open_streams{surface="sse"} 0.0',
    b'agw_open_streams{surface="websocket"} 0.0',
)


@attrs.frozen
class ScriptedGateway:
    """A gateway, its upstream, and a client of its first tenant."""

    gateway: RunningGateway
    upstream: Upstream
    acme: Talker

    @property
    def url(self) -> str:
        """The gateway's."""
        return self.gateway.url

    def counts(self, *lines: bytes) -> bool:
        """Whether the metrics have these lines."""
        metrics = self.gateway.app.metrics.render().split(b"\n")
        return all(line in metrics for line in lines)

    async def until(self, *lines: bytes) -> None:
        """Wait until the metrics have these lines."""
        async with asyncio.timeout(20):
            while not self.counts(*lines):
                # Requests of a test's own give everything else its turn.
                await self.acme.ask("GET", "/")

    async def quiet(self) -> None:
        """Wait until no run works and no stream is open."""
        await self.until(*_QUIET)

    async def thread(self) -> str:
        """A new thread's id."""
        return str((await self.acme.ask("GET", "/start"))[1]["thread_id"])

    async def stored(self, thread_id: str) -> tuple[str, str]:
        """What the thread's newest message says, and the state of the run that said it."""
        _, page = await self.acme.ask("GET", f"/threads/{thread_id}/messages")
        newest = page["data"][0]
        _, run = await self.acme.ask("GET", f"/runs/{newest['run_id']}")
        return newest["content"][0]["text"]["value"], run["status"]


@contextlib.asynccontextmanager
async def scripted_gateway(
    folder: Path, tools: str = WEATHER, environ: dict[str, str] | None = None, **bounds: Any
) -> AsyncIterator[ScriptedGateway]:
    """Serve before a scripted upstream; see ``serving`` for the bounds."""
    async with Upstream() as upstream:
        variables = two_tenants(folder, upstream.base_url, tools) | (environ or {})
        async with (
            serving(variables, **bounds) as gateway,
            aiohttp.ClientSession(gateway.url) as session,
        ):
            yield ScriptedGateway(gateway, upstream, Talker(session))


@attrs.frozen
class GatedStream:
    """A streamed answer that comes event by event, each when the test lets it.

    Args:
        gates: one before each event; the response head comes at once.
    """

    gates: tuple[asyncio.Event, ...]
    reply: Reply

    @classmethod
    def of(cls, *deltas: str) -> "GatedStream":
        """An answer in these deltas: created, item, part, deltas, their three ends, completed."""
        events = [event + b"\n\n" for event in text_stream(*deltas).split(b"\n\n") if event]
        gates = tuple(asyncio.Event() for _ in events)
        parts = [part for pair in zip(gates, events, strict=True) for part in pair]
        return cls(gates, stream_reply(*parts))

    def let(self, count: int | None = None) -> None:
        """Let the first ``count`` events pass; None: all of them."""
        for gate in self.gates[:count]:
            gate.set()


def call_reply(name: str, arguments: dict[str, Any] | None = None) -> Reply:
    """A streamed answer that calls one function."""
    return stream_reply(call_stream(name, arguments))


def call_stream(name: str, arguments: dict[str, Any] | None = None) -> bytes:
    """The stream of such an answer."""
    item = {
        "id": "fc_1",
        "type": "function_call",
        "status": "completed",
        "call_id": "call_1",
        "name": name,
        "arguments": json.dumps(arguments or {}),
    }
    events = [
        {"type": "response.created", "response": response("in_progress")},
        {
            "type": "response.output_item.added",
            "output_index": 0,
            "item": {**item, "arguments": "", "status": "in_progress"},
        },
        {"type": "response.output_item.done", "output_index": 0, "item": item},
        {"type": "response.completed", "response": response("completed", output=[item])},
    ]
    return sse(*({**each, "sequence_number": n} for n, each in enumerate(events)))
