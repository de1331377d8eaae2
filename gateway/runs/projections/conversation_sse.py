"""A conversation's frames as Server-Sent Events."""

from collections.abc import Mapping
from functools import cache

from gateway.runs.projections.assistants_wire import encode as encode_json
from gateway.runs.projections.conversation import Numbered

HEARTBEAT = b": keepalive\n"
"""One line without a blank one after it: the official SDK's decoder fails on an empty event."""

# Python's readers of lines break at these; JSON may carry them as they are.
_ESCAPES = tuple((mark.encode(), b"\\u%04x" % ord(mark)) for mark in ("\u0085", "\u2028", "\u2029"))


def encode(run_id: str, numbered: Numbered, after: int, retry_ms: int) -> bytes:
    """The bytes of those frames that a client has not seen.

    Args:
        run_id: what ids begin with.
        numbered: what a projection gave.
        after: the last number that the client has seen; 0 for none.
        retry_ms: rides on the run's first frame alone, so that a replay gives the same bytes.
    """
    prefix = f"id: {run_id}-".encode()
    skipped = max(0, after + 1 - numbered.first)
    chunks: list[bytes] = []
    for number, frame in enumerate(numbered.frames[skipped:], numbered.first + skipped):
        opening = _opening(frame.name, frame.flat)
        if number == 1:
            opening = opening.replace(b"\ndata: ", b"\nretry: %d\ndata: " % retry_ms, 1)
        ending = b"\n\n" if frame.flat else b"}\n\n"
        chunks += (prefix, b"%d" % number, opening, frame.data, ending)
    return _escaped(b"".join(chunks))


def error_event(fields: Mapping[str, object]) -> bytes:
    """A fault that no event of a run can carry: flat, and without an id."""
    return _escaped(b"event: error\ndata: " + encode_json(fields) + b"\n\n")


@cache
def _opening(name: str, flat: bool) -> bytes:  # noqa: FBT001 - the cache's key, called in one place
    """What stands between an event's number and its object; there are some thirty of them."""
    envelope = "" if flat else f'{{"event":"{name}","data":'
    return f"\nevent: {name}\ndata: {envelope}".encode()


def _escaped(events: bytes) -> bytes:
    if events.isascii():
        return events
    for mark, escape in _ESCAPES:
        # A byte is found ten times as fast as a mark, and few texts have all bytes of one.
        if all(map(events.__contains__, mark)):
            events = events.replace(mark, escape)
    return events
