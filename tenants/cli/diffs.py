"""Unified diffs, in the colours that people know."""

import difflib
from collections.abc import Iterable, Iterator
from typing import Any

from tenants.cli.output import Line
from tenants.releases.differing import FileDifference

_STYLES = {"+": "green", "-": "red", "@": "cyan"}


def styled(lines: Iterable[str]) -> Iterator[Line]:
    """The lines of a diff."""
    return ((line, _STYLES.get(line[:1], "")) for line in lines)


def unified(name: str, before: str | None, after: str) -> Iterator[Line]:
    """What becomes of a text.

    Args:
        name: of its file.
        before: None: there was no such file.
        after: what it says then.
    """
    old = "/dev/null" if before is None else name
    texts = (before or "").splitlines(), after.splitlines()
    return styled(difflib.unified_diff(*texts, old, name, lineterm=""))


def shown(differences: Iterable[FileDifference]) -> Iterator[Line]:
    """What differs between two sets of files."""
    for each in differences:
        yield from styled(each.lines)


def names_json(differences: Iterable[FileDifference]) -> list[dict[str, Any]]:
    """Which files differ, for programs."""
    return [{"name": each.name, "kind": each.kind} for each in differences]
