"""One response of an upstream within a run, as far as the run acts on it."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import attrs
import msgspec

from gateway.engines.errors import Cause, EngineError
from gateway.engines.events import Delta, Event, Failure, ItemChanged, Response, ResponseEnded
from gateway.runs.lifecycle import Usage
from gateway.runs.log import RunLog


@attrs.frozen
class Output:
    """An output item that is done; servers differ, so nothing in it is sure to be there.

    Args:
        index: its ``output_index``.
        fields: the item as it came.
    """

    index: int
    fields: Mapping[str, Any]

    @property
    def type(self) -> str:
        """Such as ``message`` or ``function_call``."""
        return self.text("type")

    @property
    def call_id(self) -> str:
        """Of a function call; where the server gives none, one that tells it from the others."""
        return self.text("call_id") or self.text("id") or f"call_{self.index}"

    @property
    def arguments(self) -> str:
        """Of a function call, as JSON."""
        given = self.fields.get("arguments", "")
        return given if isinstance(given, str) else msgspec.json.encode(given).decode()

    def text(self, name: str) -> str:
        """A field that should be text; empty where it is not."""
        value = self.fields.get(name)
        return value if isinstance(value, str) else ""


_items = msgspec.json.Decoder(dict[str, Any])
_TERMINAL = {
    "response.completed": "completed",
    "response.incomplete": "incomplete",
    "response.failed": "failed",
    "response.cancelled": "failed",
}
_MOST_TOKENS = 2**53
_TEXT = frozenset({"response.output_text.delta", "response.refusal.delta"})


class Leg:
    """Reads one response's events.

    Args:
        log: its run's, to which the events are added that were read here.

    Attributes:
        status: ``completed``, ``incomplete`` or ``failed`` once the response has ended.
        response: its last state.
        error: the ``error`` event, if one came.
        spoke: whether any text came.
    """

    __slots__ = ("_done", "_first", "_log", "_told", "error", "response", "spoke", "status")

    def __init__(self, log: RunLog) -> None:
        self.status: str | None = None
        self.response = Response()
        self.error: Failure | None = None
        self.spoke = False
        self._done: dict[int, Output] = {}
        self._told: set[int] = set()
        self._log = log
        self._first = len(log)

    def feed(self, events: Sequence[Event]) -> None:
        """Take the next events.

        Raises:
            EngineError: an output item among them cannot be read.
        """
        for event in events:
            kind = event.type
            if kind in _TEXT:
                if isinstance(event.body, Delta):
                    self._told.add(event.body.output_index)
            elif kind == "response.output_item.done":
                self._item_done(event)
            elif kind == "response.output_item.added" and isinstance(event.body, ItemChanged):
                _fields_of(event.body.item)
            elif kind in _TERMINAL:
                self._ended(event)
            elif kind == "error" and isinstance(event.body, Failure):
                self.status, self.error = "failed", event.body
        self.spoke = self.spoke or bool(self._told)

    def _item_done(self, event: Event) -> None:
        if isinstance(event.body, ItemChanged):
            self._keep(event.body.output_index, event.body.item)

    def _keep(self, index: int, item: msgspec.Raw) -> None:
        fields = _fields_of(item)
        while index in self._done:  # some servers leave the index out, or repeat it
            index += 1
        output = self._done[index] = Output(index, fields)
        self.spoke = self.spoke or output.type == "message"

    def _ended(self, event: Event) -> None:
        self.status = _TERMINAL[event.type]
        if not isinstance(event.body, ResponseEnded):
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
        return [output for output in self.outputs if output.type == "function_call"]

    @property
    def concludes(self) -> bool:
        """Whether the response has ended, and its run with it."""
        return self.status is not None and not (self.status == "completed" and self.calls)

    @property
    def usage(self) -> Usage:
        """Its tokens; zeros where the upstream does not say."""
        usage = self.response.usage or {}
        names = ("input_tokens", "output_tokens", "total_tokens")
        return Usage(*(_count(usage.get(name)) for name in names))

    def unfinished(self) -> dict[int, list[dict[str, Any]]]:
        """The text of messages that never were done, by output index, as content parts."""
        parts: dict[tuple[int, int], tuple[str, list[str]]] = {}
        open_ones = self._told.difference(self._done)
        for event in self._events() if open_ones else ():
            if event.type in _TEXT and isinstance(event.body, Delta):
                delta = event.body
                if delta.output_index in open_ones:
                    place = (delta.output_index, delta.content_index)
                    parts.setdefault(place, (event.type, []))[1].append(delta.delta)
        messages: dict[int, list[dict[str, Any]]] = {}
        for (index, _), (kind, texts) in sorted(parts.items()):
            messages.setdefault(index, []).append(_part(kind, "".join(texts)))
        return messages

    def _events(self) -> Iterator[Event]:
        return (event for _, events in self._log.since(self._first) for event in events)


def _fields_of(item: msgspec.Raw) -> dict[str, Any]:
    """Read now what a projection reads later: it may not fail there."""
    try:
        return _items.decode(item)
    except msgspec.DecodeError as error:
        raise EngineError(Cause.BROKEN, detail=f"an output item: {error}"[:500]) from None


def _count(value: object) -> int:
    return value if type(value) is int and 0 <= value < _MOST_TOKENS else 0


def _part(kind: str, text: str) -> dict[str, Any]:
    if kind == "response.refusal.delta":
        return {"type": "refusal", "refusal": text}
    return {"type": "output_text", "text": text, "annotations": []}
