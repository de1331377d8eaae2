"""Which clients have been told the end of an ended run, so that an EventSource stops asking."""

from collections import OrderedDict

from gateway.runs.orchestrator import Joined
from gateway.runs.projections.conversation import ConversationProjection

_KEPT = 10_000


class Ends:
    """Knows the last number of each ended run.

    Where a run's owner died, the end is numbered after whatever its client has seen, so the
    numbers that were given are remembered, for as many runs as are likely to be asked for.
    """

    def __init__(self) -> None:
        self._given: OrderedDict[tuple[str, int], None] = OrderedDict()

    def told(self, joined: Joined, after: int) -> bool:
        """Whether a client that has seen ``after`` has seen the run's end."""
        last = _last_number(joined, after)
        if joined.ending is None or not joined.ending.lost:
            return after >= last
        if (joined.head.run_id, after) in self._given:
            return True
        self._given[joined.head.run_id, last] = None
        while len(self._given) > _KEPT:
            self._given.popitem(last=False)
        return False


def _last_number(joined: Joined, after: int) -> int:
    projection = ConversationProjection(after)
    last = 0
    for at, events in joined.log.since(0):
        numbered = projection.feed(at, events)
        last = numbered.first + len(numbered.frames) - 1
    return last
