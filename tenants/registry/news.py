"""Follows the change feed, and knows for how long that was not possible."""

from collections.abc import Callable
from functools import partial

import structlog

from tenants.registry.feed import BEGINNING, read_news
from tenants.registry.objects import Objects, ObjectsUnavailableError
from tenants.registry.pace import Pace
from tenants.registry.reads import read_in_time
from tenants.threads import Threads

_READING = 4  # One reads; the others are for reads that were given up and have not ended.
_MISSED_READS = 4
_log = structlog.get_logger(__name__)


class NewsReader:
    """Reads the feed from where it was left.

    Args:
        objects: the registry.
        pace: when a read is given up.
        clock: monotonic seconds.
    """

    def __init__(self, objects: Objects, pace: Pace, clock: Callable[[], float]) -> None:
        self._objects = objects
        self._pace = pace
        self._clock = clock
        self._threads = Threads(_READING)
        self._position = BEGINNING
        self._trouble = ""
        self._good_at = clock()

    @property
    def away(self) -> bool:
        """Whether the registry could not be read the last time."""
        return bool(self._trouble) and self._trouble != self._position.fault

    def stale_seconds(self) -> float:
        """For how long changes cannot be seen; 0: they can."""
        age = self._clock() - self._good_at
        # Also where nobody reads any longer, for whatever reason.
        return age if self._trouble or age > _MISSED_READS * self._pace.feed_seconds else 0.0

    def wait_seconds(self) -> float:
        """Until the next read."""
        return self._pace.retry_seconds if self._trouble else self._pace.feed_seconds

    async def read(self) -> frozenset[str] | None:
        """The tenants that have changed; None: any may have."""
        work = partial(read_news, self._objects, self._position)
        try:
            news = await read_in_time(self._threads, self._pace.feed_seconds, work)
        except ObjectsUnavailableError as error:
            self._note(error.detail)
            return frozenset()
        self._position = news.position
        self._note(news.position.fault)
        return news.tenants

    def _note(self, trouble: str) -> None:
        """Log the beginning and the end of trouble, once each."""
        if trouble and not self._trouble:
            _log.warning("registry_stale", reason=trouble)
        elif self._trouble and not trouble:
            _log.warning("registry_fresh", stale_seconds=round(self.stale_seconds(), 1))
        if not trouble:
            self._good_at = self._clock()
        self._trouble = trouble
