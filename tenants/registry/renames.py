"""Files that are replaced whole or not at all, by one writer at a time; blocks."""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_POLL_SECONDS = 0.002
_TICK_NS = 1_000  # Every usual file system keeps microseconds.


class InexactTimesError(OSError):
    """The file system does not keep the time that a file was given."""


@contextmanager
def locked(path: Path, *, within_seconds: float) -> Iterator[int]:
    """Hold a lock that dies with its holder, and yield the lock file's descriptor.

    Raises:
        TimeoutError: somebody else held it all the time.
        OSError: the file cannot be made or locked.
    """
    path.parent.mkdir(exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o666)
    try:
        _lock(descriptor, time.monotonic() + within_seconds)
        yield descriptor
    finally:
        os.close(descriptor)


def next_time(descriptor: int, *, after: int) -> int:
    """A time that this lock file never gave before, and later than ``after``; nanoseconds."""
    newest = max(time.time_ns(), os.fstat(descriptor).st_mtime_ns + 1, after + 1)
    given = -(-newest // _TICK_NS) * _TICK_NS
    os.utime(descriptor, ns=(given, given))
    return given


def replace(path: Path, content: bytes, *, changed_ns: int, by_way_of: Path) -> None:
    """Put a file in another's place, on the disk before in force.

    Args:
        path: the file; directories above it are made.
        content: all of it.
        changed_ns: its time of change.
        by_way_of: where it is written first; what a killed writer left there is overwritten.

    Raises:
        InexactTimesError: the file system cannot keep its time of change.
        OSError: it cannot be written.
    """
    with suppress(FileNotFoundError):
        by_way_of.unlink()
    with by_way_of.open("xb") as file:
        file.write(content)
        file.flush()
        os.utime(file.fileno(), ns=(changed_ns, changed_ns))
        os.fsync(file.fileno())
        if os.fstat(file.fileno()).st_mtime_ns != changed_ns:
            raise InexactTimesError
    path.parent.mkdir(parents=True, exist_ok=True)
    by_way_of.replace(path)
    sync(path.parent)


def remove_empty(directory: Path, *, below: Path) -> None:
    """Remove a directory and those above it, as far as nothing is left in them."""
    while directory != below:
        try:
            directory.rmdir()
        except FileNotFoundError:
            pass
        except OSError:
            return
        directory = directory.parent


def sync(directory: Path) -> None:
    """Bring a directory's names to the disk."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _lock(descriptor: int, deadline: float) -> None:
    while True:
        try:
            return fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline:
                raise TimeoutError from None
            time.sleep(_POLL_SECONDS)
