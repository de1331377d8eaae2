"""Reading a secret's value from an operator: never from the command line, never shown."""

import sys

import rich_click as click

from tenants.cli.errors import BadSecretError
from tenants.secrets.stored import MOST_BYTES, value_fault


def read_value() -> str:
    """A value from standard input, or typed unseen where that is a terminal.

    One newline at its end is no part of it.

    Raises:
        BadSecretError: it cannot be a secret's value.
    """
    value = _typed() if sys.stdin.isatty() else _piped()
    if fault := value_fault(value):
        raise BadSecretError(fault)
    return value


def _typed() -> str:
    text: str = click.prompt(
        "Value (it is not shown)", hide_input=True, default="", show_default=False
    )
    return text


def _piped() -> str:
    longest = MOST_BYTES + len("\r\n")
    content = sys.stdin.buffer.read(longest + 1)
    try:
        # What is too long may be cut within a character; it is refused for its length.
        text = content.decode(errors="strict" if len(content) <= longest else "replace")
    except UnicodeDecodeError:
        raise BadSecretError("the value is not UTF-8") from None
    return text.removesuffix("\n").removesuffix("\r")
