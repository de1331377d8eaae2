"""A ``.env`` file in the working directory, which the programs read in development."""

from collections.abc import Mapping
from pathlib import Path

import attrs
from dotenv.parser import parse_stream


@attrs.frozen
class DotenvError(Exception):
    """A ``.env`` file that cannot be used.

    Args:
        faults: a place, what is wrong there, and how to mend it.
    """

    faults: tuple[tuple[str, str, str], ...]

    def __str__(self) -> str:
        return "\n".join(f"{place}: {what}. {remedy}." for place, what, remedy in self.faults)


def with_dotenv(environ: Mapping[str, str], path: Path) -> dict[str, str]:
    """The environment and, in development, what a ``.env`` file adds to it.

    Args:
        environ: wins over the file.
        path: need not exist.

    Raises:
        DotenvError: the file cannot be read or has lines that say nothing.
    """
    if environ.get("ENVIRONMENT", "").strip().lower() == "production" or not path.exists():
        return dict(environ)
    try:
        with path.open(encoding="utf-8") as file:
            bindings = list(parse_stream(file))
    except (OSError, UnicodeDecodeError) as error:
        fault = (str(path), f"cannot be read ({error})", "Mend or remove the file")
        raise DotenvError((fault,)) from None
    wrong = [line.original.line for line in bindings if line.error]
    if wrong:
        what = ("is no NAME=VALUE", "Mend or remove the line")
        raise DotenvError(tuple((f"{path}:{line}", *what) for line in wrong))
    return {line.key: line.value for line in bindings if line.key and line.value} | dict(environ)
