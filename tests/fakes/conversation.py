"""A client of the conversation routes that keeps every byte it reads."""

import contextlib
import json
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import attrs

EVENTS = {"Accept": "text/event-stream"}


@attrs.frozen
class Sent:
    """One event of a stream.

    Args:
        id: None where the event carries none.
        raw: its block of bytes without the blank line.
    """

    id: str | None
    name: str
    data: Any
    raw: bytes

    @property
    def number(self) -> int:
        """What its id counts."""
        return int((self.id or "").rpartition("-")[2])

    @property
    def object(self) -> Any:
        """Its object, without the envelope."""
        return self.data["data"]


def parse(block: bytes) -> Sent:
    """One event from its lines."""
    fields: dict[str, str] = {}
    for line in block.decode().split("\n"):
        if not line.startswith(":"):
            name, _, value = line.partition(": ")
            assert name not in fields, block
            fields[name] = value
    return Sent(fields.get("id"), fields["event"], json.loads(fields["data"]), block)


def parse_all(body: bytes) -> list[Sent]:
    """A whole stream."""
    return [parse(block) for block in body.split(b"\n\n") if block]


def text_of(events: list[Sent]) -> str:
    """What the deltas say, joined."""
    return "".join(
        part["text"]["value"]
        for event in events
        if event.name == "thread.message.delta"
        for part in event.object["delta"]["content"]
        if part["type"] == "text"
    )


@attrs.frozen
class Talker:
    """Talks to one tenant of a gateway."""

    session: aiohttp.ClientSession
    tenant: str | None = "acme"

    def path(self, path: str) -> str:
        """Below the tenant's prefix."""
        return path if self.tenant is None else f"/t/{self.tenant}{path}"

    async def ask(self, method: str, path: str, **options: Any) -> tuple[int, Any]:
        """One request: status and JSON."""
        async with self.session.request(method, self.path(path), **options) as answer:
            body = await answer.read()
            return answer.status, json.loads(body) if body else None

    async def say(self, message: str, thread_id: str | None = None, **options: Any) -> Any:
        """A turn over JSON that is answered with 200."""
        body = {"message": message, "thread_id": thread_id}
        status, answer = await self.ask("POST", "/chat", json=body, **options)
        assert status == 200, answer
        return answer

    async def stream(self, message: str, thread_id: str | None = None) -> list[Sent]:
        """A turn over SSE, to its end."""
        async with self.open(message, thread_id) as answer:
            return parse_all(await answer.read())

    @contextlib.asynccontextmanager
    async def open(
        self, message: str, thread_id: str | None = None, **headers: str
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        """A turn over SSE, not read yet."""
        body = {"message": message, "thread_id": thread_id}
        headers = EVENTS | headers
        async with self.session.post(self.path("/chat"), json=body, headers=headers) as answer:
            assert answer.status == 200, await answer.text()
            yield answer

    async def events(self, run_id: str, after: str | None = None) -> bytes:
        """A run's events after one of them."""
        headers = {} if after is None else {"Last-Event-ID": after}
        path = self.path(f"/runs/{run_id}/events")
        async with self.session.get(path, headers=headers) as answer:
            assert answer.status in {200, 204}, await answer.text()
            return await answer.read()


async def next_event(answer: aiohttp.ClientResponse) -> Sent:
    """The next event of an open stream."""
    block = b""
    while not block.endswith(b"\n\n"):
        block = (block + await answer.content.readuntil(b"\n")).removeprefix(b": keepalive\n")
    return parse(block[:-2])
