"""Reads the change feed: one conditional read, whatever the number of tenants; blocks."""

import attrs

from tenants.errors import BrokenObjectError
from tenants.registry import layout
from tenants.registry.objects import NEW, Objects
from tenants.registry.stored import Changes
from tenants.registry.stored_json import decode


@attrs.frozen
class Position:
    """How far a reader is.

    Args:
        generation: of the feed as it was last read.
        sequence: of the newest change that the reader knows; None: it knows of none.
        fault: why the feed could not be understood then; empty: it was.
    """

    generation: int = NEW
    sequence: int | None = None
    fault: str = ""


@attrs.frozen
class News:
    """What has changed since a position.

    Args:
        position: from which on to ask next time.
        tenants: those that have changed; None: any may have.
    """

    position: Position
    tenants: frozenset[str] | None = frozenset()


BEGINNING = Position()


def read_news(objects: Objects, position: Position) -> News:
    """Read what has changed since a position.

    Raises:
        ObjectsUnavailableError: the feed cannot be read.
    """
    stored = objects.changed(layout.CHANGES, position.generation)
    if stored is None:
        return News(Position(sequence=0), None) if position == BEGINNING else News(position)
    try:
        changes = decode(stored.content, Changes, layout.CHANGES)
    except BrokenObjectError as error:
        return News(Position(stored.generation, None, str(error)), None)
    reached = Position(stored.generation, changes.sequence)
    return News(reached, changed_since(changes, position.sequence))


def changed_since(changes: Changes, sequence: int | None) -> frozenset[str] | None:
    """The tenants that changed after a sequence number; None: the feed does not reach back to it.

    Args:
        changes: the feed.
        sequence: what the reader knows; None: nothing. One from a feed that was replaced by a
            younger one is as good as none.
    """
    oldest = changes.entries[0].sequence if changes.entries else changes.sequence + 1
    if sequence is None or not oldest - 1 <= sequence <= changes.sequence:
        return None
    entries = (entry for entry in changes.entries if entry.sequence > sequence)
    return frozenset(tenant_id for entry in entries for tenant_id in entry.tenants)
