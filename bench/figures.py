"""The figures that are measured, and their medians."""

from collections import defaultdict
from enum import Enum
from statistics import median

import attrs


class Figure(Enum):
    """What is measured: a title, a unit and how many decimals are worth showing."""

    JSON_CPU = ("CPU per JSON turn", "ms", 3)
    JSON_PER_CPU = ("JSON turns per CPU second", "1/s", 0)
    JSON_RATE = ("JSON turns per second", "1/s", 0)
    BURST_CPU = ("CPU per event, burst of 108", "us", 1)
    PACED_CPU = ("CPU per event, paced, 20 streams", "us", 1)
    FIRST_P50 = ("first event, p50", "ms", 2)
    FIRST_P99 = ("first event, p99", "ms", 2)
    STREAMS_P99 = ("open streams: first event, p99", "ms", 1)
    STREAMS_RSS = ("open streams: RSS above idle", "MB", 1)
    STREAMS_PSS = ("open streams: PSS above idle", "MB", 1)
    TENANTS_RSS = ("loaded tenants: RSS above idle", "MB", 1)
    TENANTS_PSS = ("loaded tenants: PSS above idle", "MB", 1)
    TENANT_CPU = ("CPU per tenant visited", "ms", 2)
    READY = ("time to ready", "s", 2)
    IDLE_RSS = ("idle: RSS", "MB", 1)
    IDLE_PSS = ("idle: PSS", "MB", 1)

    def __init__(self, title: str, unit: str, decimals: int) -> None:
        self.title = title
        self.unit = unit
        self.decimals = decimals

    def shown(self, value: float) -> str:
        """A value as it stands in a table."""
        return f"{value:,.{self.decimals}f}"


@attrs.frozen
class Figures:
    """Every value of every round."""

    _values: dict[tuple[Figure, str], list[float]] = attrs.field(
        factory=lambda: defaultdict(list), alias="values"
    )

    def add(self, peer: str, found: dict[Figure, float]) -> None:
        """Keep what one round of one server gave."""
        for figure, value in found.items():
            self._values[figure, peer].append(value)

    def median(self, figure: Figure, peer: str) -> float | None:
        """The median of the rounds, or None where it was not measured."""
        values = self._values.get((figure, peer))
        return median(values) if values else None

    def rounds(self, figure: Figure, peer: str) -> list[float]:
        """The values in the order of the rounds."""
        return list(self._values.get((figure, peer), ()))

    def peers(self) -> list[str]:
        """The servers that have a figure, in the order they were measured in first."""
        return list(dict.fromkeys(peer for _, peer in self._values))

    def measured(self) -> list[Figure]:
        """The figures that some server has, in the order of the table."""
        found = {figure for figure, _ in self._values}
        return [figure for figure in Figure if figure in found]
