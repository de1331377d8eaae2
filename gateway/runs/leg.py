"""One response of an upstream within a run, as far as the run acts on it."""

from collections.abc import Sequence
from typing import Any

import attrs
import msgspec

from gateway.engines.events import Delta, Event, Failure, ItemChanged, Response, ResponseChanged
from gateway.runs.lifecycle import Usage


class OutputItem(msgspec.Struct, gc=False):
    """What a run reads of an output item."""

    type: str = ""
    status: str | None = None
    call_id: str = ""
    name: str = ""
    arguments: str = ""


@attrs.frozen
class Output:
    """An output item that is done.

    Args:
        index: its ``output_index``.
        raw: the item as it came.
    """

    index: int
    item: OutputItem
    raw: bytes


_items = msgspec.json.Decoder(OutputItem)
_TERMINAL = {
    "response.completed": "completed",
    "response.incomplete": "incomplete",
    "response.failed": "failed",
    "response.cancelled": "failed",
}
_TEXT = ("response.output_text.delta", "response.refusal.delta")


class Leg:
    """Reads one response's events.

    Attributes:
        status: ``completed``, ``incomplete`` or ``failed`` once the response has ended.
        response: its last state.
        error: the ``error`` event, if one came.
        spoke: whether any text came.
    """

    def __init__(self) -> None:
        self.status: str | None = None
        self.response = Response()
        self.error: Failure | None = None
        self.spoke = False
        self._done: dict[int, Output] = {}
        self._batches: list[Sequence[Event]] = []

    def feed(self, events: Sequence[Event]) -> None:
        """Take the next events."""
        self._batches.append(events)
        for event in events:
            kind = event.type
            if kind == "response.output_text.delta":
                self.spoke = True
            elif kind == "response.output_item.done":
                self._item_done(event)
            elif kind in _TERMINAL:
                self._ended(event)
            elif kind == "error" and isinstance(event.body, Failure):
                self.status, self.error = "failed", event.body

    def _item_done(self, event: Event) -> None:
        if isinstance(event.body, ItemChanged):
            self._keep(event.body.output_index, event.body.item)

    def _keep(self, index: int, item: msgspec.Raw) -> None:
        raw = bytes(item)
        try:
            read = _items.decode(raw)
        except msgspec.ValidationError:
            return
        self.spoke = self.spoke or read.type == "message"
        while index in self._done:  # some servers leave the index out, or repeat it
            index += 1
        self._done[index] = Output(index, read, raw)

    def _ended(self, event: Event) -> None:
        self.status = _TERMINAL[event.type]
        if not isinstance(event.body, ResponseChanged):
            return
        self.response = event.body.response
        if not self._done:
            for index, item in enumerate(self.response.output):
                self._keep(index, item)

    @property
    def outputs(self) -> list[Output]:
        """The items that are done, in their order."""
        return [self._done[index] for index in sorted(self._done)]

    @property
    def calls(self) -> list[Output]:
        """The function calls among them."""
        return [output for output in self.outputs if output.item.type == "function_call"]

    @property
    def usage(self) -> Usage:
        """Its tokens; zeros where the upstream does not say."""
        usage = self.response.usage or {}
        counts = (usage.get(key) for key in ("input_tokens", "output_tokens", "total_tokens"))
        return Usage(*(count if isinstance(count, int) else 0 for count in counts))

    def unfinished(self) -> dict[int, list[dict[str, Any]]]:
        """The text of messages that never were done, by output index, as content parts."""
        parts: dict[tuple[int, int], tuple[str, list[str]]] = {}
        for event in (event for events in self._batches for event in events):
            if event.type in _TEXT and isinstance(event.body, Delta):
                delta = event.body
                if delta.output_index not in self._done:
                    place = (delta.output_index, delta.content_index)
                    parts.setdefault(place, (event.type, []))[1].append(delta.delta)
        messages: dict[int, list[dict[str, Any]]] = {}
        for (index, _), (kind, texts) in sorted(parts.items()):
            messages.setdefault(index, []).append(_part(kind, "".join(texts)))
        return messages


def _part(kind: str, text: str) -> dict[str, Any]:
    if kind == "response.refusal.delta":
        return {"type": "refusal", "refusal": text}
    return {"type": "output_text", "text": text, "annotations": []}
