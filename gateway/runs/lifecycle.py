"""The gateway's own events in a run's log, beside the Responses vocabulary.

A log opens with ``RunCreated``, which records everything that decides the frames of a projection
and is not in an upstream's event, and closes with ``RunEnded``. So any replica replays a log into
the same bytes.
"""

from typing import Any, ClassVar, TypeAlias

import msgspec

from gateway.engines.events import Event


class RunCreated(msgspec.Struct, gc=False, tag_field="type", tag="gateway.run.created"):
    """The run's head.

    Args:
        created_at: Unix time in seconds; the log's entries carry milliseconds.
        expose_tool_calls: whether its conversation frames show arguments and outputs.
        projection: the version of the projections that its ids count by.
    """

    TYPE: ClassVar[str] = "gateway.run.created"

    run_id: str
    thread_id: str
    assistant_id: str
    model: str
    correlation_id: str
    created_at: int
    temperature: float | None = None
    expose_tool_calls: bool = False
    metadata: dict[str, str] = {}
    projection: int = 1


class ToolOutput(msgspec.Struct, gc=False):
    """What one function answered."""

    call_id: str
    output: str
    failed: bool = False


class RoundAnswered(msgspec.Struct, gc=False, tag_field="type", tag="gateway.round.answered"):
    """The gateway ran the functions of a round; the next response follows."""

    TYPE: ClassVar[str] = "gateway.round.answered"

    outputs: list[ToolOutput]


class RunCancelling(msgspec.Struct, gc=False, tag_field="type", tag="gateway.run.cancelling"):
    """Somebody asked to end the run."""

    TYPE: ClassVar[str] = "gateway.run.cancelling"


class Usage(msgspec.Struct, gc=False):
    """Tokens of a whole run, in the names of the Assistants API."""

    prompt_tokens: int = 0
    completion_tokens: int = 0
    total_tokens: int = 0


class RunEnded(msgspec.Struct, gc=False, tag_field="type", tag="gateway.run.ended"):
    """The one end of a run.

    Args:
        status: ``completed``, ``incomplete``, ``failed``, ``cancelled`` or ``expired``.
        code: of a failed run: ``server_error``, ``rate_limit_exceeded`` or ``invalid_prompt``.
        message: of a failed run, fit for clients.
        cause: of a failed run: a value of ``gateway.engines.errors.Cause``, or None for our fault.
        retry_after_seconds: of a failed run, where the upstream asked to come back.
        reason: of an incomplete run: ``max_output_tokens`` or ``content_filter``.
        lost: whether its owner died, so that events between the head and this one are missing.
        elapsed_ms: since the run was admitted.
        first_token_ms: from admission to the first text; None where there was none.
    """

    TYPE: ClassVar[str] = "gateway.run.ended"

    status: str
    usage: Usage = msgspec.field(default_factory=Usage)
    code: str | None = None
    message: str | None = None
    cause: str | None = None
    retry_after_seconds: float | None = None
    reason: str | None = None
    lost: bool = False
    elapsed_ms: int = 0
    first_token_ms: int | None = None


Lifecycle: TypeAlias = RunCreated | RoundAnswered | RunCancelling | RunEnded

_STRUCTS: dict[str, Any] = {
    struct.TYPE: struct for struct in (RunCreated, RoundAnswered, RunCancelling, RunEnded)
}
_encoder = msgspec.json.Encoder()


def event(body: Lifecycle) -> Event:
    """The event that says ``body``."""
    return Event(body.TYPE, _encoder.encode(body))


def read(event: Event) -> Lifecycle | None:
    """What a gateway event says, or None for the Responses vocabulary."""
    struct = _STRUCTS.get(event.type)
    return None if struct is None else msgspec.json.decode(event.raw, type=struct)
