"""Who watches work upstream that takes long."""

from typing import Protocol

import attrs


class Watcher(Protocol):
    """Who is told how far the work is."""

    def told(self, what: str, done: int, total: int) -> None:
        """So much of something is done."""
        ...


@attrs.frozen
class Silent:
    """Nobody is told."""

    def told(self, what: str, done: int, total: int) -> None:
        """See ``Watcher``."""
