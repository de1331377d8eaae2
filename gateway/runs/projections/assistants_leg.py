"""What is shown of one response of a run: its messages and its tool calls."""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from gateway.engines.events import (
    AnnotationAdded,
    Delta,
    Event,
    ItemChanged,
    PartAdded,
    ResponseEnded,
)
from gateway.runs.ids import item_ordinal
from gateway.runs.lifecycle import RoundAnswered
from gateway.runs.projections.assistants_functions import CalledFunction, FunctionStep
from gateway.runs.projections.assistants_items import Shown, ShownItems
from gateway.runs.projections.assistants_messages import SpokenMessage
from gateway.runs.projections.assistants_steps import COMPLETED, Ending
from gateway.runs.projections.assistants_tools import HostedCall
from gateway.runs.projections.content import annotation, text_of
from gateway.runs.projections.writer import Pieces, Writer


class ShownLeg:
    """One response as it goes by.

    Args:
        number: from 0; every leg but the last ends with ``RoundAnswered``.
        start: called before anything is shown.

    Attributes:
        functions: the step of its function calls, if it has any.
    """

    __slots__ = (
        "_any_done",
        "_begun",
        "_items",
        "_number",
        "_start",
        "_texts",
        "_writer",
        "functions",
    )

    def __init__(self, writer: Writer, number: int, start: Callable[[], None]) -> None:
        self.functions: FunctionStep | None = None
        self._writer = writer
        self._number = number
        self._start = start
        self._items = ShownItems()
        self._begun: list[SpokenMessage | HostedCall | FunctionStep] = []
        self._texts: dict[tuple[int, int], Pieces] = {}
        self._any_done = False

    def complete_output(self, event: Event) -> None:
        """Show a response's whole output, where its items did not come one by one."""
        if isinstance(event.body, ResponseEnded) and not self._any_done:
            for index, raw in enumerate(event.body.response.output):
                self._finish(index, raw)

    def complete(self) -> None:
        """End what is open but for functions, which wait for their answers."""
        self._end(COMPLETED, spare=FunctionStep)

    def answer(self, answered: RoundAnswered) -> None:
        """Show what the functions answered; nothing is open then."""
        self.complete()
        if self.functions is not None:
            self.functions.answer(answered.outputs)

    def end(self, ending: Ending) -> None:
        """End all that is open."""
        self._end(ending, spare=())

    def _end(self, ending: Ending, spare: type[FunctionStep] | tuple[()]) -> None:
        self._texts.clear()
        for thing in self._begun:
            if not thing.closed and not isinstance(thing, spare):
                thing.end(ending)

    def text(self, event: Event) -> None:
        """A piece of a message's text."""
        delta = event.body
        if isinstance(delta, Delta) and delta.delta:
            place = (delta.output_index, delta.content_index)
            pieces = self._texts.get(place)
            if pieces is None:
                part = self._message(delta.output_index).part("text", delta.content_index)
                pieces = self._texts[place] = part.pieces
            pieces.send(delta.delta)

    def refusal(self, event: Event) -> None:
        """A piece of a refusal."""
        delta = event.body
        if isinstance(delta, Delta) and delta.delta:
            message = self._message(delta.output_index)
            message.part("refusal", delta.content_index).pieces.send(delta.delta)

    def annotation(self, event: Event) -> None:
        """A note to a text."""
        added = event.body
        if isinstance(added, AnnotationAdded) and added.annotation is not None:
            note = annotation(added.annotation)
            if note is not None:
                message = self._message(added.output_index)
                message.part("text", added.content_index).annotate(note)

    def tool_input(self, event: Event) -> None:
        """A piece of what goes into a tool."""
        delta = event.body
        if isinstance(delta, Delta) and delta.delta:
            shown = self._items.at(delta.output_index)
            if isinstance(shown, CalledFunction | HostedCall) and not shown.closed:
                shown.send(delta.delta)

    def part_added(self, event: Event) -> None:
        """A part of a message begins."""
        if isinstance(event.body, PartAdded):
            shown = self._items.at(event.body.output_index)
            if isinstance(shown, SpokenMessage) and not shown.closed:
                shown.open()

    def item_added(self, event: Event) -> None:
        """An item begins."""
        if isinstance(event.body, ItemChanged):
            index, item = event.body.output_index, _read(event.body.item)
            if not self._items.repeats(index, _identity(item)):
                self._begin(index, item)

    def item_done(self, event: Event) -> None:
        """An item is whole."""
        if isinstance(event.body, ItemChanged):
            self._any_done = True
            self._finish(event.body.output_index, event.body.item)

    def _finish(self, index: int, raw: msgspec.Raw) -> None:
        item = _read(raw)
        kind, identity = text_of(item, "type"), _identity(item)
        shown = self._items.open(index, kind, identity)
        if shown is None and not self._items.repeats(index, identity):
            shown = self._begin(index, item)
        if shown is not None:
            self._texts.clear()
            shown.finish(item)

    def _message(self, index: int) -> SpokenMessage:
        """The open message at an index; one that nobody announced is begun."""
        shown = self._items.at(index)
        if isinstance(shown, SpokenMessage) and not shown.closed:
            return shown
        return self._begin_message(index, "")

    def _begin(self, index: int, item: Mapping[str, Any]) -> Shown | None:
        """Begin to show an item; None for kinds that Assistants v2 has nothing for."""
        kind, identity = text_of(item, "type"), _identity(item)
        if kind == "message":
            return self._begin_message(index, identity)
        if not kind.endswith("_call"):
            return None
        self._start()
        shown = self._begin_call(kind, item_ordinal(self._number, self._items.free(index)), item)
        self._items.keep(index, kind, identity, shown)
        return shown

    def _begin_message(self, index: int, identity: str) -> SpokenMessage:
        self._start()
        ordinal = item_ordinal(self._number, self._items.free(index))
        message = SpokenMessage(self._writer, ordinal)
        self._begun.append(message)
        self._items.keep(index, "message", identity, message)
        return message

    def _begin_call(
        self, kind: str, ordinal: int, item: Mapping[str, Any]
    ) -> CalledFunction | HostedCall:
        if kind != "function_call":
            hosted = HostedCall.begin(self._writer, ordinal, item)
            self._begun.append(hosted)
            return hosted
        if self.functions is None:
            self.functions = FunctionStep.begin(self._writer, ordinal)
            self._begun.append(self.functions)
        return self.functions.add(ordinal, item)


LEG_HANDLERS: Mapping[str, Callable[[ShownLeg, Event], None]] = {
    "response.output_item.added": ShownLeg.item_added,
    "response.output_item.done": ShownLeg.item_done,
    "response.content_part.added": ShownLeg.part_added,
    "response.output_text.delta": ShownLeg.text,
    "response.refusal.delta": ShownLeg.refusal,
    "response.output_text.annotation.added": ShownLeg.annotation,
    "response.function_call_arguments.delta": ShownLeg.tool_input,
    "response.custom_tool_call_input.delta": ShownLeg.tool_input,
    "response.code_interpreter_call_code.delta": ShownLeg.tool_input,
}
"""What is done with an event of each type that a leg reads."""


def _read(raw: msgspec.Raw) -> dict[str, Any]:
    item = msgspec.json.decode(raw)
    return item if isinstance(item, dict) else {}


def _identity(item: Mapping[str, Any]) -> str:
    """What tells an item from another one of its kind, if its server says."""
    return text_of(item, "call_id") or text_of(item, "id")
