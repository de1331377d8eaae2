"""A registry's documents to and from their bytes."""

from typing import Any, TypeVar

import msgspec

from tenants.errors import BrokenObjectError

T = TypeVar("T")


def encode(document: Any) -> bytes:  # noqa: ANN401  (any class of ``tenants.registry.stored``)
    """A document of ``tenants.registry.stored`` as JSON."""
    return msgspec.json.encode(document) + b"\n"


def decode(content: bytes, kind: type[T], name: str) -> T:
    """The document that an object holds.

    Args:
        content: of the object.
        kind: a class of ``tenants.registry.stored``.
        name: of the object, for the error.

    Raises:
        BrokenObjectError: it holds something else.
    """
    try:
        return msgspec.json.decode(content, type=kind)
    except (msgspec.DecodeError, RecursionError, UnicodeError) as error:
        raise BrokenObjectError(name, f"it is not what it should be: {error}") from None
