"""Where a server is started, and how."""

from collections.abc import Mapping
from pathlib import Path

import attrs


@attrs.frozen
class Site:
    """A place for one server.

    Args:
        folder: its own, empty but for what the bench puts there.
        upstream: the simulator's base URL, ending in ``/v1``.
        port: free, on the loopback address.
    """

    folder: Path
    upstream: str
    port: int


@attrs.frozen
class Command:
    """How a server is started.

    Args:
        arguments: the program's path and its arguments.
        environment: variables beside those of this process.
    """

    arguments: tuple[str, ...]
    environment: Mapping[str, str] = attrs.field(factory=dict)


@attrs.frozen
class MissingPeerError(Exception):
    """A server is not on this machine.

    Args:
        reason: what is missing.
    """

    reason: str

    def __str__(self) -> str:
        return self.reason


@attrs.frozen
class NotServingError(Exception):
    """A server did not become ready.

    Args:
        name: of the server.
        log: the end of what it wrote.
    """

    name: str
    log: str

    def __str__(self) -> str:
        return f"{self.name} does not serve:\n{self.log}"


@attrs.frozen
class WrongAnswerError(Exception):
    """A server answered wrongly, so its figures say nothing.

    Args:
        name: of the server.
        wrong: how many answers.
        total: of how many.
        example: what is wrong with the first.
    """

    name: str
    wrong: int
    total: int
    example: str

    def __str__(self) -> str:
        return f"{self.name}: {self.wrong} of {self.total} answers are wrong, as: {self.example}"
