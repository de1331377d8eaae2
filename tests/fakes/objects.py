"""A writer that is killed between two of its writes, on any place that keeps a registry."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from tenants.registry.objects import Listed, Objects, Stored


class KilledError(BaseException):
    """The writer is no more; no ``except Exception`` of the code under test sees it."""


class Interrupted:
    """Objects whose user is killed once it has written and deleted so many times.

    Args:
        objects: where they really are.
        writes: how many succeed.

    Attributes:
        wrote: the names that were written or deleted, oldest first.
    """

    def __init__(self, objects: Objects, *, writes: int) -> None:
        self.wrote: list[str] = []
        self._objects = objects
        self._writes = writes
        self._killed = False

    def read(self, name: str) -> Stored | None:
        """See ``Objects``."""
        return self._alive().read(name)

    def changed(self, name: str, since: int) -> Stored | None:
        """See ``Objects``."""
        return self._alive().changed(name, since)

    def write(
        self,
        name: str,
        content: bytes,
        *,
        expected: int | None,
        labels: Mapping[str, str] | None = None,
    ) -> int:
        """See ``Objects``."""
        self._about_to_write()
        generation = self._alive().write(name, content, expected=expected, labels=labels)
        self.wrote.append(name)
        return generation

    def delete(self, name: str) -> None:
        """See ``Objects``."""
        self._about_to_write()
        self._alive().delete(name)
        self.wrote.append(name)

    def list(self, pattern: str) -> Iterator[Listed]:
        """See ``Objects``."""
        return self._alive().list(pattern)

    def _about_to_write(self) -> None:
        self._killed = self._killed or len(self.wrote) >= self._writes

    def _alive(self) -> Objects:
        if self._killed:
            raise KilledError
        return self._objects


class Meddled:
    """Objects where something happens right before one of them is written first.

    Args:
        objects: where they really are.
        name: of the one.
        meddle: what happens.
    """

    def __init__(self, objects: Objects, name: str, meddle: Callable[[], object]) -> None:
        self._objects = objects
        self._name = name
        self._meddle: Callable[[], object] | None = meddle

    def __getattr__(self, name: str) -> Any:
        return getattr(self._objects, name)

    def write(self, name: str, content: bytes, **options: Any) -> int:
        """See ``Objects``."""
        meddle = self._meddle
        if name == self._name and meddle is not None:
            self._meddle = None
            meddle()
        return self._objects.write(name, content, **options)
