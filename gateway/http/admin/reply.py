"""Answers of the operator's routes; what they hold is for nobody's cache."""

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol, TypeVar

import msgspec

from gateway.http.reply import JSON, Reply

_NO_STORE = {"Cache-Control": "no-store"}
T = TypeVar("T")


class _Listed(Protocol):
    id: str


def reply(
    answer: msgspec.Struct, status: int = 200, headers: Mapping[str, str] = _NO_STORE
) -> Reply:
    """An answer as JSON."""
    return Reply(status, msgspec.json.encode(answer), JSON, {**_NO_STORE, **headers})


def page(kind: Callable[..., T], data: Sequence[_Listed], *, more: bool) -> T:
    """A part of a list.

    Args:
        kind: of pages.
        data: the part.
        more: whether something follows it.
    """
    first_id, last_id = (data[0].id, data[-1].id) if data else (None, None)
    return kind(data=data, first_id=first_id, last_id=last_id, has_more=more)
