"""Compare-and-swap until it holds: everybody who writes one object gets their turn."""

import random
import time
from collections.abc import Callable, Iterator
from itertools import repeat
from typing import TypeAlias

from tenants.releases.errors import ContendedError

Sleep: TypeAlias = Callable[[float], None]

_TRIES = 40
_FIRST_SECONDS = 0.05
_LONGEST_SECONDS = 2.0  # a bucket takes about one write a second of one object


def tries(name: str, sleep: Sleep = time.sleep) -> Iterator[None]:
    """Yield for each try, with pauses of random length between them.

    Args:
        name: of the object that is written.
        sleep: waits, in seconds.

    Raises:
        ContendedError: that was the last try.
    """
    longest = _FIRST_SECONDS
    for _ in repeat(None, _TRIES):
        yield
        sleep(random.uniform(0, longest))  # noqa: S311  (spreads writers, hides nothing)
        longest = min(2 * longest, _LONGEST_SECONDS)
    raise ContendedError(name)
