"""A conversation with a gateway over HTTP: Server-Sent Events, or JSON."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any, Protocol

import aiohttp
import msgspec

from tenants.cli.chat_errors import (
    ConnectionLostError,
    NotAGatewayError,
    RefusedError,
    UnreachableError,
)
from tenants.cli.chat_turn import ANSWER, Event, Turn

_ATTEMPTS = 6
_FIRST_WAIT_SECONDS = 0.2
# A stream may be silent for longer than any total; its heartbeats show that it lives.
_TIMEOUT = aiohttp.ClientTimeout(total=None, sock_connect=10, sock_read=90)
_STREAM = {"Accept": "text/event-stream"}


class _Started(msgspec.Struct):
    thread_id: str
    initial_message: str


class Conversation(Protocol):
    """One way to hold a conversation."""

    def say(self, turn: Turn) -> AsyncIterator[Event]:
        """Send the turn's message and follow its events to the end, over broken connections too.

        Raises:
            ChatError: there is no answer, or it cannot be followed to its end.
        """
        ...

    async def cancel(self, turn: Turn) -> None:
        """Ask the turn's run to end; its events say when it has."""
        ...


class Gateway:
    """One tenant of a gateway.

    Args:
        session: its headers are sent along.
        url: of the gateway, without a trailing slash.
    """

    def __init__(self, session: aiohttp.ClientSession, url: str, tenant_id: str) -> None:
        self.session = session
        self.address = url
        self.url = f"{url}/t/{tenant_id}"

    async def start(self) -> tuple[str, str]:
        """Start a thread.

        Returns:
            Its id, and how the assistant greets.

        Raises:
            ChatError: it could not be had.
        """
        try:
            async with self.open("POST", "/start") as response:
                body = await response.read()
            started = msgspec.json.decode(body, type=_Started)
        except aiohttp.ClientError:
            raise ConnectionLostError(self.address, None) from None
        except msgspec.DecodeError:
            raise NotAGatewayError(self.address, response.status) from None
        return started.thread_id, started.initial_message

    @asynccontextmanager
    async def open(
        self,
        method: str,
        path: str,
        **request: Any,  # noqa: ANN401 - handed on to aiohttp
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        """Ask, and give the answer if it is a good one.

        Raises:
            UnreachableError: nothing answers at all.
            RefusedError: the gateway says why not.
            NotAGatewayError: something else answers.
            aiohttp.ClientError: the connection broke.
        """
        try:
            response = await self.session.request(
                method, self.url + path, timeout=_TIMEOUT, **request
            )
        except aiohttp.ClientConnectorError:
            raise UnreachableError(self.address) from None
        async with response:
            if not response.ok:
                raise await self._refusal(response)
            yield response

    async def _refusal(self, response: aiohttp.ClientResponse) -> Exception:
        if response.content_type != "application/problem+json":
            return NotAGatewayError(self.address, response.status)
        return RefusedError.of(json.loads(await response.read()))


class JsonConversation:
    """Whole answers: each comes once its run has ended."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway

    def say(self, turn: Turn) -> AsyncIterator[Event]:
        """See ``Conversation.say``; the one event is named ``answer``."""
        return follow(turn, self._events, self._gateway.address)

    async def _events(self, turn: Turn) -> AsyncIterator[Event]:
        async with self._gateway.open("POST", "/chat", **_message(turn, {})) as response:
            yield Event(ANSWER, await response.json())

    async def cancel(self, turn: Turn) -> None:
        """See ``Conversation.cancel``."""
        await cancel(self._gateway, turn)


class SseConversation:
    """Answers as they are made, over Server-Sent Events."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway

    def say(self, turn: Turn) -> AsyncIterator[Event]:
        """See ``Conversation.say``."""
        return follow(turn, self._events, self._gateway.address)

    async def _events(self, turn: Turn) -> AsyncIterator[Event]:
        if turn.run_id is None:
            opened = self._gateway.open("POST", "/chat", **_message(turn, _STREAM))
        else:
            headers = {**_STREAM, "Last-Event-ID": turn.last or ""}
            opened = self._gateway.open("GET", f"/runs/{turn.run_id}/events", headers=headers)
        async with opened as response:
            async for event in read_events(response.content.iter_any()):
                yield event

    async def cancel(self, turn: Turn) -> None:
        """See ``Conversation.cancel``."""
        await cancel(self._gateway, turn)


async def follow(
    turn: Turn, connect: Callable[[Turn], AsyncIterator[Event]], address: str
) -> AsyncIterator[Event]:
    """Give a turn's events to its end, over as many connections as it takes.

    Args:
        turn: notes what its events say.
        connect: gives the events after those that the turn has noted, until its connection ends.
        address: of the gateway, for errors.

    Raises:
        RefusedError: there is no answer.
        ConnectionLostError: it broke too often without anything new.
    """
    failures = 0
    while turn.status is None:
        try:
            async for event in connect(turn):
                failures = 0
                turn.note(event)
                if event.name != "error":
                    yield event
                elif turn.status is None:
                    raise RefusedError.of(event.data)
        except UnreachableError:
            if turn.run_id is None and failures == 0:
                raise
        except (aiohttp.ClientError, TimeoutError, OSError):
            pass  # it is followed again below, until that does not help any more
        if turn.status is None:
            failures += 1
            if failures == _ATTEMPTS:
                raise ConnectionLostError(address, turn.thread_id)
            await asyncio.sleep(_FIRST_WAIT_SECONDS * 2 ** (failures - 1))


async def cancel(gateway: Gateway, turn: Turn) -> None:
    """Ask a turn's run to end; one that has ended already is left alone."""
    if turn.run_id is None:
        turn.run_id = await _run_of(gateway, turn)
    try:
        async with gateway.open("POST", f"/runs/{turn.run_id}/cancel"):
            pass
    except RefusedError as error:
        if error.type != "urn:agw:run-ended":
            raise


async def _run_of(gateway: Gateway, turn: Turn) -> str:
    """The run that a message started: the same key joins it, and its first event names it."""
    async with gateway.open("POST", "/chat", **_message(turn, _STREAM)) as response:
        async for event in read_events(response.content.iter_any()):
            return str(event.data["id"])
    raise ConnectionLostError(gateway.address, turn.thread_id)


def _message(turn: Turn, headers: Mapping[str, str]) -> dict[str, Any]:
    body = {"thread_id": turn.thread_id, "message": turn.message}
    return {"json": body, "headers": {**headers, "Idempotency-Key": turn.key}}


async def read_events(chunks: AsyncIterator[bytes]) -> AsyncIterator[Event]:
    """The events of a stream (WHATWG HTML, section 9.2.6); one that is cut off is none."""
    fields: dict[str, str] = {}
    rest = b""
    async for chunk in chunks:
        *lines, rest = (rest + chunk).split(b"\n")
        for line in lines:
            name, colon, value = line.decode().rstrip("\r").partition(":")
            if name:
                fields[name] = value.removeprefix(" ")
            elif not colon and "data" in fields:
                yield _event(fields)
                fields = {}


def _event(fields: Mapping[str, str]) -> Event:
    """Take an event out of its envelope; ``metadata`` and ``error`` come without one."""
    data = json.loads(fields["data"])
    name = fields.get("event", "message")
    enveloped = "id" in fields and name != "metadata"
    return Event(name, data["data"] if enveloped else data, fields.get("id"))
