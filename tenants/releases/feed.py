"""The change feed: what tells every replica whose pointer or keys have changed."""

import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from types import TracebackType
from typing import Protocol, Self

from tenants.errors import BrokenObjectError
from tenants.registry import layout
from tenants.registry.objects import (
    NEW,
    ObjectChangedError,
    Objects,
    ObjectsUnavailableError,
    Stored,
)
from tenants.registry.stored import Change, Changes
from tenants.registry.stored_json import decode, encode
from tenants.releases.contention import Sleep, tries
from tenants.releases.errors import ContendedError, UnannouncedError

MOST_ENTRIES = 1_000
MOST_NAMES = 20_000  # in all entries: the feed stays small enough to be read every few seconds
BATCH_SECONDS = 1.0  # a bucket takes about one write a second of one object


class Announce(Protocol):
    """Tells replicas of changes."""

    def __call__(self, objects: Objects, tenants: Sequence[str], what: str, now: int) -> object:
        """See ``announce``."""
        ...


def announce(
    objects: Objects, tenants: Sequence[str], what: str, now: int, *, sleep: Sleep = time.sleep
) -> int:
    """Write that tenants' pointers or keys have changed, and return the change's number.

    Args:
        objects: the registry.
        tenants: their ids.
        what: such as ``publish``, for people.
        now: Unix seconds.
        sleep: waits, in seconds, while others write.

    Raises:
        UnannouncedError: the feed cannot be written now; the change itself is made.
    """
    try:
        return _append(objects, tuple(tenants), what, now, sleep)
    except ContendedError as error:
        raise UnannouncedError(tuple(tenants), f"others write {error.name} all the time") from None
    except ObjectsUnavailableError as error:
        raise UnannouncedError(tuple(tenants), error.detail) from None


class Batch:
    """Collects changes and announces them together, at most once a second, and in the end.

    It takes the place of ``announce`` where many tenants change; threads may share it. What cannot
    be announced waits for the next time, so leaving it is what raises ``UnannouncedError``.

    Args:
        clock: monotonic, in seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._turn = threading.Lock()
        self._waiting: dict[str, str] = {}
        self._last = clock() - BATCH_SECONDS
        self._objects: Objects | None = None
        self._now = 0

    def __call__(self, objects: Objects, tenants: Sequence[str], what: str, now: int) -> None:
        """Take changes of one registry; see ``announce``."""
        with self._turn:
            self._objects, self._now = objects, now
            self._waiting |= dict.fromkeys(tenants, what)
            if self._clock() - self._last >= BATCH_SECONDS:
                with suppress(UnannouncedError):
                    self._flush()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        _: type[BaseException] | None,
        __: BaseException | None,
        ___: TracebackType | None,
    ) -> None:
        with self._turn:
            self._flush()

    def _flush(self) -> None:
        if self._objects is None or not self._waiting:
            return
        what = ", ".join(sorted(set(self._waiting.values())))
        try:
            announce(self._objects, tuple(self._waiting), what, self._now)
            self._waiting.clear()
        finally:
            self._last = self._clock()


def _append(objects: Objects, tenants: tuple[str, ...], what: str, now: int, sleep: Sleep) -> int:
    for _ in tries(layout.CHANGES, sleep):
        stored = objects.read(layout.CHANGES)
        changes = _with(_changes(stored, now), tenants, what, now)
        expected = stored.generation if stored else NEW
        try:
            objects.write(layout.CHANGES, encode(changes), expected=expected)
        except ObjectChangedError:
            continue
        return changes.sequence
    raise AssertionError  # The last try raises.


def _changes(stored: Stored | None, now: int) -> Changes:
    """The feed as it is.

    One that cannot be read begins anew, at a number that no feed comes to by counting: every reader
    is behind it then, and looks at all that it holds.
    """
    if stored is None:
        return Changes()
    try:
        return decode(stored.content, Changes, layout.CHANGES)
    except BrokenObjectError:
        return Changes(sequence=now)


def _with(changes: Changes, tenants: tuple[str, ...], what: str, now: int) -> Changes:
    change = Change(changes.sequence + 1, now, tenants, what)
    entries = (*changes.entries, change)[-MOST_ENTRIES:]
    names = sum(len(each.tenants) for each in entries)
    while names > MOST_NAMES and len(entries) > 1:
        names -= len(entries[0].tenants)
        entries = entries[1:]
    return Changes(change.sequence, entries)
