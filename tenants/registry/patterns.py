"""Names of objects, and patterns of them: ``*`` is anything but a slash, ``**`` is anything."""

import re
from collections.abc import Sequence

_ODD_PARTS = {"", ".", ".."}


class Pattern:
    """A pattern of names.

    Args:
        text: as ``Objects.list`` takes it.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        self.fixed_start = text.partition("*")[0]
        self._whole = _compiled(text)
        self._parts = [(part, _compiled(part)) for part in text.split("/")]

    def matches(self, name: str) -> bool:
        """Whether this is such a name."""
        return self._whole.fullmatch(name) is not None

    def may_match_below(self, parts: Sequence[str]) -> bool:
        """Whether a name may match that has more parts than these, which it begins with."""
        for (text, expression), part in zip(self._parts, parts, strict=False):
            if "**" in text:
                return True
            if not expression.fullmatch(part):
                return False
        return len(parts) < len(self._parts)


def parts_of(name: str) -> list[str]:
    """What stands between the slashes of a name.

    Raises:
        ValueError: no object can have that name, on any adapter.
    """
    parts = name.split("/")
    if not _ODD_PARTS.isdisjoint(parts) or not name.isprintable():
        raise ValueError(f"no name of an object: {name!r}")
    return parts


def _compiled(text: str) -> re.Pattern[str]:
    return re.compile("".join(map(_expression, re.findall(r"\*\*|\*|[^*]+", text))))


def _expression(token: str) -> str:
    return {"**": ".*", "*": "[^/]*"}.get(token) or re.escape(token)
