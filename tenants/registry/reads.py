"""Runs a registry's blocking work on threads, and gives it up in time."""

import asyncio
from collections.abc import Callable
from typing import TypeVar

import structlog

from tenants.registry.objects import ObjectsUnavailableError
from tenants.threads import Threads, ThreadsExhaustedError, WorkRaisedError

T = TypeVar("T")
_log = structlog.get_logger(__name__)


async def read_in_time(threads: Threads, seconds: float, work: Callable[[], T]) -> T:
    """What the work returns.

    Raises:
        ObjectsUnavailableError: the registry is away, the work takes longer than ``seconds``, or it
            has a fault of ours, which is logged.
    """
    try:
        async with asyncio.timeout(seconds):
            return await threads.run(work)
    except TimeoutError:
        raise ObjectsUnavailableError(f"it takes over {seconds:g} s to answer") from None
    except ThreadsExhaustedError:
        raise ObjectsUnavailableError("it answers nothing, and all threads wait for it") from None
    except WorkRaisedError as raised:
        if isinstance(raised.error, ObjectsUnavailableError):
            raise raised.error from None
        _log.error("registry_read_failed", exc_info=raised.error)
        raise ObjectsUnavailableError("a fault of the gateway's own; the log has it") from None
