"""What a registry asks of the place that keeps it: named bytes, each with a generation.

Everything here blocks, so a server calls it on a bounded number of threads.
"""

from collections.abc import Iterator, Mapping
from typing import Protocol

import attrs

from tenants.errors import TenantsError

NEW = 0
"""The generation of an object that does not exist."""


@attrs.frozen
class Stored:
    """An object as it was read.

    Args:
        generation: another one after each write, never ``NEW``.
    """

    content: bytes
    generation: int


@attrs.frozen
class Listed:
    """An object as a listing shows it.

    Args:
        name: from the registry's prefix on, such as ``tenants/acme/current.json``.
        labels: what was written beside its content.
    """

    name: str
    generation: int
    labels: Mapping[str, str]


@attrs.frozen
class ObjectChangedError(TenantsError):
    """A write expected another generation: somebody else wrote first."""

    name: str


@attrs.frozen
class ObjectsUnavailableError(TenantsError):
    """The place does not answer, refuses, or sent something broken; tried again already.

    Args:
        detail: why, and how to mend it; names the place, so it is for operators alone.
    """

    detail: str


class Objects(Protocol):
    """Named bytes with compare-and-swap. Every method raises ``ObjectsUnavailableError``."""

    def read(self, name: str) -> Stored | None:
        """An object, or None where there is none."""
        ...

    def changed(self, name: str, since: int) -> Stored | None:
        """An object if its generation is not ``since``; None where it is, or there is none."""
        ...

    def write(
        self,
        name: str,
        content: bytes,
        *,
        expected: int | None,
        labels: Mapping[str, str] | None = None,
    ) -> int:
        """Write an object whole or not at all, and return its generation.

        Args:
            name: of the object.
            content: all of it.
            expected: the generation that it replaces, ``NEW`` where there must be none yet;
                None writes over anything.
            labels: short texts that ``list`` shows.

        Raises:
            ObjectChangedError: it has another generation.
        """
        ...

    def delete(self, name: str) -> None:
        """Delete an object; that there is none is fine."""
        ...

    def list(self, pattern: str) -> Iterator[Listed]:
        """The objects whose names match, by name.

        Args:
            pattern: a name in which ``*`` stands for anything but a slash and ``**`` for anything,
                as in ``tenants/*/current.json``.
        """
        ...
