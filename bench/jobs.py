"""What the load generator is told, and what it tells back."""

from typing import Literal

import msgspec


class Answer(msgspec.Struct, frozen=True):
    """What a right answer looks like; a fast wrong answer is no answer.

    Args:
        words: of an unstreamed answer's text; 0: not looked at.
        deltas: how often ``delta`` is in a stream; 0: it is no stream.
        delta: the bytes that mark one piece of text.
        end: what is once in a stream, as its terminal event, or in an answer without ``words``.
        shape: of an unstreamed answer: the conversation routes' or a Responses object.
    """

    words: int = 0
    deltas: int = 0
    delta: bytes = b""
    end: bytes = b""
    shape: Literal["conversation", "response"] = "conversation"


class Job(msgspec.Struct, frozen=True):
    """Requests to make of one server.

    Args:
        requests: whole HTTP/1.1 requests, taken in turn.
        total: how many to make.
        connections: kept open and used one request after another; 0: a new one for each request.
        per_second: with ``connections=0``: how many to open in a second, whatever the answers do.
    """

    port: int
    requests: list[bytes]
    answer: Answer
    total: int
    connections: int = 0
    per_second: float = 0.0


class Report(msgspec.Struct, frozen=True):
    """How a job went.

    Args:
        seconds: from the first request to the last answer.
        first_ms: of each right answer: until the first byte of its body.
        whole_ms: of each right answer: until its end.
        wrong: of each wrong answer: what is wrong with it.
    """

    seconds: float
    first_ms: list[float]
    whole_ms: list[float]
    wrong: list[str]
