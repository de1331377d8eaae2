"""The one thread that owns the database.

What waits is taken as one batch and committed once; what fails in it is taken back alone. Then the
event loop is woken once for all of them. Reads come after the commit, so they see it. If the thread
dies, all who wait and all who come later are told so.

Where several came together, the next batch waits a little for company. It is not only the commits
that become fewer: the thread and the event loop hand the interpreter's lock to and fro while both
have work, at some 10 us a time, so that the same work done in longer pieces costs a fifth less.
"""

import asyncio
import contextlib
import queue
import sqlite3
import threading
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, TypeAlias, TypeVar

import attrs
import structlog

from gateway.store.errors import StoreUnavailableError
from gateway.store.sqlite_errors import translated

T = TypeVar("T")
Operation: TypeAlias = Callable[[sqlite3.Connection], T]
Database: TypeAlias = contextlib.AbstractContextManager[sqlite3.Connection]

_BATCH = 1000
_PROBE_BYTES = 65_536

_log = structlog.get_logger(__name__)


@attrs.frozen
class Outcome:
    """What came of a piece of work."""

    result: Any = None
    error: Exception | None = None


@attrs.define(eq=False)
class Work:
    """Something to be done in the thread, and who waits for it."""

    operation: Operation[Any]
    writes: bool
    answer: asyncio.Future[Any]
    outcome: Outcome | None = None


class SqliteThread:
    """Runs operations one batch after another.

    Args:
        database: opens the database, in the thread, and closes it.
        chore: called after each batch and each tick, outside a transaction; quick when nothing
            is due.
        waiting_limit: how much work may wait.
        tick_seconds: how often an idle thread looks at its chore, and at a store that failed.
        company_seconds: how long a batch waits for more, if there was more than one at the last.
    """

    def __init__(
        self,
        database: Callable[[], Database],
        chore: Operation[None],
        *,
        waiting_limit: int,
        tick_seconds: float,
        company_seconds: float,
    ) -> None:
        self._database = database
        self._chore = chore
        self._waiting_limit = waiting_limit
        self._tick_seconds = tick_seconds
        self._company_seconds = company_seconds
        self._crowded = False
        self._waiting: queue.SimpleQueue[Work | None] = queue.SimpleQueue()
        self._batch: Sequence[Work] = ()
        self._fault: StoreUnavailableError | None = None
        self._over: StoreUnavailableError | None = None
        self._loop = asyncio.get_running_loop()
        self._ended = asyncio.Event()
        threading.Thread(target=self._main, name="sqlite", daemon=True).start()

    def healthy(self) -> bool:
        """Whether the thread lives and the last write succeeded."""
        return self._over is None and self._fault is None

    async def do(self, operation: Operation[T], *, writes: bool) -> T:
        """Run an operation, within the batch's transaction where it ``writes``, else after it.

        Who stops waiting for it does not take it back.

        Raises:
            StoreUnavailableError: too much waits, the database failed, or the thread is over.
        """
        if self._waiting.qsize() >= self._waiting_limit:
            raise StoreUnavailableError(f"{self._waiting_limit} operations wait already")
        answer: asyncio.Future[T] = self._loop.create_future()
        self._waiting.put(Work(operation, writes, answer))
        # Asked after the put: what the ending thread does not see any more is failed here.
        if self._over is not None:
            raise StoreUnavailableError(self._over.detail)
        return await answer

    async def stop(self) -> None:
        """Do what waits, then end the thread."""
        self._waiting.put(None)
        await self._ended.wait()

    def _main(self) -> None:
        over = StoreUnavailableError("it is closed")
        try:
            with self._database() as connection:
                self._serve(connection)
        except StoreUnavailableError as error:
            over = error
        except BaseException as error:  # noqa: BLE001 - whatever it was, nobody may wait for ever
            _log.critical("store_thread_died", exc_info=True)
            over = StoreUnavailableError(f"its thread died of {error!r}")
        self._over = over
        self._deliver([*self._batch, *_works(self._taken())])
        self._tell(self._ended.set)

    def _serve(self, connection: sqlite3.Connection) -> None:
        going = True
        while going:
            taken = self._next()
            going = None not in taken
            fault = self._fault
            self._batch = _works(taken)
            self._write(connection, [work for work in self._batch if work.writes])
            self._read(connection, [work for work in self._batch if not work.writes])
            self._deliver(self._batch)
            self._batch = ()
            if self._fault is fault:
                self._look_after(connection)

    def _next(self) -> list[Work | None]:
        try:
            first = self._waiting.get(timeout=self._tick_seconds)
        except queue.Empty:
            return []
        if self._crowded:
            time.sleep(self._company_seconds)
        others = self._taken(_BATCH - 1)
        self._crowded = bool(others)
        return [first, *others]

    def _taken(self, limit: int | None = None) -> list[Work | None]:
        """What waits now; this thread alone takes, so that none of it can be gone meanwhile."""
        count = self._waiting.qsize() if limit is None else min(limit, self._waiting.qsize())
        return [self._waiting.get() for _ in range(count)]

    def _write(self, connection: sqlite3.Connection, works: Sequence[Work]) -> None:
        if not works:
            return
        try:
            connection.execute("BEGIN IMMEDIATE")
        except sqlite3.Error as error:
            _roll_back(connection)
            _settle(works, [self._failed(error) for _ in works])
        else:
            self._commit(connection, works)

    def _commit(self, connection: sqlite3.Connection, works: Sequence[Work]) -> None:
        try:
            outcomes = self._outcomes(connection, works)
            connection.execute("COMMIT")
        except sqlite3.Error as error:
            _roll_back(connection)
            self._salvage(connection, works, error)
        else:
            _settle(works, outcomes)

    def _salvage(
        self, connection: sqlite3.Connection, works: Sequence[Work], error: sqlite3.Error
    ) -> None:
        """Try each by itself: one of them may be all that the disk has no room for."""
        if len(works) == 1:
            works[0].outcome = self._failed(error)
            return
        for work in works:
            self._write(connection, [work])

    def _outcomes(self, connection: sqlite3.Connection, works: Sequence[Work]) -> list[Outcome]:
        """Do it all without savepoints first: they are a third of the statements, and seldom used.

        Each statement gives the interpreter's lock away, which a busy event loop is slow to give
        back. Where something fails, all is taken back and done again, each work by itself.
        """
        try:
            return [Outcome(work.operation(connection)) for work in works]
        except Exception:  # noqa: BLE001 - whose it is shows when it happens again
            _roll_back(connection)
            connection.execute("BEGIN IMMEDIATE")
            return [self._attempted(connection, work.operation) for work in works]

    def _attempted(self, connection: sqlite3.Connection, operation: Operation[Any]) -> Outcome:
        connection.execute("SAVEPOINT work")
        try:
            outcome = Outcome(operation(connection))
        except Exception as error:
            # Some errors, such as those of the disk, take the whole transaction with them.
            if not connection.in_transaction:
                raise
            connection.execute("ROLLBACK TO work")
            outcome = self._failed(error)
        connection.execute("RELEASE work")
        return outcome

    def _read(self, connection: sqlite3.Connection, works: Sequence[Work]) -> None:
        for work in works:
            try:
                work.outcome = Outcome(work.operation(connection))
            except Exception as error:  # noqa: BLE001 - it belongs to the one who asked
                _roll_back(connection)
                work.outcome = self._failed(error)

    def _failed(self, error: Exception) -> Outcome:
        reason = translated(error)
        if isinstance(reason, StoreUnavailableError):
            if self._fault is None:
                _log.error("store_failed", detail=reason.detail)
            self._fault = reason
        return Outcome(error=reason)

    def _look_after(self, connection: sqlite3.Connection) -> None:
        try:
            if self._fault is not None:
                _probe(connection)
                self._fault = None
                _log.info("store_recovered")
            self._chore(connection)
        except sqlite3.Error as error:
            _roll_back(connection)
            self._failed(error)

    def _deliver(self, works: Sequence[Work]) -> None:
        if works:
            self._tell(partial(_answer, works, self._over))

    def _tell(self, callback: Callable[[], None]) -> None:
        # A loop that is closed has nobody left who waits.
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(callback)


def _works(taken: Sequence[Work | None]) -> list[Work]:
    return [work for work in taken if work is not None]


def _settle(works: Sequence[Work], outcomes: Sequence[Outcome]) -> None:
    for work, outcome in zip(works, outcomes, strict=True):
        work.outcome = outcome


def _roll_back(connection: sqlite3.Connection) -> None:
    if connection.in_transaction:
        connection.execute("ROLLBACK")


def _probe(connection: sqlite3.Connection) -> None:
    """Write enough to see that there is room, and take it away again."""
    connection.execute("INSERT INTO probe VALUES (zeroblob(?))", (_PROBE_BYTES,))
    connection.execute("DELETE FROM probe")


def _answer(works: Sequence[Work], over: StoreUnavailableError | None) -> None:
    """Wake who waits; work without an outcome was not committed when the thread ended."""
    for work in works:
        if work.answer.done():
            continue
        outcome = work.outcome or Outcome(error=over)
        if outcome.error is None:
            work.answer.set_result(outcome.result)
        else:
            work.answer.set_exception(outcome.error)
