"""On which line of a TOML text a key stands (TOML 1.0), for messages that a person can follow."""

import re
from collections.abc import Iterator, Mapping

Path = tuple[str | int, ...]

_PIECE = re.compile(
    r"""
      (?P<space>[ \t\r]+|\#[^\n]*)
    | (?P<string>\"\"\"(?:\\.|[^\\])*?\"{3,5}|'''.*?'{3,5}|"(?:\\.|[^"\\\n])*"|'[^'\n]*')
    | (?P<newline>\n)
    | (?P<mark>[\[\]{}.,=])
    | (?P<bare>[^\s\[\]{}.,=#"']+)
    """,
    re.VERBOSE | re.DOTALL,
)


def line_of(text: str, path: Path) -> int | None:
    """The line, from 1, of a key; of the nearest table around it where the key itself is absent.

    Args:
        text: a TOML document.
        path: the keys from the root; an array's elements count from 0.

    Returns:
        The line, or None where not even the outermost table is written.
    """
    lines = _index(text)
    for length in range(len(path), 0, -1):
        line = lines.get(path[:length])
        if line is not None:
            return line
    return None


def _index(text: str) -> Mapping[Path, int]:
    found: dict[Path, int] = {}
    table: Path = ()
    for line, statement in _statements(text):
        brackets = _leading_brackets(statement)
        keys = _keys(statement[brackets:])
        table = keys if brackets else table
        path = keys if brackets else (*table, *keys)
        for length in range(1, len(path) + 1):
            found.setdefault(path[:length], line)
    return found


def _leading_brackets(statement: list[str]) -> int:
    return next((at for at, piece in enumerate(statement) if piece != "["), len(statement))


def _keys(statement: list[str]) -> Path:
    keys = []
    for piece in statement:
        if piece in {"=", "]"}:
            break
        if piece != ".":
            keys.append(piece.strip("\"'"))
    return tuple(keys)


def _statements(text: str) -> Iterator[tuple[int, list[str]]]:
    """Each header or pair with the line that it begins on; pairs may go over many lines."""
    line, depth, began = 1, 0, 1
    statement: list[str] = []
    for match in _PIECE.finditer(text):
        piece = match.group()
        if match.lastgroup == "newline" and depth == 0:
            if statement:
                yield began, statement
            statement = []
        elif match.lastgroup in {"string", "mark", "bare"}:
            began = began if statement else line
            statement.append(piece)
            depth += (piece in {"[", "{"}) - (piece in {"]", "}"})
        line += piece.count("\n")
    if statement:
        yield began, statement
