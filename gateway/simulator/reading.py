"""Reading request bodies: OpenAI's words for what is missing or of the wrong type."""

import re
from typing import Any, TypeVar

import msgspec

from gateway.simulator.errors import RefusedError

_Body = TypeVar("_Body")
_AT = re.compile(r"(?s)(.*?)(?: - at `(?:key in )?\$?\.?(.*?)`)?")
_ABSENT = re.compile(r"Object missing required field `(.+?)`")


def decode(decoder: msgspec.json.Decoder[_Body], body: bytes) -> _Body:
    """Decode a request's body.

    Raises:
        RefusedError: 400; it is not JSON, or a field is not of its type.
    """
    try:
        return decoder.decode(body)
    except msgspec.ValidationError as error:
        raise _wrong(str(error)) from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise RefusedError(400, "We could not parse the JSON body of your request.") from error


def convert(value: Any, kind: type[_Body], param: str) -> _Body:  # noqa: ANN401 -- any JSON value
    """Convert a decoded value to a type; ``param`` is where it stood.

    Raises:
        RefusedError: 400; it is not of that type.
    """
    try:
        return msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        raise _wrong(str(error), param) from error


def missing(param: str) -> RefusedError:
    """A required parameter is not there."""
    return RefusedError(
        400,
        f"Missing required parameter: '{param}'.",
        code="missing_required_parameter",
        param=param,
    )


def unsupported(param: str, value: object) -> RefusedError:
    """A parameter has a value that there is none of."""
    return RefusedError(400, f"Invalid value: '{value}'.", code="invalid_value", param=param)


def below(param: str, least: int, value: int) -> RefusedError:
    """A number is smaller than it may be."""
    return RefusedError(
        400,
        f"Invalid '{param}': integer below minimum value. Expected a value >= {least}, but got "
        f"{value} instead.",
        code="integer_below_min_value",
        param=param,
    )


def _wrong(reason: str, base: str = "") -> RefusedError:
    match = _AT.fullmatch(reason)
    what, path = match.groups(default="") if match else (reason, "")
    param = path if not base else base + ("" if path.startswith("[") or not path else ".") + path
    absent = _ABSENT.fullmatch(what)
    if absent:
        return missing(f"{param}.{absent.group(1)}" if param else absent.group(1))
    return RefusedError(
        400, f"Invalid type for '{param}': {what}.", code="invalid_type", param=param or None
    )
