"""How soon a worker is replaced."""

from gateway.tools.backoff import Backoff
from gateway.tools.environment import clean


class Clock:
    """A clock that is set by hand."""

    seconds = 1000.0

    def __call__(self):
        """See ``time.monotonic``."""
        return self.seconds


def test_one_death_is_forgiven():
    """A worker that ends once, however soon, is replaced at once."""
    backoff = Backoff(clock=Clock())

    assert backoff.seconds == 0
    backoff.ended(0.1)

    assert backoff.seconds == 0


def test_each_further_early_death_doubles_the_pause():
    """A worker that ends again and again is left alone for longer and longer, up to a bound."""
    backoff = Backoff(first_seconds=1, longest_seconds=30, clock=Clock())
    pauses = []

    for _ in range(2000):
        backoff.ended(0.1)
        pauses.append(backoff.seconds)

    assert pauses[:7] == [0, 1, 2, 4, 8, 16, 30]
    assert pauses[-1] == 30


def test_a_pause_ends():
    """After the pause a worker may be started."""
    clock = Clock()
    backoff = Backoff(first_seconds=2, clock=clock)
    backoff.ended(0)
    backoff.ended(0)

    clock.seconds += 1.5
    assert backoff.seconds == 0.5
    clock.seconds += 1

    assert backoff.seconds == 0


def test_a_worker_that_lived_starts_the_count_anew():
    """Deaths that are far apart are each forgiven."""
    backoff = Backoff(soon_seconds=5, clock=Clock())

    for lived in (0.1, 6, 0.1, 6, 0.1):
        backoff.ended(lived)

    assert backoff.seconds == 0


def test_the_environment_is_a_list_of_what_may_pass():
    """What nobody listed stays out: a secret need not be recognised as one."""
    needed = {"PATH": "/bin", "LC_ALL": "C", "TZ": "UTC", "https_proxy": "http://proxy"}
    kept_back = {"OPENAI_API_KEY": "sk", "AGW_ACME__CRM": "x", "GATEWAY_STORE": "x", "path": "x"}

    assert clean(needed | kept_back) == needed
