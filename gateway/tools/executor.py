"""Runs tenants' functions in this process: within the worker, beside the gateway.

A sync function runs on a thread. One that does not end in time is given up: its thread goes on and
keeps its place, since a thread cannot be stopped; when all places are kept so, sync functions fail
at once. An async function runs on the event loop: one that blocks there holds up every other, so
what blocks must be sync.
"""

import asyncio
import inspect
from collections.abc import Awaitable, Coroutine
from functools import partial
from typing import Any

from gateway.tools.errors import ModuleFaultyError, TookTooLongError
from gateway.tools.failures import failure
from gateway.tools.jobs import Job, Outcome
from gateway.tools.modules import Modules
from gateway.tools.outputs import output_text
from tenants.functions import ToolContext, ToolFunction, bind
from tenants.threads import Threads, ThreadsExhaustedError, WorkRaisedError


class InlineExecutor:
    """Runs functions in this process.

    Args:
        limit: sync functions at one time, over all tenants.
        modules: tool modules that stay imported.
    """

    def __init__(self, limit: int = 64, modules: int = 256) -> None:
        self._limit = limit
        self._threads = Threads(limit)
        self._modules = Modules(self._threads, modules)
        self._tasks: set[asyncio.Task[Any]] = set()

    @property
    def abandoned(self) -> int:
        """How many sync functions were given up and have not ended."""
        return self._threads.given_up

    @property
    def exhausted(self) -> bool:
        """Whether no sync function can be run, until one that was given up ends."""
        return self.abandoned >= self._limit

    async def run(self, job: Job) -> Outcome:
        """Run it; whatever the function does becomes an outcome.

        Raises:
            ModuleMissingError: the job has no source, and its module is not kept.
        """
        try:
            async with asyncio.timeout(job.timeout_seconds):
                return Outcome(await self._output(job))
        except WorkRaisedError as raised:
            return failure(raised.error, job.correlation_id)
        except TimeoutError:
            return failure(TookTooLongError(job.timeout_seconds), job.correlation_id)
        except (ThreadsExhaustedError, ModuleFaultyError) as error:
            return failure(error, job.correlation_id)

    async def _output(self, job: Job) -> str:
        function = (await self._modules.of(job)).functions[job.name]
        context = ToolContext(job.tenant_id, job.thread_id, job.correlation_id)
        if function.is_async:
            return await self._apart(_call_async(function, job.arguments, context))
        work = partial(_call, function, job.arguments, context)
        result = await self._threads.run(work)
        return result if isinstance(result, str) else await self._apart(_awaited(result))

    async def _apart(self, work: Coroutine[Any, Any, str]) -> str:
        """Await it in a task of its own, so that what it does to its task is not done to the call.

        Raises:
            WorkRaisedError: with what it raised.
        """
        task = asyncio.create_task(_caught(work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        try:
            await asyncio.wait([task])
        except asyncio.CancelledError:
            task.cancel()
            raise
        output, error = task.result()
        if error is not None:
            raise WorkRaisedError(error)
        return output


async def _caught(work: Coroutine[Any, Any, str]) -> tuple[str, BaseException | None]:
    try:
        return await work, None
    except BaseException as error:  # noqa: BLE001  (SystemExit would end the event loop)
        return "", error


def _call(function: ToolFunction, arguments: str, context: ToolContext) -> str | Awaitable[object]:
    result = function.call(**bind(function, arguments, context))
    return result if inspect.isawaitable(result) else output_text(result)


async def _call_async(function: ToolFunction, arguments: str, context: ToolContext) -> str:
    return output_text(await function.call(**bind(function, arguments, context)))


async def _awaited(result: Awaitable[object]) -> str:
    return output_text(await result)
