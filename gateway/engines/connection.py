"""One HTTP/1.1 connection to an upstream, with one exchange on it at a time."""

import asyncio
import math
import time
from typing import Protocol, cast

import httptools

from gateway.engines.errors import Cause, EngineError
from gateway.engines.exchange import Exchange, Limits

_MOST_HEAD_BYTES = 2**16
_FIRST_FINAL = 200  # below it are heads before the head
_BODILESS = frozenset({204, 304})


class Owner(Protocol):
    """Who keeps connections."""

    def freed(self, connection: "Connection") -> None:
        """An answer is whole, and another request may be sent."""
        ...

    def lost(self, connection: "Connection") -> None:
        """It is closed."""
        ...


class Connection(asyncio.Protocol):
    """Writes requests, reads their answers, and watches the time that they take.

    One timer an exchange, armed again only when it fires: a piece of a body costs no timer.

    Attributes:
        free_since: when another request could be sent, by the monotonic clock.
    """

    __slots__ = (
        "_complete",
        "_exchange",
        "_head_bytes",
        "_headers",
        "_heard",
        "_limits",
        "_owner",
        "_parser",
        "_patience",
        "_renewed",
        "_timer",
        "_transport",
        "_until_closed",
        "free_since",
    )

    def __init__(self, limits: Limits, owner: Owner) -> None:
        self._limits = limits
        self._owner = owner
        self._transport: asyncio.Transport | None = None
        self._parser: httptools.HttpResponseParser | None = httptools.HttpResponseParser(self)
        self._exchange: Exchange | None = None
        self._headers: dict[str, str] = {}
        self._head_bytes = 0
        self._complete = False
        self._until_closed = False
        self._timer: asyncio.TimerHandle | None = None
        self._heard = self._patience = self.free_since = 0.0
        self._renewed = False

    @property
    def usable(self) -> bool:
        """Whether another request may be sent, as far as is known here."""
        return self._transport is not None and not self._transport.is_closing()

    def ask(self, exchange: Exchange, request: bytes, seconds: float) -> None:
        """Send a request.

        Args:
            exchange: takes its answer.
            request: all of it, head and body.
            seconds: what the response head may take.
        """
        self._exchange, self._complete, self._head_bytes = exchange, False, 0
        if self._transport is None:
            self._end(_closed())
            return
        exchange.line = self
        self._watch(seconds)
        self._transport.write(request)

    def drop(self) -> None:
        """See ``gateway.engines.exchange.Line``."""
        self._exchange = None
        self._stop()

    def drain(self, seconds: float) -> None:
        """See ``gateway.engines.exchange.Line``."""
        self.go_on()
        self._watch(seconds)

    def hold(self) -> None:
        """See ``gateway.engines.exchange.Line``."""
        if self._transport is not None:
            self._patience = math.inf
            self._transport.pause_reading()

    def go_on(self) -> None:
        """See ``gateway.engines.exchange.Line``."""
        if self._transport is not None:
            self._heard, self._patience = time.monotonic(), self._limits.idle_seconds
            self._transport.resume_reading()

    def close(self) -> None:
        """Close it; an answer that is under way breaks."""
        self._stop()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See ``asyncio.Protocol``."""
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """See ``asyncio.Protocol``."""
        exchange, parser = self._exchange, self._parser
        if exchange is None or parser is None:
            self._stop()  # nobody asked for it
            return
        if self._renewed:
            self._heard = time.monotonic()
        try:
            parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade):
            self._stop()
            self._end(None if self._complete else _not_http())
            return
        if self._complete:
            self._end(None)
        elif exchange.status or self._is_short(len(data)):
            exchange.wake()
        else:
            self._end(_not_http())

    def connection_lost(self, exc: Exception | None) -> None:
        """See ``asyncio.Protocol``."""
        self._transport = self._parser = None
        self._owner.lost(self)
        self._end(None if self._until_closed and exc is None else exc or _closed())

    def on_message_begin(self) -> None:
        """See ``httptools``; what follows a whole answer is nobody's."""
        self._headers = {}
        if self._complete:
            self._stop()

    def on_header(self, name: bytes, value: bytes) -> None:
        """See ``httptools``."""
        self._headers.setdefault(name.decode("latin-1").lower(), value.decode("latin-1"))

    def on_headers_complete(self) -> None:
        """See ``httptools``."""
        headers, status = self._headers, self._status()
        if status >= _FIRST_FINAL and self._exchange is not None and not self._complete:
            ends = "content-length" in headers or "transfer-encoding" in headers
            self._until_closed = not (ends or status in _BODILESS)
            self._heard, self._patience = time.monotonic(), self._limits.idle_seconds
            self._renewed = True
            self._exchange.begin(status, headers)

    def on_body(self, body: bytes) -> None:
        """See ``httptools``."""
        if self._exchange is not None and not self._complete:
            self._exchange.take(body)

    def on_message_complete(self) -> None:
        """See ``httptools``."""
        if self._parser is not None and self._status() >= _FIRST_FINAL:
            self._complete = True
            if not self._parser.should_keep_alive() or self._is_writing():
                self._stop()

    def _status(self) -> int:
        return 0 if self._parser is None else self._parser.get_status_code()

    def _is_writing(self) -> bool:
        return self._transport is None or self._transport.get_write_buffer_size() > 0

    def _is_short(self, came: int) -> bool:
        """Whether a head that is not whole yet may go on."""
        self._head_bytes += came
        return self._head_bytes <= _MOST_HEAD_BYTES

    def _end(self, error: Exception | None) -> None:
        """The answer is whole, or it will never be."""
        exchange, self._exchange = self._exchange, None
        self._unwatch()
        if error is not None:
            self._stop()
        elif self.usable:
            self.free_since = time.monotonic()
            self._owner.freed(self)
        if exchange is not None and error is None:
            exchange.finish()
        elif exchange is not None and error is not None:
            exchange.fail(error)

    def _stop(self) -> None:
        self._unwatch()
        if self._transport is not None:
            self._transport.abort()

    def _watch(self, seconds: float) -> None:
        """Give what is waited for so long, whatever comes meanwhile."""
        self._unwatch()
        self._heard, self._patience, self._renewed = time.monotonic(), seconds, False
        self._arm(seconds)

    def _arm(self, seconds: float) -> None:
        # Never for longer than a silence: once the head is there, that is what counts.
        seconds = min(seconds, self._limits.idle_seconds)
        self._timer = asyncio.get_running_loop().call_later(seconds, self._look)

    def _unwatch(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _look(self) -> None:
        left = self._heard + self._patience - time.monotonic()
        if left > 0:
            self._arm(left)
        else:
            self._end(TimeoutError("the upstream fell silent"))


def _closed() -> Exception:
    return ConnectionResetError("the upstream closed the connection")


def _not_http() -> Exception:
    return EngineError(Cause.BROKEN, detail="what came is not HTTP/1.1")
