"""What the gateway has to reach, and whether it does."""

import operator
from collections.abc import Callable, Iterator

import attrs

from bench.figures import Figure, Figures

_US = "gateway"


@attrs.frozen
class Target:
    """A bound on one figure of the gateway, or on its ratio to a peer's.

    Args:
        figure: of the gateway.
        bound: in the figure's unit, or a ratio.
        holds: compares what was reached to the bound.
        peer: the one that a ratio is taken to; None: the figure itself is bounded.
        inverse: whether the ratio is the peer's figure over ours: how many times less we need.
        full_scale: whether it says something about a full run only.
    """

    text: str
    figure: Figure
    bound: float
    holds: Callable[[float, float], bool] = operator.lt
    peer: str | None = None
    inverse: bool = False
    full_scale: bool = True


@attrs.frozen
class Verdict:
    """What became of a target.

    Args:
        reached: the value that is compared to the bound.
    """

    target: Target
    reached: float
    met: bool


TARGETS = (
    Target(
        "JSON turns per CPU second: at least 3 times the relay's",
        Figure.JSON_PER_CPU,
        3,
        operator.ge,
        peer="relay",
        full_scale=False,
    ),
    Target(
        "burst events: at most a 15th of the relay's CPU",
        Figure.BURST_CPU,
        15,
        operator.ge,
        peer="relay",
        inverse=True,
        full_scale=False,
    ),
    Target(
        "paced events: at most 5 times nginx's CPU",
        Figure.PACED_CPU,
        5,
        operator.le,
        peer="nginx",
        full_scale=False,
    ),
    Target("1,000 open streams: first event p99 under 150 ms", Figure.STREAMS_P99, 150),
    Target("1,000 open streams: under 45 MB", Figure.STREAMS_RSS, 45),
    Target("10,000 tenants: under 50 MB above an idle process", Figure.TENANTS_RSS, 50),
    Target("idle with 1,000 tenants: under 90 MB", Figure.IDLE_RSS, 90),
    Target("ready in under 1.5 s with 1,000 tenants", Figure.READY, 1.5),
)


def verdicts(figures: Figures, *, full_scale: bool) -> Iterator[Verdict]:
    """What became of every target whose figures were measured at the scale that it speaks of."""
    for target in TARGETS:
        reached = _reached(target, figures)
        if reached is not None and (full_scale or not target.full_scale):
            yield Verdict(target, reached, target.holds(reached, target.bound))


def _reached(target: Target, figures: Figures) -> float | None:
    ours = figures.median(target.figure, _US)
    if target.peer is None or ours is None:
        return ours
    theirs = figures.median(target.figure, target.peer)
    if theirs is None:
        return None
    return theirs / ours if target.inverse else ours / theirs
