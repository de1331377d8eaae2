"""What the simulator keeps of one API key: files, and vector stores that they are in.

Memory is bounded, and gone with the process. Another key's things are as if they did not exist.
"""

import time
from collections import OrderedDict
from collections.abc import Callable, Iterable

import attrs

from gateway.simulator.errors import RefusedError
from gateway.simulator.ids import new_id
from gateway.simulator.searching import Chunk, Found, chunks_of, score

LARGEST_FILE_BYTES = 64 * 1024 * 1024
_MOST_BYTES = 256 * 1024 * 1024
_MOST_ACCOUNTS = 1024
_MOST_THINGS = 10_000
_INDEXING_SECONDS = 0.02
_SUPPORTED_TEXT = "c cpp cs css doc docx go html java js json md pdf php pptx py rb sh tex ts txt"
_SUPPORTED = frozenset(_SUPPORTED_TEXT.split())
_BREAKS = b"[[index=failed]]"

Attributes = dict[str, str | float | bool]


@attrs.frozen(eq=False)
class File:
    """An uploaded file.

    Args:
        created_at: Unix seconds.
    """

    id: str
    filename: str
    purpose: str
    content: bytes
    created_at: int
    chunks: tuple[Chunk, ...]


@attrs.define(eq=False)
class Attached:
    """A file in a vector store.

    Args:
        ready_at: when its indexing ends, by the shelf's clock.
        batch_id: of the batch that it came with; empty for none.
    """

    file: File
    store_id: str
    created_at: int
    ready_at: float
    attributes: Attributes
    batch_id: str = ""
    cancelled: bool = False

    @property
    def failure(self) -> tuple[str, str] | None:
        """Code and message of what is wrong with the file, as OpenAI says it."""
        if self.file.filename.rpartition(".")[2].lower() not in _SUPPORTED:
            return "unsupported_file", "The file type is not supported."
        if not self.file.content or _BREAKS in self.file.content:
            return "invalid_file", "The file could not be parsed because it is not valid."
        return None

    def status(self, now: float) -> str:
        """Such as ``in_progress``."""
        if self.cancelled:
            return "cancelled"
        if now < self.ready_at:
            return "in_progress"
        return "failed" if self.failure else "completed"


@attrs.define(eq=False)
class Store:
    """A vector store.

    Args:
        files: by their ids.
        batches: when each was made, by id.
    """

    id: str
    name: str
    created_at: int
    metadata: dict[str, str]
    files: dict[str, Attached] = attrs.Factory(dict)
    batches: dict[str, int] = attrs.Factory(dict)


@attrs.define(eq=False)
class Room:
    """How many bytes all accounts have left."""

    left: int = _MOST_BYTES

    def take(self, size: int) -> None:
        """Take so many bytes.

        Raises:
            RefusedError: 400; there is no more room.
        """
        if size > self.left:
            raise RefusedError(400, "The simulator has no room for more files: delete some.")
        self.left -= size


@attrs.define(eq=False)
class Shelf:
    """One account's files and vector stores.

    Args:
        clock: seconds that never go back.
    """

    room: Room = attrs.Factory(Room)
    clock: Callable[[], float] = time.monotonic
    files: dict[str, File] = attrs.Factory(dict)
    stores: dict[str, Store] = attrs.Factory(dict)

    def upload(self, filename: str, purpose: str, content: bytes) -> File:
        """Keep a file."""
        if len(self.files) >= _MOST_THINGS:
            raise RefusedError(400, "The simulator keeps no more files: delete some.")
        self.room.take(len(content))
        file = File(
            new_id("file-"), filename, purpose, content, int(time.time()), chunks_of(content)
        )
        self.files[file.id] = file
        return file

    def file(self, file_id: str) -> File:
        """A file.

        Raises:
            RefusedError: 404.
        """
        found = self.files.get(file_id)
        if found is None:
            raise RefusedError(404, f"No such File object: {file_id}", param="id")
        return found

    def delete_file(self, file_id: str) -> None:
        """Forget a file, in every vector store too."""
        self.room.left += len(self.file(file_id).content)
        del self.files[file_id]
        for store in self.stores.values():
            store.files.pop(file_id, None)

    def create_store(self, name: str, metadata: dict[str, str]) -> Store:
        """Make an empty vector store."""
        if len(self.stores) >= _MOST_THINGS:
            raise RefusedError(400, "The simulator keeps no more vector stores: delete some.")
        store = Store(new_id("vs_"), name, int(time.time()), metadata)
        self.stores[store.id] = store
        return store

    def store(self, store_id: str) -> Store:
        """A vector store.

        Raises:
            RefusedError: 404.
        """
        found = self.stores.get(store_id)
        if found is None:
            raise RefusedError(404, f"Vector store with id '{store_id}' not found.")
        return found

    def attach(self, store: Store, file_id: str, attributes: Attributes, batch: str = "") -> None:
        """Put a file into a vector store, where it is indexed."""
        ready_at = self.clock() + _INDEXING_SECONDS
        store.files[file_id] = Attached(
            self.file(file_id), store.id, int(time.time()), ready_at, attributes, batch
        )

    def attached(self, store: Store, file_id: str) -> Attached:
        """A file of a vector store.

        Raises:
            RefusedError: 404.
        """
        found = store.files.get(file_id)
        if found is None:
            raise RefusedError(
                404, f"No file found with id '{file_id}' in vector store '{store.id}'."
            )
        return found

    def search(self, store_ids: Iterable[str], query: str, most: int) -> list[Found]:
        """The passages that answer a question best, of files that are indexed."""
        now = self.clock()
        found = [
            Found(
                each.file.id,
                each.file.filename,
                chunk.text,
                round(min(score(query, chunk, each.file.filename), 1.0), 4),
                each.attributes,
            )
            for store_id in store_ids
            for each in self.store(store_id).files.values()
            if each.status(now) == "completed"
            for chunk in each.file.chunks
        ]
        found.sort(key=lambda one: -one.score)
        return [one for one in found[:most] if one.score > 0]


@attrs.define(eq=False)
class Shelves:
    """A shelf for each API key; the one that was longest unused goes first."""

    room: Room = attrs.Factory(Room)
    _shelves: OrderedDict[str, Shelf] = attrs.Factory(OrderedDict)

    def of(self, key: str) -> Shelf:
        """The key's shelf."""
        shelf = self._shelves.pop(key, None) or Shelf(self.room)
        self._shelves[key] = shelf
        if len(self._shelves) > _MOST_ACCOUNTS:
            _, forgotten = self._shelves.popitem(last=False)
            self.room.left += sum(len(file.content) for file in forgotten.files.values())
        return shelf
