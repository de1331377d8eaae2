"""Objects that are opened at their first use: vendors' libraries are slow to import."""

import threading
from collections.abc import Callable, Iterator, Mapping

from tenants.registry.objects import Listed, Objects, Stored


class DeferredObjects:
    """Objects that whoever asks first opens, on a thread of theirs.

    Args:
        connect: opens them.
    """

    def __init__(self, connect: Callable[[], Objects]) -> None:
        self._connect = connect
        self._opening = threading.Lock()
        self._objects: Objects | None = None

    def read(self, name: str) -> Stored | None:
        """See ``Objects``."""
        return self._opened().read(name)

    def changed(self, name: str, since: int) -> Stored | None:
        """See ``Objects``."""
        return self._opened().changed(name, since)

    def write(
        self,
        name: str,
        content: bytes,
        *,
        expected: int | None,
        labels: Mapping[str, str] | None = None,
    ) -> int:
        """See ``Objects``."""
        return self._opened().write(name, content, expected=expected, labels=labels)

    def delete(self, name: str) -> None:
        """See ``Objects``."""
        self._opened().delete(name)

    def list(self, pattern: str) -> Iterator[Listed]:
        """See ``Objects``."""
        return self._opened().list(pattern)

    def _opened(self) -> Objects:
        with self._opening:
            if self._objects is None:
                self._objects = self._connect()
            return self._objects
