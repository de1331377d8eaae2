"""What keeps a command from being done, where no other package says it."""

from pathlib import Path

import attrs


class CliError(Exception):
    """Root of these errors; the text of each says what is wrong and how to mend it."""


@attrs.frozen
class RefusedError(CliError):
    """The operator said no, or could not be asked.

    Args:
        what: was not done.
    """

    what: str

    def __str__(self) -> str:
        return f"{self.what}: nobody agreed. Answer y, or say --yes."


@attrs.frozen
class OccupiedError(CliError):
    """Where something is to be written, something is."""

    path: Path

    def __str__(self) -> str:
        return f"{self.path} is there already, and not an empty directory: name a new one."
