"""When a worker that keeps ending may be started anew."""

import time
from collections.abc import Callable

_MOST_DOUBLINGS = 10


class Backoff:
    """Lets a worker be replaced at once, but not one that ends soon after its start, again.

    Args:
        soon_seconds: a worker that lived longer starts the count anew.
        first_seconds: the first pause; each further one is twice as long.
        longest_seconds: the longest pause.
        clock: seconds that only grow.
    """

    def __init__(
        self,
        soon_seconds: float = 5,
        first_seconds: float = 1,
        longest_seconds: float = 30,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._soon_seconds = soon_seconds
        self._first_seconds = first_seconds
        self._longest_seconds = longest_seconds
        self._clock = clock
        self._strikes = 0
        self._until = clock()

    @property
    def seconds(self) -> float:
        """How long no worker may be started; 0: it may."""
        return max(0.0, self._until - self._clock())

    def ended(self, lived_seconds: float) -> None:
        """A worker ended, or never came to work."""
        if lived_seconds > self._soon_seconds:
            self._strikes = 0
            return
        self._strikes += 1
        if self._strikes > 1:
            doublings = min(self._strikes - 2, _MOST_DOUBLINGS)
            pause = min(self._first_seconds * 2**doublings, self._longest_seconds)
            self._until = self._clock() + pause
