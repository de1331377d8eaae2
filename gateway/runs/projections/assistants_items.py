"""What is shown of one response, found by what its upstream says of it.

Servers leave indices and ids out, repeat them, or change an item's id between its first and its
last event. Ordinals are ours and never repeat.
"""

from typing import TypeAlias

import attrs

from gateway.runs.projections.assistants_functions import CalledFunction
from gateway.runs.projections.assistants_messages import SpokenMessage
from gateway.runs.projections.assistants_tools import HostedCall

Shown: TypeAlias = SpokenMessage | CalledFunction | HostedCall


@attrs.frozen
class _Entry:
    kind: str
    identity: str
    shown: Shown

    def open_as(self, kind: str) -> bool:
        return self.kind == kind and not self.shown.closed


@attrs.define(eq=False)
class ShownItems:
    """The items of one response that are shown."""

    _newest: dict[int, _Entry] = attrs.field(factory=dict)
    _entries: dict[int, _Entry] = attrs.field(factory=dict)

    def at(self, output_index: int) -> Shown | None:
        """The newest item at the upstream's index."""
        entry = self._newest.get(output_index)
        return None if entry is None else entry.shown

    def free(self, output_index: int) -> int:
        """The index for a new item: the upstream's, or the next one where that is taken."""
        return max(self._entries) + 1 if output_index in self._entries else output_index

    def keep(self, output_index: int, kind: str, identity: str, shown: Shown) -> None:
        """Remember an item under the upstream's index, kind and id."""
        entry = _Entry(kind, identity, shown)
        self._entries[self.free(output_index)] = entry
        self._newest[output_index] = entry

    def open(self, output_index: int, kind: str, identity: str) -> Shown | None:
        """The open item that an event is about: of its id if there is one, else at its index."""
        newest = self._newest.get(output_index)
        same = [
            entry
            for entry in self._entries.values()
            if identity and entry.identity == identity and entry.open_as(kind)
        ]
        if same:
            return (newest if newest in same else same[0]).shown
        return newest.shown if newest is not None and newest.open_as(kind) else None

    def repeats(self, output_index: int, identity: str) -> bool:
        """Whether the item at that index is the same one again."""
        newest = self._newest.get(output_index)
        return newest is not None and bool(identity) and newest.identity == identity
