"""The one converter from TOML's values to the model."""

import difflib
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Literal, get_args, get_origin

import attrs
from cattrs import (
    BaseValidationError,
    ClassValidationError,
    Converter,
    ForbiddenExtraKeysError,
    IterableValidationError,
    IterableValidationNote,
)
from cattrs.cols import homogenous_tuple_structure_factory
from cattrs.gen import make_dict_structure_fn

from tenants.fields import PARSERS, expect
from tenants.lines import Path
from tenants.model import TenantDocument

Hook = Callable[[Any, Any], Any]
Problem = tuple[Path, str]


def structure(raw: Mapping[str, Any]) -> tuple[TenantDocument | None, list[Problem]]:
    """The document that TOML's values stand for, or all that is wrong with single fields."""
    try:
        return _converter.structure(raw, TenantDocument), []
    except BaseValidationError as error:
        return None, list(_problems(error, ()))


def nearest(name: str, known: list[str]) -> str:
    """A half sentence that names what was probably meant."""
    close = difflib.get_close_matches(name, known, n=1)
    return f"did you mean {close[0]}?" if close else f"known here: {', '.join(known)}"


def _problems(error: Exception, path: Path) -> Iterator[Problem]:
    """Flatten cattrs' groups, whose notes name the attribute or the index of each error."""
    match error:
        case ClassValidationError():
            noted, others = error.group_exceptions()
            for inner, note in noted:
                yield from _problems(inner, (*path, note.name))
            for inner in others:
                yield from _problems(inner, path)
        case IterableValidationError():
            for inner, place in error.group_exceptions()[0]:
                yield from _problems(inner, (*path, place.index))
        case ForbiddenExtraKeysError():
            known = [field.name for field in attrs.fields(error.cl)]
            for name in sorted(error.extra_fields):
                yield (*path, name), f"unknown field; {nearest(name, known)}"
        case KeyError():
            yield path, "required, and missing"
        case _:
            yield path, str(error)


def _table(kind: Any) -> Hook:  # noqa: ANN401  (a typing form, as below)
    inner = make_dict_structure_fn(kind, _converter)
    return lambda value, _: inner(expect(dict, value), kind)


def _array(kind: Any) -> Hook:  # noqa: ANN401
    inner = homogenous_tuple_structure_factory(kind, _converter)
    return lambda value, _: inner(expect(list, value), kind)


def _mapping(kind: Any) -> Hook:  # noqa: ANN401
    """Tables with free keys; cattrs' own says nothing of a key whose value is wrong too."""
    key_kind, value_kind = get_args(kind)

    def hook(table: Any, _: Any) -> Any:  # noqa: ANN401  (TOML gives any of its types)
        errors: list[Exception] = []
        result = {}
        for key, value in expect(dict, table).items():
            _attempt(key, key_kind, key, errors)
            result[key] = _attempt(value, value_kind, key, errors)
        if errors:
            raise IterableValidationError("", errors, kind)
        return result

    return hook


def _attempt(value: Any, kind: Any, key: str, errors: list[Exception]) -> Any:  # noqa: ANN401
    try:
        return _converter.structure(value, kind)
    except (ValueError, BaseValidationError) as error:
        error.add_note(IterableValidationNote("", key, kind))
        errors.append(error)


def _one_of(kind: Any) -> Hook:  # noqa: ANN401
    choices = get_args(kind)

    def hook(value: Any, _: Any) -> Any:  # noqa: ANN401  (TOML gives any of its types)
        if value not in choices:
            raise ValueError(f"write {' or '.join(choices)}")
        return value

    return hook


def _is(origin: object) -> Callable[[Any], bool]:
    return lambda kind: get_origin(kind) is origin


def _scalar(parser: Callable[[Any], Any]) -> Hook:
    return lambda value, _: parser(value)


_converter = Converter(forbid_extra_keys=True)
_converter.register_structure_hook_factory(attrs.has, _table)
_converter.register_structure_hook_factory(_is(tuple), _array)
_converter.register_structure_hook_factory(_is(Mapping), _mapping)
_converter.register_structure_hook_factory(_is(Literal), _one_of)
for _kind, _parser in PARSERS.items():
    _converter.register_structure_hook(_kind, _scalar(_parser))
