"""The gateway's end of the socket to a worker: numbers calls and tells their answers apart."""

import asyncio
import itertools
from collections.abc import Callable
from contextvars import Context
from typing import Any, cast

import structlog

from gateway.tools.errors import FrameError, WorkerDiedError, WorkerUnavailableError
from gateway.tools.frames import (
    LONGEST_REPORT_BYTES,
    Alive,
    Call,
    Cancel,
    Command,
    Done,
    Frames,
    Missing,
    Ping,
    Report,
    frame,
)
from gateway.tools.jobs import Job, Outcome

# Only a worker that does not read lets this much pile up.
_MOST_UNREAD_BYTES = 16 * 2**20

_log = structlog.get_logger(__name__)


class Connection(asyncio.Protocol):
    """One worker, as far as a socket tells of it.

    Args:
        on_lost: called once nothing more can come.

    Attributes:
        opened: done with the worker's first word.
        lost: done once nothing more can come.
        greeted: whether the worker ever said anything.
        heard_at: when the worker last said anything, by the event loop's clock.
    """

    def __init__(self, on_lost: Callable[[], None]) -> None:
        loop = asyncio.get_running_loop()
        self.opened: asyncio.Future[None] = loop.create_future()
        self.lost: asyncio.Future[None] = loop.create_future()
        self.greeted = False
        self.heard_at = loop.time()
        self._loop = loop
        self._on_lost = on_lost
        self._transport: asyncio.WriteTransport | None = None
        self._frames: Frames[Report] = Frames(Report, LONGEST_REPORT_BYTES)
        self._numbers = itertools.count(1)
        self._waiting: dict[int, asyncio.Future[Outcome | None]] = {}

    @property
    def calls(self) -> int:
        """How many calls the worker has."""
        return len(self._waiting)

    async def ask(self, job: Job) -> Outcome | None:
        """Have a job run; cancelling this cancels it.

        Returns:
            None where the worker needs the module's source.

        Raises:
            WorkerDiedError: the worker ended before it answered.
            WorkerUnavailableError: it does not read what it was sent.
        """
        number = next(self._numbers)
        answer: asyncio.Future[Outcome | None] = self._loop.create_future()
        self._waiting[number] = answer
        try:
            self._refuse_if_full()
            self._send(Call(number, job))
            return await answer
        except asyncio.CancelledError:
            if not self.lost.done():
                self._send(Cancel(number))
            raise
        finally:
            del self._waiting[number]

    def ping(self) -> None:
        """Make the worker say something, if it can."""
        self._send(Ping())

    def abort(self) -> None:
        """Wait for nothing more."""
        if self._transport is not None:
            self._transport.abort()

    async def close(self) -> None:
        """Wait for nothing more, and until that is done."""
        if self._transport is not None:
            self._transport.abort()
            await self.lost

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See asyncio."""
        self._transport = cast("asyncio.WriteTransport", transport)

    def data_received(self, data: bytes) -> None:
        """See asyncio."""
        self.heard_at = self._loop.time()
        try:
            for report in self._frames.feed(data):
                self._take(report)
        except FrameError as error:
            # In no call's log context: this one's is that of whoever started the worker.
            Context().run(_log.error, "tool_worker_incomprehensible", error=str(error))
            self.abort()

    def connection_lost(self, _: Exception | None) -> None:
        """See asyncio; the calls that the worker had fail."""
        self.lost.set_result(None)
        _fail(self.opened)
        for waiting in self._waiting.values():
            _fail(waiting)
        self._on_lost()

    def _take(self, report: Report) -> None:
        match report:
            case Done(number, outcome):
                self._settle(number, outcome)
            case Missing(number):
                self._settle(number, None)
            case Alive():
                self._open()

    def _open(self) -> None:
        self.greeted = True
        if not self.opened.done():
            self.opened.set_result(None)

    def _settle(self, number: int, answer: Outcome | None) -> None:
        waiting = self._waiting.get(number)
        if waiting is not None and not waiting.done():
            waiting.set_result(answer)

    def _refuse_if_full(self) -> None:
        if self._transport and self._transport.get_write_buffer_size() > _MOST_UNREAD_BYTES:
            raise WorkerUnavailableError("it does not read")

    def _send(self, command: Command) -> None:
        if self._transport is None or self.lost.done():
            raise WorkerDiedError
        self._transport.write(frame(command))


def _fail(waiting: "asyncio.Future[Any]") -> None:
    if not waiting.done():
        waiting.set_exception(WorkerDiedError())
        waiting.exception()  # Who waited for it may be gone, which is no fault to report.
