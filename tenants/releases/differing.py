"""What is different between two sets of a tenant's files."""

import difflib
import hashlib
from collections.abc import Iterator, Mapping
from typing import Literal, TypeAlias

import attrs

Kind: TypeAlias = Literal["added", "removed", "changed"]
_NAMED_DIGITS = 12  # of a file's SHA-256
_MOST_LINES = 5_000  # of a file: comparing takes the square of them, a second for twice as many


@attrs.frozen
class FileDifference:
    """One file that is not the same.

    Args:
        lines: of a unified diff, without line ends; of a file that is binary or has more than
            5,000 lines its digests.
    """

    name: str
    kind: Kind
    lines: tuple[str, ...]


def differences(
    before: Mapping[str, bytes], after: Mapping[str, bytes]
) -> Iterator[FileDifference]:
    """The files that differ, by name.

    Args:
        before: files by name.
        after: files by name.
    """
    for name in sorted({*before, *after}):
        old, new = before.get(name), after.get(name)
        if old == new:
            continue
        yield FileDifference(name, _kind(old, new), tuple(_lines(name, old, new)))


def _kind(old: bytes | None, new: bytes | None) -> Kind:
    if old is None:
        return "added"
    return "removed" if new is None else "changed"


def _lines(name: str, old: bytes | None, new: bytes | None) -> Iterator[str]:
    before, after = _split(old), _split(new)
    if before is None or after is None:
        yield f"binary {name}: {_named(old)} -> {_named(new)}"
        return
    if max(len(before), len(after)) > _MOST_LINES:
        yield f"long {name}: {_named(old)} -> {_named(new)}"
        return
    found = difflib.unified_diff(
        before,
        after,
        "/dev/null" if old is None else f"a/{name}",
        "/dev/null" if new is None else f"b/{name}",
        lineterm="",
    )
    yield from list(found) or [f"{name}: only the ends of lines differ, or it is empty"]


def _split(content: bytes | None) -> list[str] | None:
    """The lines of a file, where it is text."""
    content = content or b""
    try:
        return None if b"\0" in content else content.decode().splitlines()
    except UnicodeDecodeError:
        return None


def _named(content: bytes | None) -> str:
    if content is None:
        return "none"
    digest = hashlib.sha256(content).hexdigest()[:_NAMED_DIGITS]
    return f"{len(content):,} bytes, SHA-256 {digest}"
