"""The upstream's own tools as they go by, each in a step of its own.

What Assistants v2 has no name for is shown as a function, and is never asked of the client.
"""

from collections.abc import Mapping
from typing import Any, Self

import attrs
import msgspec

from gateway.runs.projections.assistants_steps import COMPLETED, TOOL_FAILED, Ending, Step
from gateway.runs.projections.assistants_wire import (
    MARK,
    CodeInterpreter,
    CodeInterpreterCall,
    FileSearchCall,
    Function,
    FunctionCall,
    ToolCall,
    encode,
)
from gateway.runs.projections.content import objects_of, text_of
from gateway.runs.projections.writer import Pieces, Writer
from tenants.knowledge.names import shown_name


@attrs.define(eq=False)
class HostedCall:
    """One call of a tool that the upstream runs.

    Args:
        thing: the call as it is shown; empty where what goes through tools is not shown.
        input: None where it is not shown.
    """

    step: Step
    thing: ToolCall
    input: Pieces | None
    shown: bool
    closed: bool = False

    @classmethod
    def begin(cls, writer: Writer, ordinal: int, item: Mapping[str, Any]) -> Self:
        """Show it; the ordinal is that of its output item."""
        thing = _begun(writer.derive("call", ordinal), item)
        step = Step.begin(writer, ordinal, "tool_calls", [])
        step.delta({"index": 0, **msgspec.to_builtins(thing)})
        shown = writer.shows_tool_calls
        pieces = None
        if shown and not isinstance(thing, FileSearchCall):
            pieces = step.pieces(_input(thing, MARK))
        return cls(step, thing, pieces, shown)

    def send(self, text: str) -> None:
        """Show the next piece of its input."""
        if self.input is not None:
            self.input.send(text)

    def finish(self, item: Mapping[str, Any]) -> None:
        """Show what was not shown yet, and that it ended."""
        match self.thing:
            case CodeInterpreterCall(code_interpreter=code):
                self._complete_input(text_of(item, "code"))
                self._ran(code, _outputs(item))
            case FileSearchCall():
                self._found(_results(item))
            case FunctionCall(function=function):
                self._complete_input(_first_text(item, "arguments", "input", "action"))
                self._answered(function, _first_text(item, "output", "error", "status"))
        self.end(TOOL_FAILED if item.get("status") == "failed" else COMPLETED)

    def end(self, ending: Ending) -> None:
        """Show that it ended."""
        self.closed = True
        if self.input is not None and isinstance(self.thing, CodeInterpreterCall):
            self.thing.code_interpreter.input = self.input.text
        elif self.input is not None and isinstance(self.thing, FunctionCall):
            self.thing.function.arguments = self.input.text
        self.step.end(ending, [self.thing])

    def _complete_input(self, whole: str) -> None:
        if self.input is not None and whole:
            self.input.complete(whole)

    def _ran(self, code: CodeInterpreter, outputs: list[dict[str, Any]]) -> None:
        if self.shown and outputs:
            code.outputs = outputs
            news = [{"index": index, **output} for index, output in enumerate(outputs)]
            self.step.delta(
                {"index": 0, "type": "code_interpreter", "code_interpreter": {"outputs": news}}
            )

    def _found(self, results: list[dict[str, Any]]) -> None:
        if self.shown and isinstance(self.thing, FileSearchCall):
            self.thing.file_search = {"results": results}

    def _answered(self, function: Function, output: str) -> None:
        function.output = output if self.shown else ""
        if self.shown:
            self.step.delta({"index": 0, "type": "function", "function": {"output": output}})


def _begun(call_id: str, item: Mapping[str, Any]) -> ToolCall:
    kind = text_of(item, "type")
    if kind == "code_interpreter_call":
        return CodeInterpreterCall(call_id, CodeInterpreter())
    if kind == "file_search_call":
        return FileSearchCall(call_id, {})
    names = (text_of(item, "server_label"), text_of(item, "name"))
    return FunctionCall(
        call_id, Function(".".join(filter(None, names)) or kind.removesuffix("_call"))
    )


def _input(thing: ToolCall, text: str) -> dict[str, Any]:
    if isinstance(thing, CodeInterpreterCall):
        return {"index": 0, "type": "code_interpreter", "code_interpreter": {"input": text}}
    return {"index": 0, "type": "function", "function": {"arguments": text}}


def _outputs(item: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Logs as they are; an image by its address, since Responses gives no file id."""
    return [
        {"type": "image", "image": {"file_id": text_of(output, "url")}}
        if output.get("type") == "image"
        else {"type": "logs", "logs": text_of(output, "logs")}
        for output in objects_of(item, "outputs")
    ]


def _results(item: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What was found; content only comes where a client asks for it in ``include``."""
    return [
        {
            "file_id": text_of(result, "file_id"),
            "file_name": shown_name(text_of(result, "filename")),
            "score": score if isinstance(score := result.get("score"), int | float) else 0.0,
        }
        for result in objects_of(item, "results")
    ]


def _first_text(item: Mapping[str, Any], *keys: str) -> str:
    """The first member that is there, as JSON where it is not a text."""
    value = next((item[key] for key in keys if item.get(key) is not None), "")
    return value if isinstance(value, str) else encode(value).decode()
