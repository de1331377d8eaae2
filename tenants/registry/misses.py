"""What is remembered of ids that led nowhere, so that a flood of them is no flood of reads."""

from collections.abc import Callable
from typing import TypeAlias

from tenants.errors import TenantUnavailableError, UnknownTenantError

Miss: TypeAlias = type[UnknownTenantError] | type[TenantUnavailableError]

_MOST = 4096
_BURST = 200.0
_PER_SECOND = 20.0


class Misses:
    """Answers for ids that were looked for in vain, and how many more may be looked for.

    Args:
        clock: monotonic seconds.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._answers: dict[str, tuple[Miss, float]] = {}
        self._left = _BURST
        self._counted_at = clock()

    def answer(self, tenant_id: str) -> Miss | None:
        """What was found out about an id a moment ago, if it was."""
        miss, until = self._answers.get(tenant_id, (None, 0.0))
        return miss if self._clock() < until else None

    def remember(self, tenant_id: str, miss: Miss, seconds: float) -> None:
        """Answer so for a while; the oldest of too many answers are forgotten."""
        self.forget(tenant_id)
        self._answers[tenant_id] = (miss, self._clock() + seconds)
        if len(self._answers) > _MOST:
            del self._answers[next(iter(self._answers))]

    def forget(self, tenant_id: str) -> None:
        """Look for it again when it is asked for."""
        self._answers.pop(tenant_id, None)

    def forget_all(self) -> None:
        """Look for every id again."""
        self._answers.clear()

    def spend(self) -> bool:
        """Whether one more id may be looked for; what is found costs nothing (``refund``)."""
        now = self._clock()
        self._left = min(_BURST, self._left + (now - self._counted_at) * _PER_SECOND)
        self._counted_at = now
        if self._left < 1:
            return False
        self._left -= 1
        return True

    def refund(self) -> None:
        """The id that was looked for was found."""
        self._left += 1
