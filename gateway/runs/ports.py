"""What runs ask of the process around them."""

from typing import Protocol

from gateway.runs.lifecycle import RunEnded


class TurnMetrics(Protocol):
    """Counts of turns; labels are bounded by whoever implements it."""

    def turn_ended(self, surface: str, ending: RunEnded) -> None:
        """A turn ended, stored or not."""
        ...

    def tool_called(self, *, failed: bool) -> None:
        """A function was run."""
        ...

    def upstream_called(self, outcome: str) -> None:
        """A call of a model was ``answered``, or failed for a value of ``engines.errors.Cause``."""
        ...
