"""Writes plain values as TOML 1.0: the standard library reads it only."""

import datetime as dt
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_LONGEST_LINE = 100


def dumps(document: Mapping[str, Any]) -> str:
    """A document as text; values come before tables, otherwise in the order of the mapping.

    Args:
        document: strings, numbers, truth values, dates, lists and mappings; no None.

    Raises:
        TypeError: a value has no form in TOML.
    """
    return "\n".join(_lines(document, ())).lstrip("\n") + "\n"


def _lines(table: Mapping[str, Any], path: tuple[str, ...]) -> Iterator[str]:
    values = {key: value for key, value in table.items() if not isinstance(value, Mapping)}
    tables = {key: value for key, value in table.items() if isinstance(value, Mapping)}
    if path and (values or not tables):
        yield from ("", f"[{'.'.join(map(_key, path))}]")
    for key, value in values.items():
        yield f"{_key(key)} = {_value(value)}"
    for key, inner in tables.items():
        yield from _lines(inner, (*path, key))


def _key(key: str) -> str:
    return key if _BARE_KEY.fullmatch(key) else _string(key)


def _value(value: Any) -> str:  # noqa: ANN401, PLR0911  (any of TOML's types; one case a type)
    match value:
        case bool():
            return "true" if value else "false"
        case str():
            return _string(value)
        case float():
            return repr(value)  # TOML too writes inf and nan so
        case int():
            return str(value)
        case dt.date() | dt.time():
            return value.isoformat()
        case list() | tuple():
            return _array([_value(each) for each in value])
        case Mapping():
            pairs = (f"{_key(key)} = {_value(each)}" for key, each in value.items())
            return f"{{{', '.join(pairs)}}}"
    raise TypeError(f"TOML has no form for {type(value).__name__}")


def _array(items: list[str]) -> str:
    line = f"[{', '.join(items)}]"
    if len(line) <= _LONGEST_LINE:
        return line
    return "\n".join(["[", *(f"  {item}," for item in items), "]"])


def _string(text: str) -> str:
    """A basic string; JSON escapes all that TOML wants escaped, but for DEL."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
