"""A client's connection: raw requests out, checked answers in, as little work as can be."""

import asyncio
import time
from typing import cast

import attrs
import httptools

from bench.checking import fault
from bench.jobs import Answer


@attrs.frozen
class Outcome:
    """One answer.

    Args:
        first_seconds: until the first byte of its body.
        whole_seconds: until its end.
        fault: what is wrong with it.
    """

    first_seconds: float
    whole_seconds: float
    fault: str | None = None


class Connection(asyncio.Protocol):
    """One connection, with one request on it at a time.

    Args:
        answer: what each answer should be.
    """

    def __init__(self, answer: Answer) -> None:
        self._answer = answer
        self._transport: asyncio.Transport | None = None
        self._waiter: asyncio.Future[Outcome] | None = None
        self._begin(0.0)

    async def ask(self, request: bytes) -> Outcome:
        """Send a request and wait for the end of its answer."""
        if self._transport is None:
            return Outcome(0.0, 0.0, "the connection is closed")
        self._waiter = asyncio.get_running_loop().create_future()
        self._begin(time.perf_counter())
        self._transport.write(request)
        return await self._waiter

    @property
    def usable(self) -> bool:
        """Whether another request may be sent on it."""
        return self._transport is not None and not self._transport.is_closing()

    def close(self) -> None:
        """Let go of it."""
        if self._transport is not None:
            self._transport.close()

    def _begin(self, now: float) -> None:
        self._asked = now
        self._first = 0.0
        self._parts: list[bytes] = []
        self._parser = httptools.HttpResponseParser(self)

    def _finish(self, problem: str | None) -> None:
        waiter, self._waiter = self._waiter, None
        if waiter is not None and not waiter.done():
            whole = time.perf_counter() - self._asked
            waiter.set_result(Outcome(self._first, whole, problem))

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Remember where to write."""
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Take what came."""
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError as error:
            self._finish(f"not HTTP: {error}")
            self.close()

    def connection_lost(self, exc: Exception | None) -> None:
        """End a waiting request."""
        self._transport = None
        self._finish(f"the connection was lost: {exc or 'closed by the server'}")

    def on_body(self, body: bytes) -> None:
        """A part of the body, from the parser."""
        if not self._first:
            self._first = time.perf_counter() - self._asked
        self._parts.append(body)

    def on_message_complete(self) -> None:
        """The end of the answer, from the parser."""
        status = self._parser.get_status_code()
        stays = self._parser.should_keep_alive()
        self._finish(fault(self._answer, status, b"".join(self._parts)))
        if not stays:
            self.close()
