"""A registry in a directory: atomic renames, one lock for those who write, none for who reads.

``tenants/acme/x`` lies at ``ROOT/acme/x`` and ``changes.json`` at ``ROOT/changes.json``. An
object's generation is its file's time of change in nanoseconds, which a rename puts in force in one
step with the content; the lock file's time is the last one that was given, so none comes twice,
also where the clock goes back. What is no object lies in ``ROOT/.objects``: the lock, the one file
that is being written, and labels, each beside the digest of its content, so that a writer who is
killed leaves content and labels that belong together.
"""

import errno
import hashlib
import json
import os
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from tenants.registry.objects import (
    NEW,
    Listed,
    ObjectChangedError,
    ObjectsUnavailableError,
    Stored,
)
from tenants.registry.patterns import Pattern, parts_of
from tenants.registry.renames import (
    InexactTimesError,
    locked,
    next_time,
    remove_empty,
    replace,
    sync,
)

_TENANTS = "tenants"
_LOCK_SECONDS = 10.0
_LOOKS = 3
_NOTHING_THERE = (errno.ENOENT, errno.ENOTDIR, errno.ELOOP)
_REMEDIES = {
    errno.ENOENT: "make the directory, or name another",
    errno.ENOTDIR: "name a directory",
    errno.EACCES: "let this process's user read it, and write it where it publishes",
    errno.EPERM: "let this process's user read it, and write it where it publishes",
    errno.EROFS: "mount it so that it can be written",
    errno.ENOSPC: "make room on its disk",
}


class FileObjects:
    """Objects as files below a directory, for the processes of one machine.

    Args:
        root: the directory; it must exist, and may be read-only where nothing is written.
        lock_seconds: how long a write waits for other writers.
    """

    def __init__(self, root: Path, *, lock_seconds: float = _LOCK_SECONDS) -> None:
        self._root = root
        self._own = root / ".objects"
        self._lock_seconds = lock_seconds

    def read(self, name: str) -> Stored | None:
        """An object, or None where there is none."""
        path = self._path(name)
        with self._faults():
            return self._read(path)

    def changed(self, name: str, since: int) -> Stored | None:
        """An object if its generation is not ``since``; None where it is, or there is none."""
        path = self._path(name)
        with self._faults():
            return None if self._generation(path) == since else self._read(path)

    def write(
        self,
        name: str,
        content: bytes,
        *,
        expected: int | None,
        labels: Mapping[str, str] | None = None,
    ) -> int:
        """Write an object whole or not at all, and return its generation.

        Raises:
            ObjectChangedError: it has another generation than ``expected``.
        """
        path = self._path(name)
        with self._faults(), self._locked(path) as lock:
            found = self._generation(path)
            if expected not in (None, found):
                raise ObjectChangedError(name)
            generation = next_time(lock, after=found)
            if labels:
                self._put(
                    self._labels(path, content), json.dumps(dict(labels)).encode(), generation
                )
            self._put(path, content, generation)
            self._forget_labels(path, but=self._labels(path, content) if labels else None)
            return generation

    def delete(self, name: str) -> None:
        """Delete an object; that there is none is fine."""
        path = self._path(name)
        with self._faults(), self._locked(path):
            with suppress(FileNotFoundError, NotADirectoryError):
                path.unlink()
                sync(path.parent)
            self._forget_labels(path, but=None)
            remove_empty(path.parent, below=self._root)

    def list(self, pattern: str) -> Iterator[Listed]:
        """The objects whose names match, by name."""
        with self._faults():
            names = sorted(self._names(Pattern(pattern)), key=str.encode)
        for name in names:
            with self._faults():
                listed = self._listed(name)
            if listed is not None:
                yield listed

    # Where things lie

    def _path(self, name: str) -> Path:
        """An object's file; what lies there may be a link that leads out of the root."""
        match parts_of(name):
            case [file] if not file.startswith("."):
                return self._root / file
            case ["tenants", tenant, *rest] if rest and not tenant.startswith("."):
                return self._root.joinpath(tenant, *rest)
        raise ValueError(f"no name of a registry's object: {name!r}")

    def _is_inside(self, path: Path) -> bool:
        return path.resolve().is_relative_to(self._root.resolve())

    def _check_inside(self, path: Path) -> None:
        if not self._is_inside(path):
            raise OSError(errno.ELOOP, f"a link leads out of it at {path}: put itself there")

    @contextmanager
    def _locked(self, path: Path) -> Iterator[int]:
        """Hold the lock; writes to ``path`` stay inside of the root."""
        self._check_inside(self._own)
        with locked(self._own / "lock", within_seconds=self._lock_seconds) as lock:
            self._check_inside(path.parent)
            yield lock

    # Reading

    def _generation(self, path: Path) -> int:
        try:
            found = path.stat()
        except OSError as error:
            if error.errno not in _NOTHING_THERE:
                raise
            _check_directory(self._root)
            return NEW
        is_object = stat.S_ISREG(found.st_mode) and self._is_inside(path)
        return _generation(found) if is_object else NEW

    def _read(self, path: Path) -> Stored | None:
        if self._generation(path) == NEW:
            return None
        try:
            with path.open("rb") as file:
                return Stored(file.read(), _generation(os.fstat(file.fileno())))
        except FileNotFoundError:
            return None  # It was deleted a moment ago.

    # Writing

    def _put(self, path: Path, content: bytes, generation: int) -> None:
        replace(path, content, changed_ns=generation, by_way_of=self._own / "writing")

    def _labels(self, path: Path, content: bytes) -> Path:
        return self._all_labels(path) / hashlib.sha256(content).hexdigest()

    def _all_labels(self, path: Path) -> Path:
        return self._own / "labels" / path.relative_to(self._root)

    def _forget_labels(self, path: Path, *, but: Path | None) -> None:
        labels = self._all_labels(path)
        for each in labels.iterdir() if labels.is_dir() else ():
            if each != but:
                each.unlink()
        remove_empty(labels, below=self._own)

    # Listing

    def _names(self, pattern: Pattern) -> Iterator[str]:
        for entry in _entries(self._root):
            if entry.name.startswith("."):
                continue
            path, parts = Path(entry.path), [_TENANTS, entry.name]
            if pattern.may_match_below(parts) and path.is_dir() and self._is_inside(path):
                yield from _names_below(entry, parts, pattern)
            elif pattern.matches(entry.name):
                yield entry.name

    def _listed(self, name: str) -> Listed | None:
        """An object as it is now, with its own labels also while it is replaced."""
        path = self._path(name)
        if not self._all_labels(path).is_dir():
            generation = self._generation(path)
            return Listed(name, generation, {}) if generation != NEW else None
        stored = self._read(path)
        for _ in range(_LOOKS):
            if stored is None:
                return None
            with suppress(FileNotFoundError):
                labels = self._labels(path, stored.content).read_bytes()
                return Listed(name, stored.generation, json.loads(labels))
            stored = self._read(path)
        return Listed(name, stored.generation, {}) if stored else None

    @contextmanager
    def _faults(self) -> Iterator[None]:
        """Turn what the system says into our error, with its remedy."""
        try:
            yield
        except OSError as error:
            raise ObjectsUnavailableError(_detail(error, self._root)) from None
        except RuntimeError:  # pathlib's own for links that lead in a circle
            raise ObjectsUnavailableError(f"{self._root}: its links lead in a circle") from None


def _generation(found: os.stat_result) -> int:
    return found.st_mtime_ns or 1  # Some build tools set every time to zero, which is ``NEW``.


def _check_directory(path: Path) -> None:
    os.scandir(path).close()


def _entries(directory: str | Path) -> list[os.DirEntry[str]]:
    with os.scandir(directory) as entries:
        return [entry for entry in entries if entry.name.isprintable()]


def _names_below(entry: os.DirEntry[str], parts: list[str], pattern: Pattern) -> Iterator[str]:
    """The matching names below a directory; links to directories are not followed."""
    if not pattern.may_match_below(parts):
        return
    with suppress(FileNotFoundError):  # It was removed a moment ago.
        for below in _entries(entry.path):
            name = [*parts, below.name]
            if below.is_dir(follow_symlinks=False):
                yield from _names_below(below, name, pattern)
            elif pattern.matches("/".join(name)):
                yield "/".join(name)


def _detail(error: OSError, root: Path) -> str:
    if isinstance(error, TimeoutError):
        return f"{root}: another process holds its lock too long: find it, end it and try again"
    if isinstance(error, InexactTimesError):
        return f"{root}: its file system keeps no exact times: use one that does, such as ext4"
    place = error.filename or root
    remedy = _REMEDIES.get(error.errno or 0)
    return f"{place}: {error.strerror}: {remedy}" if remedy else f"{place}: {error.strerror}"
