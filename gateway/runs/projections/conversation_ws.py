"""A conversation's frames as text frames of a WebSocket."""

import msgspec

from gateway.runs.projections.assistants_wire import encode as encode_json
from gateway.runs.projections.conversation import Numbered
from gateway.runs.projections.frames import Frame

# Older clients end on `completed`, `failed` and a truthy `error`, and wait for ever on these.
_UNHEARD = {
    "thread.run.cancelled": ("run_cancelled", "The run was cancelled."),
    "thread.run.incomplete": ("run_incomplete", "The answer is incomplete."),
    "thread.run.expired": ("run_expired", "The run expired."),
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
    first, frames = numbered.first, numbered.frames
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


def _error_of(end: Frame, metadata: Frame) -> list[str]:
    if end.name not in _UNHEARD:
        return []
    code, message = _UNHEARD[end.name]
    known = msgspec.json.decode(metadata.data, type=_Metadata)
    fields = {
        "event": "error",
        "error": message,
        "error_code": code,
        "type": f"urn:agw:{code.replace('_', '-')}",
        "correlation_id": known.correlation_id,
        "timestamp": known.timestamp,
    }
    return [encode_json(fields).decode()]
