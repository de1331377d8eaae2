"""Reads a profile: which packages and which functions the time goes to."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import PurePath
from typing import TypeAlias

import attrs

Place: TypeAlias = tuple[str, int, str]
_Timing: TypeAlias = tuple[int, int, float, float]
Stats: TypeAlias = Mapping[Place, tuple[int, int, float, float, Mapping[Place, _Timing]]]
_BUILT_IN = "~"
_OURS = ("gateway", "tenants", "bench")


@attrs.frozen
class Spot:
    """A function of Python's.

    Args:
        place: file, line and name.
        seconds: spent in itself and in the built-in functions that it calls.
        inclusive_seconds: with all that it calls.
        calls: a coroutine is called again each time it goes on.
    """

    place: Place
    seconds: float
    inclusive_seconds: float
    calls: int

    @property
    def is_ours(self) -> bool:
        """Whether it belongs to this repository."""
        return short(self.place[0]).startswith(_OURS)

    def __str__(self) -> str:
        file, line, name = self.place
        return f"{short(file)}:{line} {name}"


def spots(stats: Stats) -> list[Spot]:
    """Every function of Python's, the dearest first.

    Args:
        stats: ``pstats.Stats(…).stats``.
    """
    seconds: Counter[Place] = Counter()
    for place, time in _charged(stats):
        seconds[place] += time  # type: ignore[assignment]  # a Counter counts seconds as well
    return [
        Spot(place, time, stats[place][3], stats[place][1])
        for place, time in seconds.most_common()
        if place in stats
    ]


def packages(found: Sequence[Spot]) -> list[tuple[str, float]]:
    """The seconds of each package, ours by sub-package, the dearest first."""
    seconds: dict[str, float] = {}
    for spot in found:
        name = _package(spot.place[0])
        seconds[name] = seconds.get(name, 0.0) + spot.seconds
    return sorted(seconds.items(), key=lambda each: -each[1])


def short(file: str) -> str:
    """A file's path from its package on."""
    parts = PurePath(file).parts
    for root in ("site-packages", "python3.11", *_OURS):
        if root in parts:
            place = len(parts) - 1 - parts[::-1].index(root)
            return "/".join(parts[place + (root not in _OURS) :])
    return file


def _charged(stats: Stats) -> Iterator[tuple[Place, float]]:
    """Each function's own time; that of built-in ones goes to their callers."""
    for place, (_, _, own, _, callers) in stats.items():
        if place[0] != _BUILT_IN or not callers:
            yield place, own
        else:
            yield from ((caller, timing[2]) for caller, timing in callers.items())


def _package(file: str) -> str:
    parts = short(file).split("/")
    return "/".join(parts[:2]) if parts[0] in _OURS else parts[0].removesuffix(".py")
