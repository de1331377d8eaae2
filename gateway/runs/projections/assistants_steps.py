"""Run steps as they go by."""

from collections.abc import Mapping
from typing import Any, Self

import attrs

from gateway.runs.projections.assistants_wire import RunStep, ToolCall
from gateway.runs.projections.writer import Pieces, Writer

_DELTA = "thread.run.step.delta"
_TOOLS_FAIL = {"code": "server_error", "message": "The tool call failed."}


@attrs.frozen
class Ending:
    """What becomes of a step or a message that ends.

    Args:
        step: ``completed``, ``failed``, ``cancelled`` or ``expired``.
        reason: why a message is incomplete, in the Assistants API's words; None: it is complete.
        error: a failed step's ``last_error``.
    """

    step: str
    reason: str | None = None
    error: Mapping[str, str] | None = None


COMPLETED = Ending("completed")
TOOL_FAILED = Ending("failed", error=_TOOLS_FAIL)


@attrs.define(eq=False)
class Step:
    """One step from its beginning to its end."""

    writer: Writer
    thing: RunStep

    @classmethod
    def begin(cls, writer: Writer, ordinal: int, kind: str, details: object) -> Self:
        """Show a new step.

        Args:
            writer: of its run.
            ordinal: of the output item that it begins with.
            kind: ``message_creation`` or ``tool_calls``.
            details: the member of ``step_details`` of that name, as it is now.
        """
        head = writer.head
        thing = RunStep(
            id=writer.derive("step", ordinal),
            created_at=writer.now,
            run_id=head.run_id,
            assistant_id=head.assistant_id,
            thread_id=head.thread_id,
            type=kind,
            step_details={"type": kind, kind: details},
        )
        writer.emit("thread.run.step.created", thing)
        writer.emit("thread.run.step.in_progress", thing)
        return cls(writer, thing)

    def delta(self, *calls: Mapping[str, Any]) -> None:
        """Show what is new of tool calls."""
        self.writer.emit(_DELTA, self._delta(calls))

    def pieces(self, call: Mapping[str, Any]) -> Pieces:
        """Prepare for a text of a tool call that comes in pieces.

        Args:
            call: what ``delta`` takes, with ``MARK`` where the piece goes.
        """
        return self.writer.pieces(_DELTA, self._delta((call,)))

    def end(self, ending: Ending, calls: list[ToolCall] | None = None) -> None:
        """Show how it ended, and the tool calls as they are now."""
        thing = self.thing
        if calls is not None:
            thing.step_details["tool_calls"] = calls
        thing.status = ending.step
        thing.last_error = None if ending.error is None else dict(ending.error)
        setattr(thing, f"{ending.step}_at", self.writer.now)
        self.writer.emit(f"thread.run.step.{ending.step}", thing)

    def _delta(self, calls: tuple[Mapping[str, Any], ...]) -> dict[str, Any]:
        return {
            "id": self.thing.id,
            "object": _DELTA,
            "delta": {"step_details": {"type": "tool_calls", "tool_calls": calls}},
        }
