"""A Google Cloud Storage of one's own: a real HTTP server on port 0 that can misbehave.

It keeps generations and preconditions as the service does, counts what it is asked, and answers as
scripted: a test says which requests go wrong, and how.
"""

import asyncio
import contextlib
import enum
import socket
import ssl
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from http import HTTPStatus
from typing import Any

import attrs

from tests.fakes.gcs_objects import Condition, RefusedError
from tests.fakes.gcs_routes import Answer, Asked, Routes, refused

BUCKET = "tenants"
_DONE = (HTTPStatus.OK, HTTPStatus.NO_CONTENT)
_REASONS = {403: "forbidden", 404: "notFound", 412: "conditionNotMet", 429: "rateLimitExceeded"}


class Ending(enum.Enum):
    """How an answer leaves the server."""

    WHOLE = "whole"
    HALF = "half"  # half of the body, then the connection closes
    FLIPPED = "flipped"  # a body that is not what its checksum says
    DRIPPING = "dripping"  # the body comes byte by byte, two in a hundredth of a second
    CLOSED = "closed"  # the connection closes without a byte
    SILENT = "silent"  # nothing ever comes


@attrs.frozen
class Fault:
    """What goes wrong with a request.

    Args:
        status: it is refused with this; None: it is done.
        headers: of the refusal.
        ending: how its answer leaves.
        after_seconds: when its answer leaves.
    """

    status: int | None = None
    headers: Mapping[str, str] = attrs.field(factory=dict)
    ending: Ending = Ending.WHOLE
    after_seconds: float = 0.0


def refusal(status: int, retry_after: str | None = None) -> Fault:
    """It is refused."""
    return Fault(status, {"retry-after": retry_after} if retry_after else {})


HALF_BODY = Fault(ending=Ending.HALF)
FLIPPED_BODY = Fault(ending=Ending.FLIPPED)
DRIPPING_BODY = Fault(ending=Ending.DRIPPING)
LOST_ANSWER = Fault(ending=Ending.CLOSED)
"""What was asked is done, and nobody is told."""
CLOSED = Fault(HTTPStatus.SERVICE_UNAVAILABLE, ending=Ending.CLOSED)
"""Nothing is done, and nobody is told."""
SILENT = Fault(HTTPStatus.SERVICE_UNAVAILABLE, ending=Ending.SILENT)


@attrs.define
class _Scripted:
    fault: Fault
    times: float
    kind: str | None
    name: str | None

    def takes(self, asked: Asked) -> bool:
        """Whether this request goes wrong."""
        return (
            self.times > 0
            and self.kind in (None, asked.kind)
            and (self.name is None or asked.name.endswith(self.name))
        )


class FakeGcs:
    """Cloud Storage with one bucket, or those that are named.

    Args:
        write_interval_seconds: an object that is written again within it answers 429, as the
            service does at about one write a second.
        tls: what it serves over.

    Attributes:
        counts: requests by kind: ``read``, ``changed`` (a conditional read), ``facts`` (metadata),
            ``list``, ``write``, ``session`` (begins a resumable upload), ``delete``, ``bucket``.
        asked: kind, name and status of each request, oldest first.
    """

    def __init__(
        self,
        *buckets: str,
        write_interval_seconds: float = 0.0,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.counts: Counter[str] = Counter()
        self.asked: list[tuple[str, str, int]] = []
        self.url = ""
        self._routes = Routes(buckets or (BUCKET,))
        self._tls = tls
        self._interval = write_interval_seconds
        self._written: dict[str, float] = {}
        self._script: list[_Scripted] = []
        self._writes_left = float("inf")
        self._loop = asyncio.new_event_loop()
        self._connections: set[asyncio.Transport] = set()

    @property
    def environ(self) -> dict[str, str]:
        """The environment that sends a client here."""
        return {"STORAGE_EMULATOR_HOST": self.url}

    def fail(
        self,
        fault: Fault,
        *,
        times: float = 1,
        kind: str | None = None,
        name: str | None = None,
    ) -> None:
        """Let the next requests go wrong.

        Args:
            fault: what goes wrong with them.
            times: how many; ``inf`` is for ever.
            kind: only those of this kind.
            name: only those for an object whose name ends with it.
        """
        self._script.append(_Scripted(fault, times, kind, name))

    def fail_after_writes(self, writes: int) -> None:
        """Close every connection without a word once so many more writes and deletions are done."""
        self._writes_left = writes

    def heal(self) -> None:
        """Let nothing go wrong from now on."""
        self._script.clear()
        self._writes_left = float("inf")

    def fill(
        self,
        *names: str,
        bucket: str = BUCKET,
        content: bytes = b"",
        facts: Mapping[str, Any] | None = None,
    ) -> None:
        """Put objects there, by their whole names, without a request each.

        Args:
            names: of the objects.
            bucket: where they are put.
            content: of each.
            facts: what their metadata say beside, such as ``contentEncoding``.
        """
        for name in names:
            self._routes.buckets[bucket].put(name, content, facts or {}, Condition())

    def start(self) -> None:
        """Serve on a thread of its own."""
        ready = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(ready,), daemon=True)
        self._thread.start()
        ready.wait()

    def stop(self) -> None:
        """Close every connection and end."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    def serve(self, asked: Asked) -> tuple[Answer, Fault]:
        """Do what is asked, or what the script says instead."""
        answer, fault = self._outcome(asked)
        self.counts[asked.kind] += 1
        self.asked.append((asked.kind, asked.name, answer.status))
        if asked.kind in ("write", "delete") and answer.status in _DONE:
            self._writes_left -= 1
        return answer, fault

    def _outcome(self, asked: Asked) -> tuple[Answer, Fault]:
        fault = self._fault_of(asked)
        if fault.status is not None:
            failed = RefusedError(fault.status, _REASONS.get(fault.status, "scripted"), "scripted")
            answer = refused(failed, as_text=asked.kind in ("read", "changed"))
            return attrs.evolve(answer, headers={**answer.headers, **fault.headers}), fault
        return self._routes.answer(asked), fault

    def _fault_of(self, asked: Asked) -> Fault:
        for scripted in self._script:
            if scripted.takes(asked):
                scripted.times -= 1
                return scripted.fault
        if self._writes_left <= 0:
            return CLOSED
        return refusal(429) if asked.kind == "write" and self._too_soon(asked.name) else Fault()

    def _too_soon(self, name: str) -> bool:
        now = time.monotonic()
        if now - self._written.get(name, -self._interval) < self._interval:
            return True
        self._written[name] = now
        return False

    def _run(self, ready: threading.Event) -> None:
        asyncio.set_event_loop(self._loop)
        listener = socket.create_server(("127.0.0.1", 0), backlog=256)
        self.url = f"http{'s' if self._tls else ''}://127.0.0.1:{listener.getsockname()[1]}"
        server = self._loop.run_until_complete(
            self._loop.create_server(
                lambda: _Connection(self, self._connections), sock=listener, ssl=self._tls
            )
        )
        self._loop.call_soon(ready.set)
        self._loop.run_forever()
        self._loop.remove_reader(listener)  # A server that is closed loses what it just accepted.
        for _ in range(10):  # What was accepted last becomes a connection in a few steps.
            for connection in self._connections:
                connection.abort()
            self._loop.run_until_complete(asyncio.sleep(0))
        server.close()
        self._loop.close()


class _Connection(asyncio.Protocol):
    """One connection: requests one after the other."""

    def __init__(self, gcs: FakeGcs, connections: set[asyncio.Transport]) -> None:
        self._gcs = gcs
        self._connections = connections
        self._buffer = bytearray()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._connections.add(transport)

    def connection_lost(self, _: Exception | None) -> None:
        self._connections.discard(self._transport)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while (asked := self._next()) is not None:
            answer, fault = self._gcs.serve(asked)
            if fault.after_seconds:
                loop = asyncio.get_running_loop()
                loop.call_later(fault.after_seconds, self._send, answer, fault.ending)
            else:
                self._send(answer, fault.ending)

    def _next(self) -> Asked | None:
        """The next request, once it is whole."""
        begin = self._buffer.find(b"\r\n\r\n") + 4
        if begin < 4:
            return None
        first, *lines = self._buffer[: begin - 4].decode("latin-1").split("\r\n")
        pairs = (line.partition(":") for line in lines)
        headers = {name.lower(): value.strip() for name, _, value in pairs}
        end = begin + int(headers.get("content-length", 0))
        if len(self._buffer) < end:
            return None
        body = bytes(self._buffer[begin:end])
        del self._buffer[:end]
        method, target, _ = first.split(" ")
        return Asked.of(method, target, headers, body)

    def _send(self, answer: Answer, ending: Ending) -> None:
        if ending is Ending.SILENT:
            return
        head, body = _head(answer), answer.body
        if ending is Ending.WHOLE:
            self._transport.write(head + body)
        elif ending is Ending.FLIPPED:
            self._transport.write(head + bytes([body[0] ^ 1]) + body[1:])
        elif ending is Ending.DRIPPING:
            self._transport.write(head)
            self._drip(body)
        else:
            self._transport.write(head + body[: len(body) // 2] if ending is Ending.HALF else b"")
            self._transport.close()

    def _drip(self, body: bytes) -> None:
        if body and not self._transport.is_closing():
            self._transport.write(body[:1])
            asyncio.get_running_loop().call_later(0.005, self._drip, body[1:])


def _head(answer: Answer) -> bytes:
    lines = [f"HTTP/1.1 {answer.status} {HTTPStatus(answer.status).phrase}"]
    lines += [f"{name}: {value}" for name, value in answer.headers.items()]
    if answer.status not in (HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED):
        lines.append(f"content-length: {len(answer.body)}")
    return "\r\n".join([*lines, "", ""]).encode("latin-1")


@contextlib.contextmanager
def fake_gcs(
    *buckets: str, write_interval_seconds: float = 0.0, tls: ssl.SSLContext | None = None
) -> Iterator[FakeGcs]:
    """A Cloud Storage for as long as the block lasts; arguments as of ``FakeGcs``."""
    gcs = FakeGcs(*buckets, write_interval_seconds=write_interval_seconds, tls=tls)
    gcs.start()
    try:
        yield gcs
    finally:
        gcs.stop()


if __name__ == "__main__":  # A process of its own, for measuring; it ends with its standard input.
    with fake_gcs(*sys.argv[1:]) as served:
        sys.stdout.write(f"{served.url}\n")
        sys.stdout.flush()
        sys.stdin.read()
