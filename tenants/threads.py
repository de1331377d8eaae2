"""A bounded number of threads for work that blocks and may never end.

A thread cannot be stopped. So work that takes too long is given up: its caller goes on, its thread
keeps its place within the bound until it ends, and it holds up neither other work nor the exit of
the process, which is what the standard library's pools would have it do.
"""

import asyncio
import contextvars
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Generic, TypeVar

import attrs

T = TypeVar("T")


class ThreadsExhaustedError(Exception):
    """Every place is held by work that was given up."""


@attrs.frozen
class WorkRaisedError(Exception):
    """The work raised; whatever it was, it arrives as this one.

    Args:
        error: what it raised, ``SystemExit`` and ``asyncio.CancelledError`` included.
    """

    error: BaseException


@attrs.frozen
class _Outcome(Generic[T]):
    value: T | None = None
    error: BaseException | None = None


class Threads:
    """Runs blocking work off the event loop.

    Args:
        limit: threads at one time; more work waits for a place.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._places = asyncio.Semaphore(limit)
        self._given_up = 0

    @property
    def given_up(self) -> int:
        """How many places are held by work that was given up and has not ended."""
        return self._given_up

    async def run(self, work: Callable[[], T]) -> T:
        """Run ``work`` on a thread of its own, with this task's context variables.

        Cancelling this, as ``asyncio.timeout`` does, gives the work up.

        Raises:
            ThreadsExhaustedError: there is no place to wait for.
            WorkRaisedError: with what it raised.
        """
        if self._given_up >= self._limit:
            raise ThreadsExhaustedError
        await self._places.acquire()
        done = self._start(work)
        try:
            outcome = await asyncio.shield(done)
        except asyncio.CancelledError:
            self._give_up(done)
            raise
        if outcome.error is not None:
            raise WorkRaisedError(outcome.error)
        return outcome.value  # type: ignore[return-value]  # None only where T allows it

    def _start(self, work: Callable[[], T]) -> "asyncio.Future[_Outcome[T]]":
        loop = asyncio.get_running_loop()
        done: asyncio.Future[_Outcome[T]] = loop.create_future()
        done.add_done_callback(lambda _: self._places.release())
        context = contextvars.copy_context()

        def target() -> None:
            outcome = _attempt(lambda: context.run(work))
            with suppress(RuntimeError):  # The loop closed before the work ended.
                loop.call_soon_threadsafe(done.set_result, outcome)

        threading.Thread(target=target, name="tenants", daemon=True).start()
        return done

    def _give_up(self, done: "asyncio.Future[_Outcome[T]]") -> None:
        if not done.done():
            self._given_up += 1
            done.add_done_callback(self._ended)

    def _ended(self, _: object) -> None:
        self._given_up -= 1


def _attempt(work: Callable[[], T]) -> _Outcome[T]:
    try:
        return _Outcome(value=work())
    except BaseException as error:  # noqa: BLE001  (handed to the caller, who judges)
        return _Outcome(error=error)
