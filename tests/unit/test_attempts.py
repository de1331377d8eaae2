"""How often one address may try."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.http.door.attempts import AttemptLimits, Attempts, client_network
from gateway.http.errors import TooManyAttemptsError


class Clock:
    """Seconds that tests move."""

    now = 1000.0

    def __call__(self):
        """The time now."""
        return self.now


def tried(attempts, address="192.0.2.1"):
    """Whether an attempt was let through."""
    try:
        attempts.count(address)
    except TooManyAttemptsError:
        return False
    return True


def test_a_burst_is_let_through_and_then_one_by_one():
    """After the burst an address waits as long as it is told, and then has one attempt more."""
    clock = Clock()
    attempts = Attempts(AttemptLimits(burst=3, refill_seconds=2), clock)

    assert [tried(attempts) for _ in range(4)] == [True, True, True, False]
    with pytest.raises(TooManyAttemptsError) as caught:
        attempts.count("192.0.2.1")
    assert caught.value.retry_after_seconds == pytest.approx(2)
    clock.now += 1.9
    assert not tried(attempts)
    clock.now += 0.2
    assert [tried(attempts) for _ in range(2)] == [True, False]


def test_refused_attempts_cost_nothing():
    """Whoever keeps trying is let in again as soon as one who waits."""
    clock = Clock()
    attempts = Attempts(AttemptLimits(burst=1, refill_seconds=2), clock)

    assert tried(attempts)
    assert not any(tried(attempts) for _ in range(100))
    clock.now += 2
    assert tried(attempts)


def test_addresses_do_not_share():
    """One address's attempts leave another's alone."""
    attempts = Attempts(AttemptLimits(burst=1), Clock())

    assert tried(attempts, "192.0.2.1")
    assert tried(attempts, "192.0.2.2")
    assert not tried(attempts, "192.0.2.1")


def test_memory_is_bounded():
    """However many addresses come, the newest 10,000 are remembered."""
    attempts = Attempts(AttemptLimits(burst=1), Clock())

    for number in range(30_000):
        assert tried(attempts, str(number))

    assert len(attempts._spent_until) == 10_000
    assert not tried(attempts, "29999")


@given(st.lists(st.floats(0, 5), max_size=60))
def test_no_pace_gets_more_than_the_limit(pauses):
    """Whatever the pace, what got through never exceeds the burst and the refill."""
    clock = Clock()
    attempts = Attempts(AttemptLimits(burst=3, refill_seconds=2), clock)
    through, start = 0, clock.now

    for pause in pauses:
        clock.now += pause
        through += tried(attempts)

    assert through <= 3 + (clock.now - start) / 2 + 1e-6


@pytest.mark.parametrize(
    ("client", "network"),
    [
        (("192.0.2.7", 1), "192.0.2.7"),
        (("::ffff:192.0.2.7", 1), "192.0.2.7"),
        (("2001:db8:1:2:3:4:5:6", 1), "2001:db8:1:2::/64"),
        (("2001:db8:1:2:ffff::", 1), "2001:db8:1:2::/64"),
        (("fe80::1%eth0", 1), "fe80::/64"),
        (("2001:db8::", 0), "2001:db8::/64"),
        (("no address", 0), ""),
        (("x" * 60_000, 0), ""),
        (None, ""),
    ],
)
def test_an_ipv6_customer_is_one_address(client, network):
    """IPv6 addresses count by their /64, which one customer has all of; nonsense counts as one."""
    assert client_network({"client": client}) == network
