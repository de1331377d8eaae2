"""Retries: which, how often, after how long, and that they show."""

import asyncio

import pytest
from structlog.testing import capture_logs

from gateway.engines.errors import Cause, EngineError
from gateway.engines.retrying import Retrying, RetryPolicy

BUSY = EngineError(Cause.UNAVAILABLE, status=503, retryable=True)


def busy(seconds):
    """A refusal that asks to come back."""
    return EngineError(Cause.RATE_LIMITED, 429, retry_after_seconds=seconds, retryable=True)


class Attempts:
    """A call that goes as scripted; errors are raised, everything else is returned."""

    def __init__(self, *outcomes):
        self.outcomes = list(outcomes)

    async def __call__(self):
        """The next outcome."""
        outcome = self.outcomes.pop(0)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome


class Clock:
    """Sleeps without sleeping."""

    def __init__(self):
        self.waits = []

    async def sleep(self, seconds):
        """Note the wait."""
        self.waits.append(seconds)
        await asyncio.sleep(0)


def retrying(clock, chance=0.0, policy=None, on_retry=None):
    """What is under test, with time and chance in the test's hands."""
    return Retrying(policy, on_retry=on_retry, sleep=clock.sleep, chance=lambda: chance)


async def test_delays_double():
    """Without word from the upstream the delay doubles from half a second."""
    clock = Clock()

    answer = await retrying(clock).run(Attempts(BUSY, BUSY, "answer"))

    assert answer == "answer"
    assert clock.waits == [0.5, 1.0]


async def test_delays_are_capped():
    """Doubling ends at the longest delay."""
    clock = Clock()
    policy = RetryPolicy(retries=6, total_wait_seconds=100)

    await retrying(clock, policy=policy).run(Attempts(*[BUSY] * 6, "answer"))

    assert clock.waits == [0.5, 1.0, 2.0, 4.0, 8.0, 8.0]


async def test_jitter_takes_off_up_to_a_quarter():
    """Callers that failed together come back apart."""
    clock = Clock()

    await retrying(clock, chance=1.0).run(Attempts(BUSY, "answer"))

    assert clock.waits == [0.375]


async def test_two_retries_and_no_more():
    """The error of the last attempt is the caller's."""
    clock = Clock()
    attempts = Attempts(BUSY, BUSY, busy(3), "never")

    with pytest.raises(EngineError) as raised:
        await retrying(clock).run(attempts)

    assert raised.value.retry_after_seconds == 3
    assert attempts.outcomes == ["never"]
    assert len(clock.waits) == 2


async def test_what_will_not_pass_is_not_retried():
    """An error that says so ends it, first or later."""
    refused = EngineError(Cause.REJECTED, status=400)
    for outcomes, waits in (((refused,), 0), ((BUSY, refused), 1)):
        clock = Clock()

        with pytest.raises(EngineError) as raised:
            await retrying(clock).run(Attempts(*outcomes))

        assert raised.value is refused
        assert len(clock.waits) == waits


async def test_other_exceptions_pass():
    """A fault of ours is not an upstream's, and not retried."""
    clock = Clock()

    with pytest.raises(ZeroDivisionError):
        await retrying(clock).run(Attempts(BUSY, ZeroDivisionError()))

    assert len(clock.waits) == 1


async def test_the_upstream_says_how_long_to_wait():
    """``retry-after`` is waited for to the millisecond, without jitter."""
    clock = Clock()

    await retrying(clock, chance=1.0).run(Attempts(busy(0.25), busy(7), "answer"))

    assert clock.waits == [0.25, 7]


@pytest.mark.parametrize("outcomes", [[busy(21)], [busy(12), busy(9)]])
async def test_too_long_a_wait_is_given_up_at_once(outcomes):
    """Beyond 20 s in all the caller is told when to come back, without a wait."""
    clock = Clock()

    with pytest.raises(EngineError) as raised:
        await retrying(clock).run(Attempts(*outcomes, "never"))

    assert raised.value is outcomes[-1]
    assert len(clock.waits) == len(outcomes) - 1


async def test_a_retry_shows():
    """A retry is a line in the log and a call of the hook, before its wait."""
    seen = []

    with capture_logs() as logs:
        await retrying(Clock(), on_retry=lambda *told: seen.append(told)).run(
            Attempts(busy(2), "answer")
        )

    assert [(error.status, wait) for error, wait in seen] == [(429, 2)]
    assert logs == [
        {
            "event": "upstream_retried",
            "log_level": "warning",
            "attempt": 1,
            "cause": "rate_limited",
            "status": 429,
            "wait_seconds": 2,
        }
    ]


async def test_calls_do_not_share_their_retries():
    """Many calls at once each count their own attempts."""
    shared = retrying(Clock())
    calls = [Attempts(*[BUSY] * (n % 3), n) for n in range(30)]

    answers = await asyncio.gather(*(shared.run(call) for call in calls))

    assert answers == list(range(30))
