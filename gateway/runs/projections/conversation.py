"""The conversation surface: a run's frames, numbered, with ``metadata`` after the last one."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec

from gateway.engines.events import Event
from gateway.runs.lifecycle import RunCreated, RunEnded
from gateway.runs.projections.assistants import AssistantsProjection
from gateway.runs.projections.assistants_wire import encode
from gateway.runs.projections.dialect import CONVERSATION
from gateway.runs.projections.frames import Frame


class Numbered(msgspec.Struct, frozen=True, gc=False):
    """Frames with consecutive numbers.

    Args:
        first: the number of the first one.
    """

    first: int
    frames: list[Frame]

    def __len__(self) -> int:
        return len(self.frames)


class ConversationProjection:
    """Turns one run's log into the frames of a conversation, numbered from 1.

    Args:
        after: the number that a joiner names. Where a run's owner died and its frames are lost,
            the end is numbered after it.
    """

    __slots__ = ("_after", "_assistants", "_count", "_head")

    def __init__(self, after: int = 0) -> None:
        self._assistants = AssistantsProjection(CONVERSATION)
        self._after = after
        self._count = 0
        self._head: RunCreated | None = None

    def feed(self, at_ms: int, events: Sequence[Event]) -> Numbered:
        """Read the next events of the log, which opens with the run's head.

        Args:
            at_ms: when they came, as Unix time in milliseconds.
            events: the next batch, however the log was cut.

        Returns:
            What they show. The end and ``metadata`` always come together.
        """
        frames = self._assistants.feed(at_ms, events)
        first = self._count + 1
        self._count += len(frames)
        if events and events[0].type == RunCreated.TYPE:
            self._head = msgspec.json.decode(events[0].raw, type=RunCreated)
        if events and events[-1].type == RunEnded.TYPE and self._head is not None:
            ended = msgspec.json.decode(events[-1].raw, type=RunEnded)
            if ended.lost and self._count <= self._after:
                first, frames, self._count = self._after + 1, frames[-1:], self._after + 1
            metadata = encode(_metadata(self._head, ended, self._count, at_ms))
            frames.append(Frame("metadata", metadata, flat=True))
        return Numbered(first, frames)


def timestamp(at_ms: int) -> str:
    """Unix time in milliseconds as ISO 8601 in UTC."""
    return datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec="milliseconds")


def _metadata(head: RunCreated, ended: RunEnded, count: int, at_ms: int) -> dict[str, Any]:
    """Old clients do arithmetic on the elapsed time and the count, so those are never null."""
    first_token = ended.first_token_ms
    return {
        "correlation_id": head.correlation_id,
        "thread_id": head.thread_id,
        "run_id": head.run_id,
        "elapsed_time_seconds": ended.elapsed_ms / 1000,
        "time_to_first_token_seconds": None if first_token is None else first_token / 1000,
        "event_count": count,
        "usage": ended.usage,
        "timestamp": timestamp(at_ms),
    }
