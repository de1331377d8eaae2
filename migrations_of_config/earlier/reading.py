"""The text of an earlier configuration as plain values; nothing of it is run."""

import json
from collections import Counter
from typing import Any

from migrations_of_config.earlier.quarantine import scrub
from migrations_of_config.errors import EarlierConfigError, Fault

Raw = dict[str, Any]


def read_json(content: bytes) -> Raw:
    """A JSON object.

    Raises:
        EarlierConfigError: it is not one, or says something twice.
    """
    repeated: list[str] = []

    def pairs(found: list[tuple[str, Any]]) -> Raw:
        times = Counter(name for name, _ in found)
        repeated.extend(name for name, count in times.items() if count > 1)
        return dict(found)

    try:
        value = json.loads(decoded(content), object_pairs_hook=pairs, parse_constant=_constant)
    except json.JSONDecodeError as error:
        raise _unreadable(f"this is not JSON: {error.msg}", error.lineno) from None
    except (RecursionError, ValueError):
        raise _unreadable("a number of it is not JSON's, or it is nested too deeply") from None
    if not isinstance(value, dict):
        raise _unreadable("expected an object with an assistant's fields")
    if repeated:
        raise EarlierConfigError(
            tuple(Fault(scrub(name), "written twice: remove one") for name in repeated)
        )
    return value


def decoded(content: bytes) -> str:
    """UTF-8, with or without a byte order mark.

    Raises:
        EarlierConfigError: it is not UTF-8.
    """
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise _unreadable("this is not UTF-8: save it as UTF-8") from None


def _constant(_: str) -> None:
    raise ValueError


def _unreadable(message: str, line: int | None = None) -> EarlierConfigError:
    return EarlierConfigError((Fault("", message, line),))
