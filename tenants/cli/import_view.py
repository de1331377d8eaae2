"""What ``tenantctl import`` shows: the files as a diff, and the report on every field."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import attrs

from migrations_of_config.earlier.report import Imported, Lost, Placed, Quarantined, Todo
from migrations_of_config.errors import EarlierConfigError
from tenants.cli.diffs import unified
from tenants.cli.output import Line
from tenants.errors import Fault


@attrs.frozen
class Outcome:
    """How an import ended.

    Args:
        faults: what keeps the tenant from being served yet.
        written: whether the directory was written.
    """

    imported: Imported
    directory: Path
    faults: tuple[Fault, ...]
    written: bool

    @property
    def todo(self) -> list[str]:
        """What the operator must do, last of all to check the tenant."""
        given = [each.text for each in self.imported.entries if isinstance(each, Todo)]
        return [
            *given,
            *(str(fault) for fault in self.faults),
            f"tenantctl validate {self.directory}",
        ]

    def last_words(self) -> Iterator[Line]:
        """What was done."""
        if not self.written:
            yield "Nothing was written: this was a dry run."
            return
        yield f"{self.directory} is written.", "bold green"
        if self.faults:
            yield "This version cannot serve it before what is still to do is done.", "yellow"


def preview(outcome: Outcome, before: Mapping[str, str]) -> Iterator[Line]:
    """The files as a diff, then the report.

    Args:
        outcome: what would be done.
        before: the texts that stand there already.
    """
    imported = outcome.imported
    yield f"{imported.tenant_id}: {imported.generation} of the earlier service", "bold"
    for name, text in imported.files.items():
        yield from unified(f"{outcome.directory}/{name}", before.get(name), text)
    yield from _section("Mapped", _mapped(imported))
    yield from _section("Dropped", _lost(imported, notice=True))
    yield from _section("Without a place", _lost(imported, notice=False), "yellow")
    yield from _section("Quarantined", _quarantined(imported), "red")
    yield from _section("Still to do", outcome.todo, "bold")
    yield ""


def report_json(outcome: Outcome) -> dict[str, Any]:
    """The same for programs."""
    imported = outcome.imported
    placed = [each for each in imported.entries if isinstance(each, Placed)]
    lost = [each for each in imported.entries if isinstance(each, Lost)]
    return {
        "tenant_id": imported.tenant_id,
        "generation": imported.generation,
        "directory": str(outcome.directory),
        "written": outcome.written,
        "files": imported.files,
        "mapped": [
            {"from": each.source, "to": each.target, "reason": each.reason}
            for each in placed
            if each.source
        ],
        "defaults": [
            {"to": each.target, "reason": each.reason} for each in placed if not each.source
        ],
        "dropped": [_lost_json(each) for each in lost if each.notice],
        "unplaced": [_lost_json(each) for each in lost if not each.notice],
        "quarantined": [*_quarantined(imported)],
        "todo": outcome.todo,
        "valid": not outcome.faults,
        "faults": [attrs.asdict(fault) for fault in outcome.faults],
    }


def refusal_json(error: EarlierConfigError) -> dict[str, Any]:
    """A refused configuration for programs."""
    return {"written": False, "errors": [attrs.asdict(fault) for fault in error.faults]}


def told(error: EarlierConfigError) -> Iterator[str]:
    """A refused configuration in words; each line goes on after the file's name."""
    for fault in error.faults:
        place = f":{fault.line}" if fault.line else ""
        yield (
            f"{place}: {fault.field}: {fault.message}"
            if fault.field
            else (f"{place}: {fault.message}")
        )


def _section(title: str, lines: Any, style: str = "") -> Iterator[Line]:  # noqa: ANN401  (any lines)
    found = [*lines]
    if found:
        yield from ("", (title, "bold underline"))
        yield from ((f"  {line}", style) for line in found)


def _mapped(imported: Imported) -> Iterator[str]:
    for each in imported.entries:
        if isinstance(each, Placed) and (each.source or each.reason):
            why = f"  ({each.reason})" if each.reason else ""
            yield f"{each.source or 'default'} -> {each.target}{why}"


def _lost(imported: Imported, *, notice: bool) -> Iterator[str]:
    for each in imported.entries:
        if isinstance(each, Lost) and each.notice == notice:
            yield f"{each.source} = {each.value}  ({each.reason})"


def _quarantined(imported: Imported) -> Iterator[str]:
    return (each.source for each in imported.entries if isinstance(each, Quarantined))


def _lost_json(each: Lost) -> dict[str, str]:
    return {"field": each.source, "value": each.value, "reason": each.reason}
