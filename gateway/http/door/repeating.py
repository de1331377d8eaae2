"""Work that comes again and again, whatever became of it the time before."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable

import structlog

_log = structlog.get_logger(__name__)


@contextlib.asynccontextmanager
async def repeated(
    work: Callable[[], Awaitable[None]], seconds: float, failed: str
) -> AsyncIterator[None]:
    """Do something every so often while this is entered.

    Args:
        work: what to do.
        seconds: between its end and its next beginning, and before the first.
        failed: what the log calls it when it raises.
    """
    repeating = asyncio.create_task(_repeat(work, seconds, failed))
    try:
        yield
    finally:
        repeating.cancel()
        await asyncio.wait([repeating])


async def _repeat(work: Callable[[], Awaitable[None]], seconds: float, failed: str) -> None:
    while True:
        await asyncio.sleep(seconds)
        try:
            await work()
        except Exception:  # noqa: BLE001 - the next time must come
            _log.exception(failed)
