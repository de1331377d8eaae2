"""Runs tenants' functions in this process: an operator's own, trusted code in development.

A sync function runs on a thread. One that does not end in time is given up: its thread goes on and
keeps its place, since a thread cannot be stopped; when all places are kept so, sync functions fail
at once. An async function runs on the event loop: one that blocks there blocks every tenant, so
what blocks must be sync. What a module prints goes to standard error (``tenants.modules``); only
its own ``print`` does, so what writes to ``sys.stdout`` by another way mixes with the logs.
"""

import asyncio
import inspect
from collections.abc import Awaitable, Coroutine
from functools import partial
from typing import Any

import attrs
import structlog

from gateway.tools.modules import ModuleFaultyError, Modules
from gateway.tools.outputs import bounded, output_text
from gateway.tools.ports import ToolCall, ToolResult
from tenants.compiled import Assistant, CompiledTenant
from tenants.functions import ArgumentsError, ToolContext, ToolFunction, bind
from tenants.threads import Threads, ThreadsExhaustedError, WorkRaisedError

_log = structlog.get_logger(__name__)


@attrs.frozen
class UnknownFunctionError(Exception):
    """The model calls a function that it was not offered."""

    known: tuple[str, ...]


@attrs.frozen
class TookTooLongError(Exception):
    """The function did not end in time."""

    timeout_seconds: float


class InlineExecutor:
    """Runs functions in this process, for trusted code.

    Args:
        limit: sync functions at one time, over all tenants.
        modules: tool modules that stay imported.
    """

    def __init__(self, limit: int = 64, modules: int = 256) -> None:
        self._threads = Threads(limit)
        self._modules = Modules(self._threads, modules)
        self._tasks: set[asyncio.Task[Any]] = set()

    @property
    def abandoned(self) -> int:
        """How many sync functions were given up and have not ended."""
        return self._threads.given_up

    async def run(self, tenant: CompiledTenant, assistant: Assistant, call: ToolCall) -> ToolResult:
        """Run it; whatever goes wrong becomes a result with ``failed``, never an exception."""
        try:
            async with asyncio.timeout(assistant.timeout_seconds):
                return ToolResult(await self._output(tenant, assistant, call))
        except WorkRaisedError as raised:
            return _failure(tenant, call, raised.error)
        except TimeoutError:
            return _failure(tenant, call, TookTooLongError(assistant.timeout_seconds))
        except (UnknownFunctionError, ThreadsExhaustedError, ModuleFaultyError) as error:
            return _failure(tenant, call, error)

    async def _output(self, tenant: CompiledTenant, assistant: Assistant, call: ToolCall) -> str:
        if call.name not in assistant.functions:
            raise UnknownFunctionError(assistant.functions)
        function = (await self._modules.of(tenant)).functions[call.name]
        context = ToolContext(tenant.tenant_id, call.thread_id, call.correlation_id)
        if function.is_async:
            return await self._apart(_call_async(function, call.arguments, context))
        work = partial(_call, function, call.arguments, context)
        result = await self._threads.run(work)
        return result if isinstance(result, str) else await self._apart(_awaited(result))

    async def _apart(self, work: Coroutine[Any, Any, str]) -> str:
        """Await it in a task of its own, so that what it does to its task is not done to the run.

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


def _failure(tenant: CompiledTenant, call: ToolCall, error: BaseException) -> ToolResult:
    _log.warning(
        "tool_failed",
        tenant_id=tenant.tenant_id,
        function=call.name[:64],
        call_id=call.call_id,
        correlation_id=call.correlation_id,
        error=_said(error),
    )
    return ToolResult(bounded(f"{_reply(error)} Reference: {call.correlation_id}."), failed=True)


def _said(error: BaseException) -> str:
    try:
        return f"{type(error).__name__}: {error}"[:2000]
    except Exception:  # noqa: BLE001  (its ``__str__`` is the tenant's)
        return type(error).__name__


def _reply(error: BaseException) -> str:
    """What the model may know: of its own mistakes all, of the function's none."""
    match error:
        case ArgumentsError():
            return f"The arguments do not fit the function: {error}."
        case UnknownFunctionError(known):
            return f"There is no such function; there are: {', '.join(known) or 'none'}."
        case TookTooLongError(timeout_seconds):
            return f"The function took over {timeout_seconds:g} s and was given up."
        case _:
            return "The function failed."
