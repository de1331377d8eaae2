"""One worker process: starting it, giving it jobs, noticing that it hangs, ending it."""

import asyncio
import os
import signal
import socket
from collections.abc import Callable
from contextlib import suppress
from contextvars import Context
from typing import cast

import attrs
import structlog

from gateway.tools.connection import Connection
from gateway.tools.environment import clean
from gateway.tools.errors import TookTooLongError
from gateway.tools.jobs import Job, Outcome, with_source
from tenants.compiled import CompiledTenant

_log = structlog.get_logger(__name__)

_STDERR = 2
# What a worker said just before its end is read before its calls fail.
_LAST_WORDS_SECONDS = 0.2


@attrs.frozen
class Patience:
    """How long the gateway waits for a worker.

    Args:
        start_seconds: for its first word.
        late_seconds: beyond a call's own time limit, which the worker keeps.
        ping_seconds: for a sign of life once a call was late.
        stop_seconds: between asking it to end and ending it.
    """

    start_seconds: float = 10
    late_seconds: float = 1
    ping_seconds: float = 3
    stop_seconds: float = 1


class WorkerProcess(asyncio.SubprocessProtocol):
    """One worker, from its start to its end.

    Args:
        python: the interpreter.
        on_exit: called with this when it has ended, asked to or not.

    Attributes:
        exit_code: negative: the signal that ended it; None: it runs, or never did.
        stopping: whether it was asked to end.
    """

    def __init__(
        self, patience: Patience, python: str, on_exit: Callable[["WorkerProcess"], None]
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._patience = patience
        self._python = python
        self._on_exit = on_exit
        self._connection = Connection(on_lost=self.kill)
        self._process: asyncio.SubprocessTransport | None = None
        self._exited = self._loop.create_future()
        self._verdict: asyncio.TimerHandle | None = None
        self._began = self._loop.time()
        self.exit_code: int | None = None
        self.stopping = False

    @property
    def works(self) -> bool:
        """Whether it can be given jobs."""
        return not (self._connection.lost.done() or self._exited.done())

    @property
    def greeted(self) -> bool:
        """Whether it ever came to work."""
        return self._connection.greeted

    @property
    def lived_seconds(self) -> float:
        """Since its start."""
        return self._loop.time() - self._began

    async def start(self) -> None:
        """Start it and wait for its first word.

        Raises:
            OSError: it cannot be started.
            TimeoutError: it says nothing.
            WorkerDiedError: it ended at once.
        """
        ours, theirs = socket.socketpair()
        with theirs:
            await self._loop.create_unix_connection(lambda: self._connection, sock=ours)
            await self._loop.subprocess_exec(
                lambda: self,
                # -P: a folder named `gateway` where the operator happens to be is not ours.
                *(self._python, "-uP", "-m", "gateway.tools.worker", str(theirs.fileno())),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=_STDERR,
                stderr=None,
                pass_fds=(theirs.fileno(),),
                env=clean(os.environ),
                # A terminal's Ctrl-C is for the gateway, whose runs still need the worker.
                start_new_session=True,
            )
        async with asyncio.timeout(self._patience.start_seconds):
            await self._connection.opened

    async def run(self, job: Job, tenant: CompiledTenant) -> Outcome:
        """Have a job run.

        Raises:
            TookTooLongError: it does not say anything in time.
            WorkerDiedError: it ended before it answered.
            WorkerUnavailableError: it does not read what it was sent.
        """
        try:
            async with asyncio.timeout(job.timeout_seconds + self._patience.late_seconds):
                answer = await self._connection.ask(job)
                while answer is None:
                    answer = await self._connection.ask(with_source(job, tenant))
                return answer
        except TimeoutError:
            self._suspect()
            raise TookTooLongError(job.timeout_seconds) from None

    async def stop(self) -> None:
        """End it, by force after a while."""
        self.stopping = True
        self._signal(signal.SIGTERM)
        if self._process is not None:
            await asyncio.wait([self._exited], timeout=self._patience.stop_seconds)
            self.kill()
            await self._exited
        await self._connection.close()

    def kill(self) -> None:
        """End it at once, and what it started."""
        self._signal(signal.SIGKILL)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See asyncio: the process runs."""
        self._process = cast("asyncio.SubprocessTransport", transport)

    def process_exited(self) -> None:
        """See asyncio: the process has ended."""
        process = cast("asyncio.SubprocessTransport", self._process)
        self.exit_code = process.get_returncode()
        process.close()
        self._exited.set_result(None)
        self._loop.call_later(_LAST_WORDS_SECONDS, self._connection.abort)
        # In no call's log context: this one's is that of whoever started the worker.
        Context().run(self._on_exit, self)

    def _suspect(self) -> None:
        """Find out whether it hangs, unless that is being found out."""
        if self._verdict is None and self.works:
            self._connection.ping()
            self._verdict = self._loop.call_later(
                self._patience.ping_seconds, self._judge, self._loop.time()
            )

    def _judge(self, asked_at: float) -> None:
        self._verdict = None
        if self.works and self._connection.heard_at < asked_at:
            _log.error("tool_worker_hangs", calls=self._connection.calls)
            self.kill()

    def _signal(self, number: signal.Signals) -> None:
        if self._process is not None and not self._exited.done():
            with suppress(ProcessLookupError):
                os.killpg(self._process.get_pid(), number)
