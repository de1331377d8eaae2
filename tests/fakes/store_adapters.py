"""Every adapter of the store's port, in the shape that the contract suite drives."""

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Protocol

from gateway.store.ports import Store
from gateway.store.sqlite import SqliteLimits, SqliteStore
from tests.fakes.store_values import LOST


class Clock:
    """Unix time that tests move."""

    def __init__(self) -> None:
        self.now = 1_700_000_000.0

    def __call__(self) -> float:
        """The time now, in seconds."""
        return self.now


class Adapter(Protocol):
    """A place where a store lives, opened as often as a test likes."""

    clock: Clock

    def store(self, *, log_bytes: int = 2**30) -> Store:
        """A store of that place, not open yet."""
        ...

    def dump(self) -> str:
        """All that is kept there, as text."""
        ...


class SqliteAdapter:
    """A file in a temporary folder."""

    def __init__(self, folder: Path) -> None:
        self.clock = Clock()
        self.path = folder / "made" / "gateway.db"

    def store(self, *, log_bytes: int = 2**30) -> SqliteStore:
        """See ``Adapter.store``."""
        return SqliteStore(self.path, limits=SqliteLimits(log_bytes=log_bytes), clock=self.clock)

    def dump(self) -> str:
        """The bytes of every file, the log of commits among them, freed pages and all."""
        files = sorted(self.path.parent.iterdir())
        return "\n".join(file.read_bytes().decode("latin-1") for file in files)


ADAPTERS = {"sqlite": SqliteAdapter}


@contextlib.asynccontextmanager
async def opened(store: Store) -> AsyncIterator[Store]:
    """An open store, closed at the end of the block."""
    await store.open(LOST)
    try:
        yield store
    finally:
        await store.close()
