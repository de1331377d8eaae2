"""The fields of every generation: their types, and by which of them a generation is known."""

import difflib
from collections.abc import Callable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from typing import Any

from migrations_of_config.earlier.quarantine import KEY_FIELD, joined
from migrations_of_config.errors import Fault

Raw = Mapping[str, Any]
Check = Callable[[str, Any], Iterator[Fault]]

DROPPED = frozenset(
    {"orchestrator_type", "stream_handler_type", "tool_executor_type", "message_parser_type"}
)
REGISTRATION = frozenset(
    {"instructions", "model", "functions_module", "function_definitions", "vector_store_name"}
    | {"vector_store_file_paths", "vector_store_files"}
)
SPEC = "client spec"
REGISTRATION_JSON = "registration JSON"
_NAMES = {str: "a string", bool: "true or false", list: "an array", dict: "an object"}


_SHAPES: tuple[tuple[str, Callable[[AbstractSet[str]], object]], ...] = (
    (REGISTRATION_JSON, lambda names: names & REGISTRATION),
    ("G5", lambda names: names & DROPPED),
    ("G4", lambda names: KEY_FIELD in names),
    ("G3", lambda names: "initial_messages" in names),
    ("G7", lambda names: "file_search" in names),
    ("G6", lambda names: names & {"assistant_name", "initial_message"}),
    ("G2", lambda names: names & {"code_interpreter", "retrieval"}),
    ("G1", lambda names: "function_names" in names),
    ("G0", lambda _: True),
)


def _is(kind: type) -> Check:
    def check(path: str, value: Any) -> Iterator[Fault]:  # noqa: ANN401  (any of JSON's types)
        if type(value) is not kind:
            yield Fault(path, f"expected {_NAMES[kind]}, not {_name(value)}: correct it")
        elif not all(map(_is_text, _texts(value))):
            yield Fault(path, "it holds NUL or half a character: remove that")

    return check


def _each(inner: Check) -> Check:
    def check(path: str, value: Any) -> Iterator[Fault]:  # noqa: ANN401  (as above)
        if not isinstance(value, list):
            yield from _is(list)(path, value)
            return
        for at, item in enumerate(value):
            yield from inner(joined(path, at), item)

    return check


_CHECKS: Mapping[str, Check] = {
    **dict.fromkeys(("client_id", "assistant_id", "assistant_name", "initial_message"), _is(str)),
    **dict.fromkeys(("instructions", "model", "functions_module", "vector_store_name"), _is(str)),
    **dict.fromkeys(("code_interpreter", "retrieval", "file_search"), _is(bool)),
    **dict.fromkeys(("initial_messages", "function_names", "file_paths"), _each(_is(str))),
    **dict.fromkeys(("vector_store_file_paths", "vector_store_files"), _each(_is(str))),
    **dict.fromkeys(("function_definitions", "functions"), _each(_is(dict))),
}
KNOWN = frozenset({*_CHECKS, *DROPPED, KEY_FIELD})


def faults_of(raw: Raw) -> Iterator[Fault]:
    """Every field of a wrong type; null counts as absent."""
    if not KNOWN & raw.keys():
        yield Fault("", f"none of an assistant's fields is here: {', '.join(sorted(_CHECKS))}")
    for name, check in _CHECKS.items():
        if raw.get(name) is not None:
            yield from check(name, raw[name])


def generation_of(raw: Raw) -> str:
    """The generation whose shape a JSON document has."""
    return next(name for name, has_shape in _SHAPES if has_shape(raw.keys()))


def nearest(name: str) -> str:
    """A half sentence that names what was probably meant; empty where nothing is near."""
    close = difflib.get_close_matches(name, sorted(KNOWN), n=1)
    return f"did you mean {close[0]}?" if close else ""


def _name(value: object) -> str:
    return _NAMES.get(type(value), "null" if value is None else "a number")


def _texts(value: Any) -> Iterator[str]:  # noqa: ANN401  (as above)
    if isinstance(value, str):
        yield value
    elif isinstance(value, list | dict):
        for each in value:
            yield from _texts(each)
        for each in value.values() if isinstance(value, dict) else ():
            yield from _texts(each)


def _is_text(text: str) -> bool:
    return "\0" not in text and not any("\ud800" <= each <= "\udfff" for each in text)
