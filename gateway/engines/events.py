"""The one language inside: the Responses API's streaming events, decoded as far as we act on them.

Every event keeps the bytes that it came as, so that what is not known here passes through whole
(the vocabulary: OpenAI's API reference, "Streaming events" of Responses).
"""

from collections.abc import Sequence
from typing import Any, TypeAlias

import msgspec


class Response(msgspec.Struct, gc=False):
    """The parts of a response object that runs act on; all optional, since servers differ."""

    id: str = ""
    status: str | None = None
    model: str | None = None
    output: list[msgspec.Raw] = []
    usage: dict[str, Any] | None = None
    error: dict[str, Any] | None = None
    incomplete_details: dict[str, Any] | None = None


class ResponseEnded(msgspec.Struct, gc=False):
    """``response.completed``, ``.incomplete``, ``.failed`` and ``.cancelled``."""

    response: Response = msgspec.field(default_factory=Response)


class State(msgspec.Struct, gc=False):
    """The part of a response object that matters before its end."""

    status: str | None = None


class ResponseGoesOn(msgspec.Struct, gc=False):
    """``response.created``, ``.queued`` and ``.in_progress``."""

    response: State = msgspec.field(default_factory=State)


class ItemChanged(msgspec.Struct, gc=False):
    """``response.output_item.added`` and ``.done``; the item stays encoded."""

    item: msgspec.Raw
    output_index: int = 0


class PartAdded(msgspec.Struct, gc=False):
    """``response.content_part.added``."""

    output_index: int = 0
    content_index: int = 0


class Delta(msgspec.Struct, gc=False):
    """Any event whose news is a piece of text: ``….delta``."""

    delta: str
    output_index: int = 0
    content_index: int = 0


class AnnotationAdded(msgspec.Struct, gc=False):
    """``response.output_text.annotation.added``."""

    output_index: int = 0
    content_index: int = 0
    annotation_index: int = 0
    annotation: dict[str, Any] | None = None


class Failure(msgspec.Struct, gc=False):
    """``error``: the stream's own error event."""

    code: str | None = None
    message: str | None = None
    param: str | None = None


class _Line(Delta, gc=False):
    """Any event, as far as one that carries a piece of text is told by it."""

    type: str = ""
    delta: str = ""


Body: TypeAlias = (
    ResponseGoesOn | ResponseEnded | ItemChanged | PartAdded | Delta | AnnotationAdded | Failure
)


class Event(msgspec.Struct, gc=False):
    """One event of a run.

    Args:
        type: such as ``response.output_text.delta``.
        raw: the JSON object as it came, but for the tenant's own instructions.
        body: what it says, where we act on its type and could read it.
    """

    type: str
    raw: bytes
    body: Body | None = None


_DELTAS = (
    "response.output_text.delta",
    "response.refusal.delta",
    "response.function_call_arguments.delta",
    "response.custom_tool_call_input.delta",
    "response.code_interpreter_call_code.delta",
)
_DECODERS: dict[str, msgspec.json.Decoder[Any]] = {
    name: msgspec.json.Decoder(body)
    for body, names in {
        ResponseGoesOn: ("response.created", "response.queued", "response.in_progress"),
        ResponseEnded: (
            "response.completed",
            "response.incomplete",
            "response.failed",
            "response.cancelled",
        ),
        ItemChanged: ("response.output_item.added", "response.output_item.done"),
        PartAdded: ("response.content_part.added",),
        Delta: _DELTAS,
        AnnotationAdded: ("response.output_text.annotation.added",),
        Failure: ("error",),
    }.items()
    for name in names
}


class _Head(msgspec.Struct, gc=False):
    type: str = ""


_head = msgspec.json.Decoder(_Head)
_lines = msgspec.json.Decoder(_Line)
_LINED = {name: name for name in _DELTAS}


def decode(raw: bytes, name: str | None = None) -> Event:
    """Read one event, leniently.

    Args:
        raw: the JSON object.
        name: its type where the framing already said so.

    Returns:
        The event; ``body`` is None for types we do not act on and for bodies of another shape.

    Raises:
        msgspec.DecodeError: these bytes are not a JSON object.
    """
    name = name or _head.decode(raw).type
    decoder = _DECODERS.get(name)
    if decoder is None:
        return Event(name, raw)
    try:
        return Event(name, raw, decoder.decode(raw))
    except msgspec.ValidationError:
        return Event(name, raw)


def deltas(raws: Sequence[bytes]) -> list[Event | None]:
    """Those of many events that carry a piece of text, read in one pass.

    Nearly all events of a stream are such, and to read each by itself takes three times as long.

    Args:
        raws: JSON objects that came together.

    Returns:
        An event or None for each; None says that ``decode`` has to read it.
    """
    lines = _read_lines(raws)
    if len(lines) != len(raws):
        return [None] * len(raws)
    events: list[Event | None] = []
    for line, raw in zip(lines, raws, strict=True):
        name = _LINED.get(line.type)
        if name is None or not line.delta:
            events.append(None)
            continue
        line.type = name  # one text for all events of a type, not one for each
        events.append(Event(name, raw, line))
    return events


def _read_lines(raws: Sequence[bytes]) -> list[_Line]:
    """One for each where all are JSON objects in UTF-8, each on one line; else another number."""
    # No JSON value goes on from a line that ends so to one that begins so: each line is a value,
    # or several, which their number gives away.
    if {raw[:1] for raw in raws} != {b"{"} or {raw[-1:] for raw in raws} != {b"}"}:
        return []
    together = b"\n".join(raws)
    if together.count(b"\n") >= len(raws):
        return []
    try:
        if not together.isascii():
            together.decode()
        return _lines.decode_lines(together)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return []
