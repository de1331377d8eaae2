"""From rounds to medians, verdicts, tables."""

import math

import attrs
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.figures import Figure, Figures
from bench.machine import machine
from bench.percentiles import percentile
from bench.tables import document, markdown
from bench.targets import TARGETS, verdicts


def measured(**values: float) -> Figures:
    """Figures of one round, named ``peer__figure``."""
    figures = Figures()
    for name, value in values.items():
        peer, _, figure = name.partition("__")
        figures.add(peer, {Figure[figure.upper()]: value})
    return figures


@given(values=st.lists(st.floats(0, 1e6), min_size=1), percent=st.integers(1, 100))
def test_percentile_is_the_nearest_rank(values, percent):
    """So many percent do not exceed it, and with anything smaller fewer would."""
    found = percentile(values, percent)

    needed = math.ceil(percent * len(values) / 100)
    assert found in values
    assert sum(value <= found for value in values) >= needed
    assert sum(value < found for value in values) < needed


def test_median_of_the_rounds_counts():
    """One disturbed round moves nothing, and every round is kept."""
    figures = Figures()
    for value in (3.0, 900.0, 1.0):
        figures.add("gateway", {Figure.JSON_CPU: value})

    assert figures.median(Figure.JSON_CPU, "gateway") == 3.0
    assert figures.rounds(Figure.JSON_CPU, "gateway") == [3.0, 900.0, 1.0]
    assert figures.median(Figure.JSON_CPU, "nginx") is None


@pytest.mark.parametrize(
    ("values", "reached", "met"),
    [
        ({"gateway__json_per_cpu": 3000, "relay__json_per_cpu": 1000}, 3, True),
        ({"gateway__json_per_cpu": 2990, "relay__json_per_cpu": 1000}, 2.99, False),
        ({"gateway__burst_cpu": 10, "relay__burst_cpu": 150}, 15, True),
        ({"gateway__burst_cpu": 10, "relay__burst_cpu": 149}, 14.9, False),
        ({"gateway__paced_cpu": 50, "nginx__paced_cpu": 10}, 5, True),
        ({"gateway__paced_cpu": 51, "nginx__paced_cpu": 10}, 5.1, False),
        ({"gateway__streams_p99": 149}, 149, True),
        ({"gateway__streams_p99": 150}, 150, False),
        ({"gateway__streams_rss": 45}, 45, False),
        ({"gateway__tenants_rss": 49}, 49, True),
        ({"gateway__idle_rss": 91}, 91, False),
        ({"gateway__ready": 1.4}, 1.4, True),
    ],
)
def test_targets_are_held_to(values, reached, met):
    """Each target compares what it says, in the direction that it says."""
    (verdict,) = verdicts(measured(**values), full_scale=True)

    assert verdict.reached == pytest.approx(reached)
    assert verdict.met is met


def test_what_was_not_measured_is_not_judged():
    """A ratio without its peer, and a full-scale target of a quick run, get no verdict."""
    alone = measured(gateway__json_per_cpu=3000, gateway__streams_rss=10, relay__burst_cpu=1)

    assert list(verdicts(alone, full_scale=False)) == []
    assert [each.target.figure for each in verdicts(alone, full_scale=True)] == [Figure.STREAMS_RSS]


def test_every_target_names_what_it_bounds():
    """A target's text carries its bound, so that the table can be read alone."""
    for target in TARGETS:
        assert f"{target.bound:g}" in target.text


def test_table_says_what_was_missed():
    """People see each figure beside its peers, the machine and the verdicts."""
    figures = measured(gateway__streams_rss=45.26, nginx__streams_rss=1.0, gateway__ready=1.0)

    text = markdown(figures, list(verdicts(figures, full_scale=True)), machine())

    lines = [" ".join(line.replace("|", " ").split()) for line in text.splitlines()]
    assert "median of rounds unit gateway nginx" in lines
    assert "open streams: RSS above idle MB 45.3 1.0" in lines
    assert "time to ready s 1.00" in lines
    assert "1,000 open streams: under 45 MB 45.26 MISSED" in lines
    assert "ready in under 1.5 s with 1,000 tenants 1.00 met" in lines
    assert f"Python {machine().python}" in text


def test_document_holds_every_round():
    """Programs get each value, the medians, the verdicts and the machine as JSON."""
    figures = measured(gateway__ready=1.0)
    figures.add("gateway", {Figure.READY: 2.0})
    found = list(verdicts(figures, full_scale=True))

    read = msgspec.json.decode(msgspec.json.encode(document(figures, found, machine())))

    assert read["figures"]["ready"]["peers"] == {"gateway": {"median": 1.5, "rounds": [1.0, 2.0]}}
    assert read["targets"][0]["met"] is False
    assert read["machine"] == attrs.asdict(machine()) | {"busy": read["machine"]["busy"]}
