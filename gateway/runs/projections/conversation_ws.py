"""A conversation's frames as text frames of a WebSocket."""

import msgspec

from gateway.runs.projections.assistants_wire import encode as encode_json
from gateway.runs.projections.conversation import Numbered
from gateway.runs.projections.faults import Fault
from gateway.runs.projections.frames import Frame

# Older clients end on `completed`, `failed` and a truthy `error` and on nothing else.
_OVERHEARD = {
    "thread.run.cancelled": ("The run was cancelled.", "run_cancelled", "urn:agw:run-cancelled"),
    "thread.run.incomplete": (
        "The answer is incomplete.",
        "run_incomplete",
        "urn:agw:run-incomplete",
    ),
    "thread.run.expired": ("The run expired.", "run_expired", "urn:agw:run-expired"),
}


class _Metadata(msgspec.Struct):
    correlation_id: str
    timestamp: str


def encode(run_id: str, numbered: Numbered, after: int) -> list[str]:
    """A text frame for each frame that a client has not seen.

    An end that older clients do not know is followed by an ``error`` without an id, which comes
    just before ``metadata``.

    Args:
        run_id: what ids begin with.
        numbered: what a projection gave.
        after: the last number that the client has seen; 0 for none.
    """
    first, frames = numbered
    texts: list[str] = []
    for number, frame in enumerate(frames, first):
        if number <= after:
            continue
        if frame.name == "metadata":
            texts += _error_of(frames[number - first - 1], frame)
        texts.append(
            f'{{"event":"{frame.name}","id":"{run_id}-{number}","data":{frame.data.decode()}}}'
        )
    return texts


def error_frame(fault: Fault) -> str:
    """A fault as a frame of its own, without an id."""
    return encode_json(
        {
            "event": "error",
            "error": fault.message,
            "error_code": fault.code,
            "type": fault.type,
            "correlation_id": fault.correlation_id,
            "timestamp": fault.timestamp,
        }
    ).decode()


def _error_of(end: Frame, metadata: Frame) -> list[str]:
    said = _OVERHEARD.get(end.name)
    if said is None:
        return []
    known = msgspec.json.decode(metadata.data, type=_Metadata)
    return [error_frame(Fault(*said, known.correlation_id, known.timestamp))]
