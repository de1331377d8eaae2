"""What becomes of an earlier configuration: each part of it is one of these entries."""

from collections.abc import Mapping
from typing import Any

import attrs


@attrs.frozen
class Placed:
    """Something that went into a tenant's files.

    Args:
        source: its path in the earlier configuration; empty where a default was taken.
        file: the tenant's file.
        path: the keys in ``tenant.toml``; empty in other files, whose whole text the value is.
        value: what is written.
        reason: why it is not as it was, or why it is there.
    """

    source: str
    file: str
    path: tuple[str, ...]
    value: Any = attrs.field(repr=False)
    reason: str = ""

    @property
    def target(self) -> str:
        """Where it went, such as ``tenant.toml: assistant.id``."""
        return f"{self.file}: {'.'.join(self.path)}" if self.path else self.file


@attrs.frozen
class Lost:
    """Something that has no place in a tenant's files.

    Args:
        source: its path in the earlier configuration.
        value: as JSON.
        reason: why, and what may have been meant.
        notice: whether it was dropped on purpose, so that nobody need act.
    """

    source: str
    value: str
    reason: str
    notice: bool = False


@attrs.frozen
class Quarantined:
    """A secret, or what looks like one, that is written nowhere.

    Args:
        source: where it stands in the earlier configuration.
    """

    source: str


@attrs.frozen
class Todo:
    """What the operator must do."""

    text: str


Entry = Placed | Lost | Quarantined | Todo


@attrs.frozen
class Imported:
    """A tenant's files made from an earlier configuration.

    Args:
        generation: such as ``G4``.
        files: texts by name.
        entries: what became of each part, in order.
    """

    tenant_id: str
    generation: str
    files: Mapping[str, str]
    entries: tuple[Entry, ...]
