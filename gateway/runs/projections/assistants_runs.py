"""A run object and the frames of its states."""

from typing import Any, Self

import attrs

from gateway.runs.lifecycle import RunCreated, RunEnded
from gateway.runs.projections.assistants_steps import Ending
from gateway.runs.projections.assistants_wire import Run
from gateway.runs.projections.dialect import Dialect
from gateway.runs.projections.writer import Writer

_EXPIRES_AFTER_SECONDS = 600
_CODES = {"server_error", "rate_limit_exceeded", "invalid_prompt"}
_STEP_CODES = {"server_error", "rate_limit_exceeded"}
_MESSAGE_REASONS = {
    "failed": "run_failed",
    "cancelled": "run_cancelled",
    "expired": "run_expired",
}


@attrs.define(eq=False)
class ShownRun:
    """The run's object through its states; once it is being cancelled only its end follows."""

    writer: Writer
    thing: Run

    @classmethod
    def begin(cls, writer: Writer, dialect: Dialect) -> Self:
        """Show a new run: created, and queued."""
        run = cls(writer, _new(writer.head, dialect))
        writer.emit("thread.run.created", run.thing)
        run.pass_through("queued")
        return run

    def pass_through(self, status: str, action: dict[str, Any] | None = None) -> None:
        """Show a state that is not the last."""
        thing = self.thing
        if thing.status == "cancelling":
            return
        thing.status, thing.required_action = status, action
        if status == "in_progress" and thing.started_at is None:
            thing.started_at = self.writer.now
        self._emit()

    def end(self, ended: RunEnded) -> None:
        """Show the last state."""
        thing, now = self.thing, self.writer.now
        thing.status, thing.required_action = ended.status, None
        thing.usage = ended.usage
        if ended.status != "expired":
            thing.expires_at = None
        match ended.status:
            case "completed":
                thing.completed_at = now
            case "cancelled":
                thing.cancelled_at = now
            case "failed":
                thing.failed_at, thing.last_error = now, _error(ended, _CODES)
            case "incomplete":
                thing.incomplete_details = _incomplete_details(ended)
        self._emit()

    def _emit(self) -> None:
        self.writer.emit(f"thread.run.{self.thing.status}", self.thing)


def ending(ended: RunEnded) -> Ending:
    """What becomes of the steps and messages that are open when a run ends."""
    match ended.status:
        case "completed":
            return Ending("completed")
        case "incomplete":
            filtered = ended.reason == "content_filter"
            return Ending("completed", "content_filter" if filtered else "max_tokens")
    error = _error(ended, _STEP_CODES) if ended.status == "failed" else None
    return Ending(ended.status, _MESSAGE_REASONS[ended.status], error)


def _new(head: RunCreated, dialect: Dialect) -> Run:
    return Run(
        id=head.run_id,
        created_at=head.created_at,
        assistant_id=head.assistant_id,
        thread_id=head.thread_id,
        expires_at=head.created_at + _EXPIRES_AFTER_SECONDS,
        model=head.model,
        instructions=dialect.instructions,
        tools=list(dialect.tools),
        metadata=head.metadata,
        temperature=head.temperature,
    )


def _error(ended: RunEnded, known: set[str]) -> dict[str, str]:
    """An error in one of the codes that the object's type knows."""
    code = ended.code if ended.code in known else None
    return {"code": code or "server_error", "message": ended.message or "The run failed."}


def _incomplete_details(ended: RunEnded) -> dict[str, str]:
    """Empty for a content filter: the type has no reason for it, and null is not valid."""
    if ended.reason == "content_filter":
        return {}
    return {"reason": "max_completion_tokens"}
