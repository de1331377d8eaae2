"""What a command prints: lines with a style on a terminal, plain ones in a pipe, or one object."""

import sys
from collections.abc import Iterable
from typing import Any

import attrs
import msgspec
from rich.console import Console
from rich.text import Text

Line = str | tuple[str, str]


@attrs.frozen
class Output:
    """Where a command's words go.

    Args:
        as_json: print one JSON object at the end and nothing else.
    """

    as_json: bool

    def lines(self, lines: Iterable[Line]) -> None:
        """Print lines, each a text or a text and a style; none with JSON."""
        if not self.as_json:
            _print(lines, Console(highlight=False, soft_wrap=True))

    def done(self, value: Any, lines: Iterable[Line]) -> None:  # noqa: ANN401  (any JSON)
        """Print the outcome."""
        if self.as_json:
            sys.stdout.write(f"{msgspec.json.encode(value).decode()}\n")
        self.lines(lines)

    def refused(self, value: Any, lines: Iterable[Line]) -> None:  # noqa: ANN401  (any JSON)
        """Print why nothing was done: JSON on standard output, words on standard error."""
        if self.as_json:
            sys.stdout.write(f"{msgspec.json.encode(value).decode()}\n")
        else:
            _print(((line, "red") if isinstance(line, str) else line for line in lines), _errors())


def visible(text: str) -> str:
    """The text with what would steer a terminal written out."""
    return "".join(
        each if each.isprintable() or each == "\t" else ascii(each)[1:-1] for each in text
    )


def _errors() -> Console:
    return Console(stderr=True, highlight=False, soft_wrap=True)


def _print(lines: Iterable[Line], console: Console) -> None:
    for line in lines:
        text, style = (line, "") if isinstance(line, str) else line
        console.print(Text(visible(text), style))
