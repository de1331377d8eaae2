"""What the surfaces ask of the process around them."""

from contextlib import AbstractContextManager
from typing import Protocol


class StreamMetrics(Protocol):
    """Counts of open streams."""

    def streaming(self, surface: str) -> AbstractContextManager[object]:
        """A stream is open while this is entered; surfaces: ``sse``, ``websocket``."""
        ...

    def client_detached(self) -> None:
        """A client that did not read was detached."""
        ...
