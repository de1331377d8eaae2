"""What is remembered of ids that led nowhere."""

import pytest

from tenants.errors import UnknownTenantError
from tenants.registry.misses import Misses


class Clock:
    """Seconds that a test moves on."""

    now = 0.0

    def __call__(self) -> float:
        """What it shows."""
        return self.now


@pytest.fixture
def clock():
    """A clock at zero."""
    return Clock()


@pytest.fixture
def misses(clock):
    """Nothing remembered so far."""
    return Misses(clock)


def test_answer_is_remembered_for_its_time(misses, clock):
    """It is given while it holds, and not a moment longer."""
    misses.remember("acme", UnknownTenantError, 30)

    clock.now = 29.9
    within = misses.answer("acme")
    clock.now = 30.0

    assert within is UnknownTenantError
    assert misses.answer("acme") is None
    assert misses.answer("globex") is None


def test_answer_is_forgotten_when_somebody_knows_better(misses):
    """One that the feed names, or all of them, are looked for again."""
    for tenant_id in ("a", "b", "c"):
        misses.remember(tenant_id, UnknownTenantError, 30)

    misses.forget("a")
    after_one = [misses.answer(tenant_id) for tenant_id in "abc"]
    misses.forget_all()

    assert after_one == [None, UnknownTenantError, UnknownTenantError]
    assert misses.answer("b") is None


def test_number_of_answers_has_a_bound(misses):
    """A flood of ids pushes out the oldest answers, and the newest stay."""
    for number in range(100_000):
        misses.remember(f"t{number}", UnknownTenantError, 30)

    known = sum(misses.answer(f"t{number}") is not None for number in range(100_000))

    assert known == 4096
    assert misses.answer("t99999") is UnknownTenantError


def test_ids_that_are_not_there_are_looked_for_at_a_bounded_rate(misses, clock):
    """A burst of 200, then 20 a second; what is found is given back."""
    burst = sum(misses.spend() for _ in range(1000))
    clock.now = 1.0
    second = sum(misses.spend() for _ in range(1000))
    misses.refund()

    assert (burst, second) == (200, 20)
    assert misses.spend()
    assert not misses.spend()
