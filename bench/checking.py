"""Whether what came back is what was asked for."""

from typing import Any

import msgspec

from bench.jobs import Answer

_OK = 200
_SHOWN = 160


def fault(answer: Answer, status: int, body: bytes) -> str | None:
    """What is wrong with an answer, or None.

    Args:
        answer: what it should be.
        status: of HTTP.
        body: all of it.
    """
    if status != _OK:
        return f"status {status}: {body[:_SHOWN].decode(errors='replace')}"
    if answer.deltas:
        return _stream_fault(answer, body)
    return _json_fault(answer, body) if answer.words else _end_fault(answer, body)


def _stream_fault(answer: Answer, body: bytes) -> str | None:
    deltas = body.count(answer.delta)
    if deltas != answer.deltas:
        return f"{deltas} deltas, not {answer.deltas}: …{body[-_SHOWN:].decode(errors='replace')}"
    return _end_fault(answer, body)


def _end_fault(answer: Answer, body: bytes) -> str | None:
    if body.count(answer.end) == 1:
        return None
    return f"not one {answer.end!r}: …{body[-_SHOWN:].decode(errors='replace')}"


def _json_fault(answer: Answer, body: bytes) -> str | None:
    try:
        words = len(_text(answer, msgspec.json.decode(body)).split())
    except (msgspec.DecodeError, LookupError, TypeError, AttributeError):
        return f"not of its shape: {body[:_SHOWN].decode(errors='replace')}"
    return None if words == answer.words else f"{words} words, not {answer.words}"


def _text(answer: Answer, document: Any) -> str:  # noqa: ANN401 -- JSON of any shape
    if answer.shape == "conversation":
        return str(document["responses"][0])
    return str(document["output"][0]["content"][0]["text"])
