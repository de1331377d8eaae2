"""Runs tenants' functions in one worker process beside the gateway.

A function that ends its process, by ``os._exit``, a fault in C or want of memory, takes the worker
along and not the gateway: the calls that the worker had fail, and the next one starts a new worker.
The worker is for trusted code: it sees none of the gateway's environment, but it is not hardened.
"""

import asyncio
import sys
from collections.abc import Callable

import structlog

from gateway.tools.backoff import Backoff
from gateway.tools.errors import (
    TookTooLongError,
    UnknownFunctionError,
    WorkerDiedError,
    WorkerUnavailableError,
)
from gateway.tools.failures import failure
from gateway.tools.jobs import Outcome, job_of
from gateway.tools.ports import ToolCall, ToolResult
from gateway.tools.worker_process import Patience, WorkerProcess
from tenants.compiled import Assistant, CompiledTenant
from tenants.functions import ArgumentsError

_log = structlog.get_logger(__name__)


class ProcessExecutor:
    """Runs functions in a worker, which is started at the first call.

    Args:
        on_death: called when a worker ends that nobody asked to.
        patience: how long workers are waited for.
        backoff: when they may be started anew.
        python: the workers' interpreter.
    """

    def __init__(
        self,
        on_death: Callable[[], None] = lambda: None,
        patience: Patience | None = None,
        backoff: Backoff | None = None,
        python: str = sys.executable,
    ) -> None:
        self._on_death = on_death
        self._patience = patience or Patience()
        self._backoff = backoff or Backoff()
        self._python = python
        self._worker: WorkerProcess | None = None
        self._starting = asyncio.Lock()
        self._closed = False

    async def run(self, tenant: CompiledTenant, assistant: Assistant, call: ToolCall) -> ToolResult:
        """Run it; whatever goes wrong becomes a result with ``failed``, never an exception."""
        outcome = await self._outcome(tenant, assistant, call)
        if outcome.error is None:
            return ToolResult(outcome.output)
        _log.warning(
            "tool_failed",
            tenant_id=tenant.tenant_id,
            function=call.name[:64],
            call_id=call.call_id,
            correlation_id=call.correlation_id,
            error=outcome.error,
        )
        return ToolResult(outcome.output, failed=True)

    async def close(self) -> None:
        """End the worker, and start no other."""
        self._closed = True
        async with self._starting:
            if self._worker is not None:
                await self._worker.stop()

    async def _outcome(
        self, tenant: CompiledTenant, assistant: Assistant, call: ToolCall
    ) -> Outcome:
        try:
            job = job_of(tenant, assistant, call)
            worker = await self._running()
            return await worker.run(job, tenant)
        except (
            ArgumentsError,
            TookTooLongError,
            UnknownFunctionError,
            WorkerDiedError,
            WorkerUnavailableError,
        ) as error:
            return failure(error, call.correlation_id)

    async def _running(self) -> WorkerProcess:
        """The worker, started where none works; calls at the same time share one start.

        Raises:
            WorkerUnavailableError: there is none.
        """
        if self._worker is not None and self._worker.works:
            return self._worker
        async with self._starting:
            if self._worker is None or not self._worker.works:
                self._worker = await self._start()
            return self._worker

    async def _start(self) -> WorkerProcess:
        if self._closed:
            raise WorkerUnavailableError("the gateway stops")
        if pause := self._backoff.seconds:
            raise WorkerUnavailableError(f"workers keep ending; the next in {pause:.1f} s")
        worker = WorkerProcess(self._patience, self._python, self._ended)
        try:
            await worker.start()
        except (OSError, TimeoutError, WorkerDiedError) as error:
            await worker.stop()
            self._backoff.ended(0)
            self._on_death()
            _log.error("tool_worker_not_started", error=repr(error), exit_code=worker.exit_code)
            raise WorkerUnavailableError("it could not be started") from None
        except asyncio.CancelledError:
            await worker.stop()
            raise
        _log.info("tool_worker_started", seconds=round(worker.lived_seconds, 3))
        return worker

    def _ended(self, worker: WorkerProcess) -> None:
        if worker.stopping or not worker.greeted:
            return
        self._backoff.ended(worker.lived_seconds)
        self._on_death()
        _log.error(
            "tool_worker_died",
            exit_code=worker.exit_code,
            lived_seconds=round(worker.lived_seconds, 3),
        )
