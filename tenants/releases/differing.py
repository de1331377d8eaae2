"""What is different between two sets of a tenant's files."""

import difflib
import hashlib
from collections.abc import Iterator, Mapping
from typing import Literal, TypeAlias

import attrs

Kind: TypeAlias = Literal["added", "removed", "changed"]
_NAMED_DIGITS = 12  # of a binary file's SHA-256


@attrs.frozen
class FileDifference:
    """One file that is not the same.

    Args:
        lines: of a unified diff, without line ends; of a binary file its digests.
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
    texts = _text(old), _text(new)
    if texts[0] is None or texts[1] is None:
        yield f"binary {name}: {_named(old)} -> {_named(new)}"
        return
    found = difflib.unified_diff(
        texts[0].splitlines(),
        texts[1].splitlines(),
        "/dev/null" if old is None else f"a/{name}",
        "/dev/null" if new is None else f"b/{name}",
        lineterm="",
    )
    yield from list(found) or [f"{name}: only the ends of lines differ, or it is empty"]


def _text(content: bytes | None) -> str | None:
    """A file as text, where it is text."""
    content = content or b""
    try:
        return None if b"\0" in content else content.decode()
    except UnicodeDecodeError:
        return None


def _named(content: bytes | None) -> str:
    if content is None:
        return "none"
    digest = hashlib.sha256(content).hexdigest()[:_NAMED_DIGITS]
    return f"{len(content):,} bytes, SHA-256 {digest}"
