"""What operators send, read by the classes of ``admin_requests``: all faults at once."""

import types
from collections.abc import Iterator
from itertools import chain, islice
from typing import Annotated, Any, TypeVar, Union, get_args, get_origin

import msgspec
from litestar import Request

from gateway.http.body import whole_body
from gateway.http.entrance import header
from gateway.http.errors import BadInputError
from gateway.http.wire import read_json
from tenants.conversion import nearest
from tenants.releases.files import MOST_FILES

LARGEST_BODY_BYTES = 32 * 2**20
_MOST_FAULTS = 100  # that are told: finding many thousands of them would hold up everybody's turns
T = TypeVar("T")
Fault = tuple[str, str]


async def read_body(request: "Request[Any, Any, Any]", kind: type[T]) -> T:
    """The body; an empty one counts as an object without fields.

    Raises:
        UnsupportedMediaTypeError: it is not declared as JSON.
        BadInputError: with every fault.
        RequestEntityTooLarge: it is longer than a body may be here.
    """
    body = await whole_body(request, LARGEST_BODY_BYTES)
    value = read_json(body, header(request.scope, b"content-type")) if body else {}
    return _read(value, kind, strict=True)


def read_query(request: "Request[Any, Any, Any]", kind: type[T]) -> T:
    """The query's parameters; of one that repeats, the last.

    Raises:
        BadInputError: with every fault.
    """
    return _read(dict(request.query_params.multi_items()), kind, strict=False)


def _read(value: Any, kind: type[T], *, strict: bool) -> T:  # noqa: ANN401 - whatever JSON says
    try:
        return msgspec.convert(value, kind, strict=strict)
    except msgspec.ValidationError:
        faults = islice(_faults(value, kind, "", strict=strict), _MOST_FAULTS)
        raise BadInputError(tuple(faults)) from None


def _faults(value: Any, kind: Any, path: str, *, strict: bool) -> Iterator[Fault]:  # noqa: ANN401 - whatever JSON says, and any type
    """What is wrong with a value: with its parts, or else with itself."""
    try:
        msgspec.convert(value, kind, strict=strict)
    except msgspec.ValidationError as error:
        found = chain(_misnamed(value, kind, path), _of_parts(value, kind, path, strict=strict))
        whole = path, f"{str(error).partition(' - at ')[0]}."
        yield next(found, whole)
        yield from found


def _of_parts(value: Any, kind: Any, path: str, *, strict: bool) -> Iterator[Fault]:  # noqa: ANN401 - as above
    for name, part, inner in _parts(value, kind, path):
        yield from _faults(part, inner, name, strict=strict)


def _misnamed(value: Any, kind: Any, path: str) -> Iterator[Fault]:  # noqa: ANN401 - as above
    """Fields that are missing, and such that there are none of."""
    if not _is_struct(value, kind):
        return
    known = {field.encode_name: field for field in msgspec.structs.fields(_chosen(value, kind))}
    for name in sorted({*value} - {*known}):
        yield _joined(path, name), f"There is no such field; {nearest(name, [*known])}"
    for name, field in known.items():
        if field.required and name not in value:
            yield _joined(path, name), "This field is required."


def _parts(value: Any, kind: Any, path: str) -> Iterator[tuple[str, Any, Any]]:  # noqa: ANN401 - as above
    """The parts of a value, each with its path and what it should be."""
    chosen = _chosen(value, kind)
    if _is_struct(value, kind):
        for field in msgspec.structs.fields(chosen):
            if field.encode_name in value:
                name = field.encode_name
                yield _joined(path, name), value[name], field.type
    elif isinstance(value, dict) and get_origin(chosen) is dict and len(value) <= MOST_FILES:
        for name, part in value.items():
            yield f"{path}[{name}]", part, get_args(chosen)[1]


def _is_struct(value: Any, kind: Any) -> bool:  # noqa: ANN401 - as above
    chosen = _chosen(value, kind)
    of_fields = isinstance(chosen, type) and issubclass(chosen, msgspec.Struct)
    return of_fields and isinstance(value, dict)


def _chosen(value: Any, kind: Any) -> Any:  # noqa: ANN401 - as above
    """The type that a value is held to; of several, the one with fields for an object."""
    if get_origin(kind) is Annotated:
        return _chosen(value, get_args(kind)[0])
    if get_origin(kind) in {Union, types.UnionType}:
        return next((each for each in get_args(kind) if _is_struct(value, each)), kind)
    return kind


def _joined(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name
