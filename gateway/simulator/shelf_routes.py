"""The routes of files and vector stores."""

import re
import time
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias
from urllib.parse import parse_qsl

import attrs
import msgspec

from gateway.simulator import reading
from gateway.simulator.errors import RefusedError
from gateway.simulator.ids import new_id
from gateway.simulator.multipart import read_parts
from gateway.simulator.shelf import LARGEST_FILE_BYTES, Attributes, Shelf, Store
from gateway.simulator.shelf_wire import (
    Object,
    attached_object,
    batch_object,
    file_object,
    page,
    store_object,
)

_PURPOSES = frozenset({"assistants", "batch", "fine-tune", "vision", "user_data", "evals"})
_MOST_FILES_LISTED = 10_000  # the API reference: of files; of all else 100
_MOST_LISTED = 100
_USUALLY_LISTED = 20


class _NewStore(msgspec.Struct):
    name: str | None = None
    file_ids: list[str] = []
    metadata: dict[str, str] | None = None


class _NewAttached(msgspec.Struct):
    file_id: str
    attributes: Attributes | None = None


class _Changed(msgspec.Struct):
    attributes: Attributes


class _NewBatch(msgspec.Struct):
    file_ids: list[str] = []
    files: list[_NewAttached] = []
    attributes: Attributes | None = None


class _Search(msgspec.Struct):
    query: str | list[str]
    max_num_results: int = 10
    filters: dict[str, Any] | None = None


@attrs.frozen(eq=False)
class Asked:
    """A request of one of these routes.

    Args:
        ids: those in its path.
    """

    shelf: Shelf
    ids: tuple[str, ...]
    query: Mapping[str, str]
    content_type: str
    body: bytes

    def read(self, kind: type[Any]) -> Any:  # noqa: ANN401 -- of the kind
        """The body; none at all counts as an empty object."""
        return reading.decode(msgspec.json.Decoder(kind), self.body or b"{}")

    @property
    def now(self) -> float:
        """By the shelf's clock."""
        return self.shelf.clock()

    @property
    def store(self) -> Store:
        """The vector store that the path names."""
        return self.shelf.store(self.ids[0])


_Answer: TypeAlias = Object | bytes
_Route: TypeAlias = Callable[[Asked], _Answer]


def find(method: str, path: str) -> tuple[_Route, tuple[str, ...]] | None:
    """The route of a path, and the ids in it; None where it is of other routes.

    Raises:
        RefusedError: 405.
    """
    for pattern, methods in _ROUTES:
        match = pattern.fullmatch(path)
        if match is not None:
            if method not in methods:
                words = f"Not allowed to {method} on {path}."
                raise RefusedError(405, words, code="method_not_supported")
            return methods[method], match.groups()
    return None


def query_of(raw: bytes) -> dict[str, str]:
    """A query's parameters; of those with one name the last counts."""
    return dict(parse_qsl(raw.decode("latin-1"), keep_blank_values=True))


def _upload(asked: Asked) -> Object:
    parts = read_parts(asked.content_type, asked.body)
    file, purpose = parts.get("file"), parts.get("purpose")
    if purpose is None:
        raise reading.missing("purpose")
    named = purpose.content.decode(errors="replace")
    if named not in _PURPOSES:
        raise reading.unsupported("purpose", named)
    if file is None or not file.filename:
        raise reading.missing("file")
    if len(file.content) > LARGEST_FILE_BYTES:
        raise RefusedError(413, "The file is larger than the simulator takes, 64 MiB.")
    return file_object(asked.shelf.upload(file.filename, named, file.content))


def _files(asked: Asked) -> Object:
    purpose = asked.query.get("purpose")
    listed = [
        file_object(file)
        for file in asked.shelf.files.values()
        if purpose is None or file.purpose == purpose
    ]
    return page(listed, asked.query, _MOST_FILES_LISTED, _MOST_FILES_LISTED)


def _file(asked: Asked) -> Object:
    return file_object(asked.shelf.file(asked.ids[0]))


def _content(asked: Asked) -> bytes:
    file = asked.shelf.file(asked.ids[0])
    if file.purpose in ("assistants", "user_data", "vision"):
        raise RefusedError(400, f"Not allowed to download files of purpose: {file.purpose}")
    return file.content


def _delete_file(asked: Asked) -> Object:
    asked.shelf.delete_file(asked.ids[0])
    return {"id": asked.ids[0], "object": "file", "deleted": True}


def _create_store(asked: Asked) -> Object:
    new: _NewStore = asked.read(_NewStore)
    for file_id in new.file_ids:
        asked.shelf.file(file_id)
    store = asked.shelf.create_store(new.name or "", new.metadata or {})
    for file_id in new.file_ids:
        asked.shelf.attach(store, file_id, {})
    return store_object(store, asked.now)


def _stores(asked: Asked) -> Object:
    listed = [store_object(store, asked.now) for store in asked.shelf.stores.values()]
    return page(listed, asked.query, _MOST_LISTED, _USUALLY_LISTED)


def _store(asked: Asked) -> Object:
    return store_object(asked.store, asked.now)


def _modify_store(asked: Asked) -> Object:
    store, changed = asked.store, asked.read(_NewStore)
    store.name = store.name if changed.name is None else changed.name
    store.metadata = store.metadata if changed.metadata is None else changed.metadata
    return store_object(store, asked.now)


def _delete_store(asked: Asked) -> Object:
    del asked.shelf.stores[asked.store.id]
    return {"id": asked.ids[0], "object": "vector_store.deleted", "deleted": True}


def _attach(asked: Asked) -> Object:
    store, new = asked.store, asked.read(_NewAttached)
    asked.shelf.attach(store, new.file_id, new.attributes or {})
    return attached_object(store.files[new.file_id], asked.now)


def _attached(asked: Asked, batch_id: str = "") -> Object:
    wanted = asked.query.get("filter")
    listed = [
        attached_object(one, asked.now)
        for one in asked.store.files.values()
        if batch_id in ("", one.batch_id) and wanted in (None, one.status(asked.now))
    ]
    return page(listed, asked.query, _MOST_LISTED, _USUALLY_LISTED)


def _attached_file(asked: Asked) -> Object:
    return attached_object(asked.shelf.attached(asked.store, asked.ids[1]), asked.now)


def _modify_attached(asked: Asked) -> Object:
    attached = asked.shelf.attached(asked.store, asked.ids[1])
    attached.attributes = asked.read(_Changed).attributes
    return attached_object(attached, asked.now)


def _detach(asked: Asked) -> Object:
    asked.shelf.attached(asked.store, asked.ids[1])
    del asked.store.files[asked.ids[1]]
    return {"id": asked.ids[1], "object": "vector_store.file.deleted", "deleted": True}


def _parsed(asked: Asked) -> Object:
    chunks = asked.shelf.attached(asked.store, asked.ids[1]).file.chunks
    return {
        "object": "vector_store.file_content.page",
        "data": [{"type": "text", "text": chunk.text} for chunk in chunks],
        "has_more": False,
        "next_page": None,
    }


def _create_batch(asked: Asked) -> Object:
    store, new = asked.store, asked.read(_NewBatch)
    files = new.files or [_NewAttached(file_id, new.attributes) for file_id in new.file_ids]
    if not files:
        raise reading.missing("file_ids")
    for each in files:
        asked.shelf.file(each.file_id)
    batch_id = new_id("vsfb_")
    store.batches[batch_id] = int(time.time())
    for each in files:
        asked.shelf.attach(store, each.file_id, each.attributes or {}, batch_id)
    return batch_object(store, batch_id, asked.now)


def _batch(asked: Asked) -> Object:
    return batch_object(asked.store, asked.ids[1], asked.now)


def _batch_files(asked: Asked) -> Object:
    _batch(asked)
    return _attached(asked, asked.ids[1])


def _cancel_batch(asked: Asked) -> Object:
    _batch(asked)
    for one in asked.store.files.values():
        if one.batch_id == asked.ids[1] and one.status(asked.now) == "in_progress":
            one.cancelled = True
    return _batch(asked)


def _search(asked: Asked) -> Object:
    store, search = asked.store, asked.read(_Search)
    queries = [search.query] if isinstance(search.query, str) else search.query
    if not 1 <= search.max_num_results <= 50:  # noqa: PLR2004 -- the API reference
        raise reading.unsupported("max_num_results", search.max_num_results)
    if search.filters is not None:
        raise RefusedError(400, "The simulator has no filters.", param="filters")
    found = asked.shelf.search([store.id], " ".join(queries), search.max_num_results)
    data = [
        {
            "file_id": one.file_id,
            "filename": one.filename,
            "score": one.score,
            "attributes": one.attributes,
            "content": [{"type": "text", "text": one.text}],
        }
        for one in found
    ]
    return {
        "object": "vector_store.search_results.page",
        "search_query": queries,
        "data": data,
        "has_more": False,
        "next_page": None,
    }


_ID = "([^/]+)"
_STORE = f"/v1/vector_stores/{_ID}"
_TABLE: dict[str, dict[str, _Route]] = {
    "/v1/files": {"POST": _upload, "GET": _files},
    f"/v1/files/{_ID}": {"GET": _file, "DELETE": _delete_file},
    f"/v1/files/{_ID}/content": {"GET": _content},
    "/v1/vector_stores": {"POST": _create_store, "GET": _stores},
    _STORE: {"GET": _store, "POST": _modify_store, "DELETE": _delete_store},
    f"{_STORE}/search": {"POST": _search},
    f"{_STORE}/files": {"POST": _attach, "GET": _attached},
    f"{_STORE}/files/{_ID}": {
        "GET": _attached_file,
        "POST": _modify_attached,
        "DELETE": _detach,
    },
    f"{_STORE}/files/{_ID}/content": {"GET": _parsed},
    f"{_STORE}/file_batches": {"POST": _create_batch},
    f"{_STORE}/file_batches/{_ID}": {"GET": _batch},
    f"{_STORE}/file_batches/{_ID}/cancel": {"POST": _cancel_batch},
    f"{_STORE}/file_batches/{_ID}/files": {"GET": _batch_files},
}
_ROUTES = [(re.compile(path), methods) for path, methods in _TABLE.items()]
