"""What a command prints: tables and colours on a terminal, plain ones in a pipe, or one object."""

import contextlib
import os
import sys
import threading
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any, TypeVar

import attrs
import msgspec
import rich_click as click
from rich import box
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from tenants.cli.errors import UnprintedError

Line = str | tuple[str, str]
T = TypeVar("T")
_GAP = "  "
_PATIENCE_SECONDS = 1.0
_MOST_IN_FRAMES = 1_000


@attrs.frozen
class Output:
    """Where a command's words go.

    Args:
        as_json: print one JSON object at the end and nothing else.
    """

    as_json: bool

    @property
    def interactive(self) -> bool:
        """Whether somebody sits there who can be asked."""
        # A standard input that was closed is None.
        there = sys.stdin is not None and sys.stdin.isatty()
        return not self.as_json and there and sys.stdout.isatty()

    def lines(self, lines: Iterable[Line]) -> None:
        """Print lines, each a text or a text and a style; none with JSON."""
        if not self.as_json:
            with _printing():
                _print(lines, _console())

    def table(self, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
        """Print a table; none with JSON. A very long one has no frames on a terminal either.

        Args:
            columns: their names.
            rows: as many texts each as there are columns.
        """
        if self.as_json:
            return
        shown = [[visible(cell) for cell in row] for row in rows]
        with _printing():
            if sys.stdout.isatty() and len(shown) <= _MOST_IN_FRAMES:
                _console().print(_table(columns, shown))
            else:
                _print(_aligned([[each.upper() for each in columns], *shown]), _console())

    def track(self, items: Iterable[T], what: str, total: int | None) -> Iterator[T]:
        """The items, with a progress bar on a terminal where that takes more than a second.

        Args:
            items: passed on.
            what: is done with them.
            total: how many there are, where that is known.
        """
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
        )
        if self.as_json or not sys.stdout.isatty():
            yield from items
            return
        progress = Progress(*columns, console=_console(), transient=True)
        late = threading.Timer(_PATIENCE_SECONDS, progress.start)
        late.daemon = True
        late.start()
        try:
            yield from progress.track(items, total=total, description=what)
        finally:
            late.cancel()
            late.join()
            progress.stop()

    def done(self, value: Any, lines: Iterable[Line] = ()) -> None:  # noqa: ANN401  (any JSON)
        """Print the outcome."""
        if self.as_json:
            with _printing():
                _print_json(value)
        self.lines(lines)

    def refused(self, value: Any, lines: Iterable[Line]) -> None:  # noqa: ANN401  (any JSON)
        """Print why nothing was done: JSON on standard output, words on standard error."""
        if self.as_json:
            with contextlib.suppress(UnprintedError), _printing():
                _print_json(value)
                return
        _print(((line, "red") if isinstance(line, str) else line for line in lines), _errors())

    def failed(self, lines: Sequence[str], hints: Iterable[Line] = ()) -> None:
        """As ``refused``, where there is nothing to tell a program but the words.

        Args:
            lines: a fault each.
            hints: for people alone.
        """
        errors = [{"field": "", "message": line} for line in lines]
        self.refused({"errors": errors}, [*lines, *hints])

    def ask(self, question: str, *, yes: bool) -> bool:
        """Whether the operator agrees; who cannot be asked does not.

        Args:
            question: answered by y or n.
            yes: it was answered on the command line.
        """
        return yes or (self.interactive and click.confirm(question))


def visible(text: str) -> str:
    """The text with what would steer a terminal written out."""
    if text.isprintable():
        return text
    return "".join(
        each if each.isprintable() or each == "\t" else ascii(each)[1:-1] for each in text
    )


def date(seconds: float | None, none: str = "never") -> str:
    """A Unix time for people."""
    if seconds is None:
        return none
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M UTC")


@contextlib.contextmanager
def _printing() -> Iterator[None]:
    """Tell what a full disk and the like do to standard output; a reader that left is no fault.

    Raises:
        UnprintedError: it cannot be written.
    """
    try:
        yield
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        # What is left of it would be written at the end of the program, and fail there once more.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise UnprintedError(error.strerror or str(error)) from error


def _console() -> Console:
    return Console(highlight=False, soft_wrap=True)


def _errors() -> Console:
    return Console(stderr=True, highlight=False, soft_wrap=True)


def _print(lines: Iterable[Line], console: Console) -> None:
    for line in lines:
        text, style = (line, "") if isinstance(line, str) else line
        if style and console.is_terminal:
            console.print(Text(visible(text), style))
        else:  # Of 10,000 lines, Rich's formatting takes seconds.
            console.file.write(f"{visible(text)}\n")


def _print_json(value: Any) -> None:  # noqa: ANN401  (any JSON)
    click.echo(msgspec.json.encode(value))  # JSON is UTF-8, whatever the terminal's encoding is.


def _table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for number, column in enumerate(columns):
        table.add_column(column, overflow="fold", no_wrap=number == 0)  # An id can be copied.
    for row in rows:
        table.add_row(*map(Text, row))
    return table


def _aligned(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        yield _GAP.join(cells).rstrip()
