"""What clients send, parsed once at the edge: all faults of an input at once."""

import re
from collections.abc import Mapping
from typing import Any

import attrs
import msgspec

from gateway.http.errors import BadInputError, UnsupportedMediaTypeError
from gateway.store.model import Page

MAX_BODY_BYTES = 2**20
MAX_MESSAGE = 32_768
_IDENTIFIER = re.compile(r"[A-Za-z0-9_-]{1,128}")
_JSON = re.compile(r"\s*application/([\w.+-]+\+)?json\s*(;.*)?", re.IGNORECASE)
_PAGE_FIELDS = frozenset({"limit", "order", "after", "before"})
_ORDERS = ("asc", "desc")


@attrs.frozen
class ChatRequest:
    """A message for a thread.

    Args:
        thread_id: None starts one.
        message: trimmed.
    """

    message: str
    thread_id: str | None


def is_id(text: str) -> bool:
    """Whether this could be an id of ours; anything else cannot exist."""
    return _IDENTIFIER.fullmatch(text) is not None


def read_json(body: bytes | str, content_type: str | None = "application/json") -> Any:  # noqa: ANN401 - whatever JSON says
    """Any JSON value.

    Raises:
        UnsupportedMediaTypeError: the content type is not JSON.
        BadInputError: the body is not JSON.
    """
    if content_type is not None and _JSON.fullmatch(content_type) is None:
        raise UnsupportedMediaTypeError
    try:
        return msgspec.json.decode(body)
    except RecursionError:
        raise BadInputError.of("", "The JSON is nested too deeply.") from None
    except (msgspec.DecodeError, UnicodeError):
        raise BadInputError.of("", "The body is not valid JSON in UTF-8.") from None


def read_chat(value: Any) -> ChatRequest:  # noqa: ANN401 - whatever JSON says
    """A message for a thread; unknown fields are ignored, as older clients send some.

    Raises:
        BadInputError: with every fault.
    """
    if not isinstance(value, Mapping):
        raise BadInputError.of("", "The body must be a JSON object.")
    faults = [*_message_faults(value), *_thread_faults(value)]
    if faults:
        raise BadInputError(tuple(faults))
    thread_id = value.get("thread_id")
    return ChatRequest(
        value["message"].strip(), None if thread_id in {None, "", "new"} else thread_id
    )


def _message_faults(value: Mapping[str, Any]) -> list[tuple[str, str]]:
    if "message" not in value:
        return [("message", "This field is required.")]
    message = value["message"]
    if not isinstance(message, str):
        return [("message", "This must be a string.")]
    if not message.strip():
        return [("message", "This must not be empty.")]
    faults = []
    if len(message.strip()) > MAX_MESSAGE:
        faults.append(("message", f"This must have at most {MAX_MESSAGE} characters."))
    if "\0" in message:
        faults.append(("message", "This must not contain the character NUL."))
    return faults


def _thread_faults(value: Mapping[str, Any]) -> list[tuple[str, str]]:
    if isinstance(value.get("thread_id"), str | None):
        return []
    return [("thread_id", "This must be a string, or null for a new thread.")]


def read_start(body: bytes, content_type: str | None) -> dict[str, str]:
    """The metadata of a thread that ``/start`` makes.

    Raises:
        UnsupportedMediaTypeError: the content type is not JSON.
        BadInputError: with every fault.
    """
    if not body:
        return {}
    value = read_json(body, content_type)
    if not isinstance(value, Mapping):
        raise BadInputError.of("", "The body must be a JSON object.")
    faults = [
        (name, "There is no such field; known: metadata.") for name in {*value} - {"metadata"}
    ]
    metadata = {} if value.get("metadata") is None else value["metadata"]
    faults += _metadata_faults(metadata)
    if faults:
        raise BadInputError(tuple(sorted(faults)))
    return dict(metadata)


def _metadata_faults(metadata: Any) -> list[tuple[str, str]]:  # noqa: ANN401 - whatever JSON says
    """OpenAI's bounds: 16 pairs, keys of 64 characters, values of 512."""
    if not isinstance(metadata, Mapping):
        return [("metadata", "This must be an object of strings.")]
    faults = []
    if len(metadata) > 16:  # noqa: PLR2004 - the docstring says it
        faults.append(("metadata", "This must have at most 16 pairs."))
    for key, text in metadata.items():
        if len(key) > 64:  # noqa: PLR2004 - the docstring says it
            faults.append((f"metadata.{key[:64]}", "A key must have at most 64 characters."))
        if not isinstance(text, str) or len(text) > 512 or "\0" in text + key:  # noqa: PLR2004 - the docstring says it
            faults.append(
                (f"metadata.{key[:64]}", "This must be a string of at most 512 characters.")
            )
    return faults


def read_page(query: Mapping[str, str]) -> Page:
    """A page of a list.

    Raises:
        BadInputError: with every fault.
    """
    faults = [
        (name, "There is no such parameter; known: after, before, limit, order.")
        for name in {*query} - _PAGE_FIELDS
    ]
    limit, order = query.get("limit", "20"), query.get("order", "desc")
    if not (limit.isascii() and limit.isdigit() and 1 <= int(limit[:4]) <= 100 and len(limit) <= 3):  # noqa: PLR2004 - the message says it
        faults.append(("limit", "This must be a whole number from 1 to 100."))
    if order not in _ORDERS:
        faults.append(("order", "This must be asc or desc."))
    if faults:
        raise BadInputError(tuple(sorted(faults)))
    return Page(int(limit), order, query.get("after"), query.get("before"))


def read_after(run_id: str, text: str | None) -> int:
    """The number of the last event that a client has seen.

    Args:
        run_id: the run that is asked for.
        text: a full event id (``run_…-14``) or its number; None or empty: nothing seen yet.

    Raises:
        BadInputError: another run's id, or no number from 0 on.
    """
    if not text:
        return 0
    run, dash, number = text.rpartition("-")
    if (dash and run != run_id) or not (number.isascii() and number.isdigit()):
        raise BadInputError.of("after", f"This must be an event id of this run: {run_id}-N, or N.")
    return int(number[:18])


def accepts_events(accept: str | None) -> bool:
    """Whether an ``Accept`` names ``text/event-stream`` with a quality above 0."""
    return any(_names_events(part) for part in (accept or "").split(","))


def _names_events(part: str) -> bool:
    media, *parameters = (piece.strip().lower() for piece in part.split(";"))
    if media != "text/event-stream":
        return False
    quality = next((p[2:] for p in parameters if p.startswith("q=")), "1")
    return quality.strip("0.") != ""
