"""What a terminal conversation shows: for people, or for programs."""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, Protocol, TextIO

from rich.console import Console
from rich.text import Text

from tenants.cli.chat_turn import Event, Turn

# What a terminal would take as a command; an answer may hold anything.
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_LONGEST_DETAIL = 200
_REASONS: Mapping[str, str] = {
    "max_completion_tokens": "it reached its greatest length",
    "max_output_tokens": "it reached its greatest length",
}
_TOOLS: Mapping[str, str] = {
    "code_interpreter": "Running code",
    "file_search": "Searching files",
}


class View(Protocol):
    """Where a conversation is shown."""

    def greet(self, text: str) -> None:
        """Show how the assistant greets."""
        ...

    def show(self, event: Event) -> None:
        """Show one event of a turn."""
        ...

    def end(self, turn: Turn) -> None:
        """Show that a turn is over."""
        ...

    def fail(self, error: Exception) -> None:
        """Show why there is no answer, or not all of it."""
        ...

    def leave(self, thread_id: str) -> None:
        """Show how the conversation can be taken up again."""
        ...


class Lines:
    """A JSON object a line, for programs."""

    def __init__(self, out: TextIO) -> None:
        self._out = out

    def greet(self, text: str) -> None:
        """Nothing: a greeting is no event."""

    def show(self, event: Event) -> None:
        """See ``View.show``."""
        self._write({"event": event.name, "id": event.id, "data": event.data})

    def end(self, turn: Turn) -> None:
        """Nothing: the events have said it."""

    def fail(self, error: Exception) -> None:
        """See ``View.fail``."""
        self._write({"event": "error", "id": None, "data": {"error": str(error)}})

    def leave(self, thread_id: str) -> None:
        """Nothing: the events have named the thread."""

    def _write(self, value: object) -> None:
        self._out.write(json.dumps(value) + "\n")
        self._out.flush()


class Terminal:
    """For people: answers go to standard output, all that is about them to standard error."""

    def __init__(self, out: Console, about: Console) -> None:
        self._out = out
        self._about = about
        self._in_line = False
        self._calls: dict[tuple[str, int], str] = {}

    def greet(self, text: str) -> None:
        """See ``View.greet``."""
        self._note(text, "bold")

    def show(self, event: Event) -> None:
        """See ``View.show``."""
        match event.name:
            case "thread.message.delta":
                self._say(event.data["delta"]["content"])
            case "thread.run.step.delta":
                calls = event.data["delta"]["step_details"].get("tool_calls", ())
                self._use(event.data["id"], calls)
            case "thread.run.step.completed" if event.data["type"] == "tool_calls":
                self._used(event.data["step_details"]["tool_calls"])
            case "thread.run.incomplete" | "thread.run.failed":
                self._incomplete(event.data)
            case "answer":
                self._whole(event.data)

    def end(self, turn: Turn) -> None:
        """See ``View.end``."""
        self._break()
        if turn.status in {"cancelled", "expired"}:
            self._note(f"The answer is incomplete: it was {turn.status}.", "yellow")
        self._calls.clear()

    def fail(self, error: Exception) -> None:
        """See ``View.fail``."""
        self._note(str(error), "red")

    def leave(self, thread_id: str) -> None:
        """See ``View.leave``."""
        self._note(f"\nGo on later with --thread-id {thread_id}", "dim")

    def _say(self, blocks: Sequence[Mapping[str, Any]]) -> None:
        for block in blocks:
            text = block["text"].get("value", "") if "text" in block else block.get("refusal", "")
            self._write(text)

    def _write(self, text: str) -> None:
        if text:
            self._in_line = not text.endswith("\n")
            self._out.print(_clean(text), end="", soft_wrap=True)

    def _use(self, step_id: str, calls: Sequence[Mapping[str, Any]]) -> None:
        for call in calls:
            place = (step_id, call["index"])
            name = (call.get("function") or {}).get("name")
            if place not in self._calls and (name or call["type"] in _TOOLS):
                self._calls[place] = name or call["type"]
                self._note(f"• {_TOOLS.get(call['type'], f'Using {name}')} …", "cyan")

    def _used(self, calls: Sequence[Mapping[str, Any]]) -> None:
        """What went in and came out, where the tenant shows it to its users."""
        for call in calls:
            function = call.get("function") or {}
            if function.get("output"):
                told = f"{function['name']}({function['arguments']}): {function['output']}"
                self._note(f"  {told[:_LONGEST_DETAIL]}", "dim")

    def _incomplete(self, run: Mapping[str, Any]) -> None:
        reason = (run.get("incomplete_details") or {}).get("reason", "")
        error = (run.get("last_error") or {}).get("message")
        why = error or f"{_REASONS.get(reason, 'a content filter withheld the rest')}."
        self._note(f"The answer is incomplete: {why}", "red" if error else "yellow")

    def _whole(self, answer: Mapping[str, Any]) -> None:
        self._write("\n".join(answer["responses"]))
        if answer["status"] == "incomplete":
            self._incomplete(answer)

    def _note(self, text: str, style: str) -> None:
        self._break()
        self._about.print(_clean(text), style=style, soft_wrap=True)

    def _break(self) -> None:
        if self._in_line:
            self._out.print()
        self._in_line = False


def _clean(text: str) -> Text:
    """A text as it is: no markup, no highlighting, nothing that moves a cursor."""
    return Text(_CONTROLS.sub("\ufffd", text))
