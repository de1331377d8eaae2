"""Files and vector stores as OpenAI's API shows them, and pages of them."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeAlias

from gateway.simulator.errors import RefusedError
from gateway.simulator.shelf import Attached, File, Store

Object: TypeAlias = dict[str, Any]
_CHUNKING = {
    "type": "static",
    "static": {"max_chunk_size_tokens": 800, "chunk_overlap_tokens": 400},
}
_STATUSES = ("in_progress", "completed", "failed", "cancelled")


def file_object(file: File) -> Object:
    """``file``."""
    return {
        "id": file.id,
        "object": "file",
        "bytes": len(file.content),
        "created_at": file.created_at,
        "expires_at": None,
        "filename": file.filename,
        "purpose": file.purpose,
        "status": "processed",
        "status_details": None,
    }


def store_object(store: Store, now: float) -> Object:
    """``vector_store``; ``now`` is by the shelf's clock."""
    counts = _counts(store.files.values(), now)
    return {
        "id": store.id,
        "object": "vector_store",
        "created_at": store.created_at,
        "name": store.name,
        "usage_bytes": _usage(store.files.values(), now),
        "file_counts": counts,
        "status": "in_progress" if counts["in_progress"] else "completed",
        "expires_after": None,
        "expires_at": None,
        "last_active_at": store.created_at,
        "metadata": store.metadata,
    }


def attached_object(attached: Attached, now: float) -> Object:
    """``vector_store.file``."""
    status = attached.status(now)
    failure = attached.failure if status == "failed" else None
    return {
        "id": attached.file.id,
        "object": "vector_store.file",
        "created_at": attached.created_at,
        "usage_bytes": _usage([attached], now),
        "vector_store_id": attached.store_id,
        "status": status,
        "last_error": dict(zip(("code", "message"), failure, strict=True)) if failure else None,
        "chunking_strategy": _CHUNKING,
        "attributes": attached.attributes,
    }


def batch_object(store: Store, batch_id: str, now: float) -> Object:
    """``vector_store.files_batch``.

    Raises:
        RefusedError: 404.
    """
    if batch_id not in store.batches:
        raise RefusedError(404, f"No file batch found with id '{batch_id}'.")
    counts = _counts((one for one in store.files.values() if one.batch_id == batch_id), now)
    ended = "cancelled" if counts["cancelled"] else "completed"
    return {
        "id": batch_id,
        "object": "vector_store.files_batch",
        "created_at": store.batches[batch_id],
        "vector_store_id": store.id,
        "status": "in_progress" if counts["in_progress"] else ended,
        "file_counts": counts,
    }


def page(objects: Sequence[Object], query: Mapping[str, str], most: int, usual: int) -> Object:
    """A page of objects that are given oldest first.

    Args:
        objects: all of them.
        query: the request's ``limit``, ``order``, ``after`` and ``before``.
        most: the greatest limit.
        usual: the limit where none is named.

    Raises:
        RefusedError: 400; a limit or an order that there is none of.
    """
    limit = _limit(query.get("limit"), most, usual)
    order = query.get("order", "desc")
    if order not in ("asc", "desc"):
        raise RefusedError(400, f"Invalid value: '{order}'.", code="invalid_value", param="order")
    listed = list(objects) if order == "asc" else list(objects)[::-1]
    ids = [each["id"] for each in listed]
    start = ids.index(query["after"]) + 1 if query.get("after") in ids else 0
    end = ids.index(query["before"]) if query.get("before") in ids else len(ids)
    data = listed[start:end][:limit]
    return {
        "object": "list",
        "data": data,
        "first_id": data[0]["id"] if data else None,
        "last_id": data[-1]["id"] if data else None,
        "has_more": end - start > limit,
    }


def _limit(given: str | None, most: int, usual: int) -> int:
    if given is None:
        return usual
    if not given.isascii() or not given.isdigit() or len(given) > 9 or not 1 <= int(given) <= most:  # noqa: PLR2004 -- more digits than any bound here
        words = f"Invalid 'limit': expected a whole number from 1 to {most}."
        raise RefusedError(400, words, code="invalid_value", param="limit")
    return int(given)


def _counts(attached: Iterable[Attached], now: float) -> Object:
    counted = Counter(one.status(now) for one in attached)
    return {name: counted[name] for name in _STATUSES} | {"total": counted.total()}


def _usage(attached: Iterable[Attached], now: float) -> int:
    return sum(len(one.file.content) for one in attached if one.status(now) == "completed")
