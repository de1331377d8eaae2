"""A run's function calls as they go by; those of one response share one step."""

from collections.abc import Mapping, Sequence
from typing import Any, Self

import attrs

from gateway.runs.lifecycle import ToolOutput
from gateway.runs.projections.assistants_steps import COMPLETED, Ending, Step
from gateway.runs.projections.assistants_wire import MARK, Function, FunctionCall
from gateway.runs.projections.content import text_of
from gateway.runs.projections.writer import Pieces, Writer


@attrs.define(eq=False)
class CalledFunction:
    """One call.

    Args:
        index: its place in the step.
        call_id: the upstream's id of it.
        thing: the call as it is shown, under an id of ours.
        arguments: None where they are not shown.
    """

    step: Step
    index: int
    call_id: str
    thing: FunctionCall
    arguments: Pieces | None = None
    closed: bool = False
    answered: bool = False
    _whole: str = ""

    def send(self, text: str) -> None:
        """Show the next piece of its arguments."""
        if self.arguments is not None:
            self.arguments.send(text)

    def finish(self, item: Mapping[str, Any]) -> None:
        """Show what was not shown yet."""
        self.closed = True
        self.call_id = text_of(item, "call_id") or self.call_id
        name, whole = text_of(item, "name"), text_of(item, "arguments")
        if name and not self.thing.function.name:
            self.thing.function.name = name
            self.step.delta(self.news(name=name))
        if self.arguments is not None and whole:
            self.arguments.complete(whole)
            self._whole = whole

    def news(self, **function: str | None) -> dict[str, Any]:
        """A delta of it."""
        return {"index": self.index, "type": "function", "function": function}

    def now(self) -> FunctionCall:
        """The call as it is now."""
        if self.arguments is not None:
            self.thing.function.arguments = self._whole or self.arguments.text
        return self.thing


@attrs.define(eq=False)
class FunctionStep:
    """The function calls of one response."""

    writer: Writer
    step: Step
    calls: list[CalledFunction] = attrs.field(factory=list)
    closed: bool = False

    @classmethod
    def begin(cls, writer: Writer, ordinal: int) -> Self:
        """Show it; the ordinal is that of the first call's output item."""
        return cls(writer, Step.begin(writer, ordinal, "tool_calls", []))

    def add(self, ordinal: int, item: Mapping[str, Any]) -> CalledFunction:
        """Show a further call."""
        name = text_of(item, "name")
        thing = FunctionCall(self.writer.derive("call", ordinal), Function(name))
        call = CalledFunction(self.step, len(self.calls), text_of(item, "call_id"), thing)
        self.calls.append(call)
        self.step.delta({"id": thing.id, **call.news(name=name, arguments="", output=None)})
        if self.writer.shows_tool_calls:
            call.arguments = self.step.pieces(call.news(arguments=MARK))
        return call

    def answer(self, outputs: Sequence[ToolOutput]) -> None:
        """Show what the functions answered; the step is complete then."""
        shown = self.writer.shows_tool_calls
        answers = [(self._open_call(output.call_id), output.output) for output in outputs]
        news = []
        for call, output in answers:
            if call is not None:
                call.thing.function.output = output if shown else ""
                news.append(call.news(output=output))
        if shown and news:
            self.step.delta(*news)
        self.end(COMPLETED)

    def _open_call(self, call_id: str) -> CalledFunction | None:
        """The first unanswered call of that id: servers repeat ids."""
        for call in self.calls:
            if call.call_id == call_id and not call.answered:
                call.answered = True
                return call
        return None

    def required_action(self) -> dict[str, Any] | None:
        """What a client is asked for; None where it is not shown what goes into tools."""
        if not self.writer.shows_tool_calls:
            return None
        calls = [
            {
                "id": thing.id,
                "type": "function",
                "function": {"name": thing.function.name, "arguments": thing.function.arguments},
            }
            for thing in (call.now() for call in self.calls)
        ]
        return {"type": "submit_tool_outputs", "submit_tool_outputs": {"tool_calls": calls}}

    def end(self, ending: Ending) -> None:
        """Show that it ended."""
        self.closed = True
        self.step.end(ending, [call.now() for call in self.calls])
