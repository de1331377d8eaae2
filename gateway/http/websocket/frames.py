"""What clients send over the WebSocket, parsed once at the edge."""

from collections.abc import Mapping
from typing import Any, TypeAlias

import attrs

from gateway.http import wire
from gateway.http.errors import BadInputError, RequestError


@attrs.frozen
class FrameError(RequestError):
    """A frame cannot be used.

    Args:
        code: ``invalid_json``, ``missing_fields`` or ``invalid_fields``.
        faults: everything that is wrong, as in ``BadInputError``.
    """

    code: str
    faults: tuple[tuple[str, str], ...]


@attrs.frozen
class TurnInProgressError(RequestError):
    """A message came while a turn runs on this connection."""


@attrs.frozen
class NoTurnError(RequestError):
    """A turn was to be cancelled, and none runs on this connection."""


@attrs.frozen
class Resume:
    """Follow a run from an event on."""

    run_id: str
    after: int


@attrs.frozen
class Cancel:
    """End the turn that runs on this connection."""


@attrs.frozen
class Ping:
    """Answer at once."""


ClientFrame: TypeAlias = wire.ChatRequest | Resume | Cancel | Ping
_KINDS = "message, resume, cancel, ping"


def read_frame(text: str | None) -> ClientFrame:
    """Read one frame.

    Args:
        text: None for a binary frame.

    Raises:
        FrameError: with every fault.
    """
    if text is None:
        raise FrameError("invalid_json", (("", "Frames must be text, not binary."),))
    try:
        value = wire.read_json(text)
    except BadInputError as error:
        raise FrameError("invalid_json", error.faults) from None
    if not isinstance(value, Mapping):
        raise FrameError("invalid_json", (("", "A frame must be a JSON object."),))
    try:
        return _read(value)
    except BadInputError as error:
        missing = all(field not in value for field, _ in error.faults)
        code = "missing_fields" if missing else "invalid_fields"
        raise FrameError(code, error.faults) from None


def _read(value: Mapping[str, Any]) -> ClientFrame:
    match value.get("type", "message"):
        case "message":
            return wire.read_chat(value)
        case "resume":
            return _resume(value)
        case "cancel":
            return Cancel()
        case "ping":
            return Ping()
        case _:
            raise BadInputError.of("type", f"There is no such type; known: {_KINDS}.")


def _resume(value: Mapping[str, Any]) -> Resume:
    run_id, after = value.get("run_id"), value.get("after")
    faults = []
    if "run_id" not in value:
        faults.append(("run_id", "This field is required."))
    elif not isinstance(run_id, str):
        faults.append(("run_id", "This must be a string."))
    if isinstance(after, bool) or not isinstance(after, str | int | None):
        faults.append(("after", "This must be an event id or its number."))
    if faults:
        raise BadInputError(tuple(faults))
    return Resume(str(run_id), wire.read_after(str(run_id), None if after is None else str(after)))
