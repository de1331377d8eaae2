"""Opening a call again, before anything of its answer has come."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import TypeVar, cast

import attrs
import structlog
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception, stop_after_attempt

from gateway.engines.errors import EngineError

T = TypeVar("T")

_log = structlog.get_logger()


@attrs.frozen
class RetryPolicy:
    """How often, and how long to wait before each.

    Args:
        retries: after the first attempt.
        first_delay_seconds: before the first retry; doubled for each further one.
        longest_delay_seconds: what doubling ends at.
        total_wait_seconds: of all waits together. An upstream that asks for more is given up at
            once, and the caller learns when to come back.
    """

    retries: int = 2
    first_delay_seconds: float = 0.5
    longest_delay_seconds: float = 8
    total_wait_seconds: float = 20


class Retrying:
    """Runs attempts by a policy.

    Args:
        on_retry: told of each retry: the error and the wait in seconds.
        sleep: waits so many seconds.
        chance: a number from 0 to 1; up to a quarter of a delay is taken off by it, so that
            callers who failed together do not come back together.
    """

    def __init__(
        self,
        policy: RetryPolicy | None = None,
        *,
        on_retry: Callable[[EngineError, float], None] | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._policy = policy or RetryPolicy()
        self._on_retry = on_retry
        self._chance = chance
        self._retrying = AsyncRetrying(
            sleep=sleep,
            retry=retry_if_exception(_is_retryable),
            wait=self._wait,
            stop=self._is_over,
            before_sleep=self._report,
            reraise=True,
        )

    async def run(self, attempt: Callable[[], Awaitable[T]]) -> T:
        """The first attempt that succeeds.

        Raises:
            EngineError: of the last attempt.
        """
        # tenacity costs 20 us a call, so it comes in only once an attempt has failed.
        try:
            return await attempt()
        except EngineError as error:
            if not error.retryable:
                raise
            first: list[EngineError] = [error]

        async def again() -> T:
            if first:
                raise first.pop()
            return await attempt()

        # A copy, since an AsyncRetrying keeps the state of one call.
        return cast("T", await self._retrying.copy()(again))

    def _wait(self, state: RetryCallState) -> float:
        asked = _error(state).retry_after_seconds
        if asked is not None:
            return asked
        policy = self._policy
        delay = policy.first_delay_seconds * 2.0 ** (state.attempt_number - 1)
        return min(delay, policy.longest_delay_seconds) * (1 - 0.25 * self._chance())

    def _is_over(self, state: RetryCallState) -> bool:
        waits = state.idle_for + state.upcoming_sleep
        exhausted = stop_after_attempt(self._policy.retries + 1)(state)
        return exhausted or waits > self._policy.total_wait_seconds

    def _report(self, state: RetryCallState) -> None:
        error, wait = _error(state), state.upcoming_sleep
        _log.warning(
            "upstream_retried",
            attempt=state.attempt_number,
            cause=error.cause.value,
            status=error.status,
            wait_seconds=round(wait, 3),
        )
        if self._on_retry is not None:
            self._on_retry(error, wait)


def _is_retryable(error: BaseException) -> bool:
    return isinstance(error, EngineError) and error.retryable


def _error(state: RetryCallState) -> EngineError:
    outcome = state.outcome
    return cast("EngineError", outcome.exception() if outcome else None)
