"""The results as Markdown tables and as JSON."""

from collections.abc import Iterable, Sequence
from typing import Any

import attrs

from bench.figures import Figure, Figures
from bench.machine import Machine
from bench.targets import Verdict


def markdown(figures: Figures, verdicts: Sequence[Verdict], machine: Machine) -> str:
    """Everything that was measured, for people."""
    return "\n\n".join(filter(None, (_machine(machine), _figures(figures), _verdicts(verdicts))))


def document(figures: Figures, verdicts: Sequence[Verdict], machine: Machine) -> dict[str, Any]:
    """Everything that was measured, every round of it, for programs."""
    return {
        "machine": attrs.asdict(machine),
        "figures": {
            figure.name.lower(): {
                "title": figure.title,
                "unit": figure.unit,
                "peers": {
                    peer: {
                        "median": figures.median(figure, peer),
                        "rounds": figures.rounds(figure, peer),
                    }
                    for peer in figures.peers()
                    if figures.rounds(figure, peer)
                },
            }
            for figure in figures.measured()
        },
        "targets": [
            {"target": each.target.text, "reached": each.reached, "met": each.met}
            for each in verdicts
        ],
    }


def _machine(machine: Machine) -> str:
    versions = ", ".join(f"{name} {text}" for name, text in machine.versions.items())
    return (
        f"{machine.cores} cores of {machine.cpu}, {machine.memory_gib} GiB, Linux {machine.kernel},"
        f" Python {machine.python}, load before {machine.busy},"
        f" {machine.open_files} open files; {versions}"
    )


def _figures(figures: Figures) -> str:
    peers = figures.peers()
    rows = [
        [figure.title, figure.unit, *(_cell(figures, figure, peer) for peer in peers)]
        for figure in figures.measured()
    ]
    return _table(["median of rounds", "unit", *peers], rows)


def _cell(figures: Figures, figure: Figure, peer: str) -> str:
    value = figures.median(figure, peer)
    return "" if value is None else figure.shown(value)


def _verdicts(verdicts: Sequence[Verdict]) -> str:
    rows = [
        [each.target.text, f"{each.reached:,.2f}", "met" if each.met else "MISSED"]
        for each in verdicts
    ]
    return _table(["target", "reached", ""], rows) if rows else ""


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [list(head), *map(list, rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    drawn = [
        "| "
        + " | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        + " |"
        for line in lines
    ]
    rule = "|" + "|".join("-" * (width + 2) for width in widths) + "|"
    return "\n".join([drawn[0], rule, *drawn[1:]])
