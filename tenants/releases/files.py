"""Which files a release takes, from a directory or as they are given, and how large they may be.

It takes what its document names, all that lies below ``knowledge/``, and the state of the knowledge
at the upstream, and it is known by the SHA-256 of every byte of them.
"""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath

import attrs

from migrations_of_config.chain import Chain
from tenants.compiled_json import FILE as COMPILED
from tenants.documents import FILE, readable
from tenants.errors import Fault
from tenants.fields import PARSERS
from tenants.model import FilePath
from tenants.sources import (
    KNOWLEDGE_STATE,
    LARGEST_FILE_BYTES,
    MISSING,
    Sources,
    content,
    digest,
    named_files,
    sources_of,
)

LARGEST_KNOWLEDGE_FILE_BYTES = 32 * 1_048_576
LARGEST_RELEASE_BYTES = 128 * 1_048_576
MOST_FILES = 1_000
KNOWLEDGE = "knowledge/"


@attrs.frozen
class Collected:
    """The files of a release.

    Args:
        files: by name.
        problems: what is wrong with those that could not be read, by name.
    """

    files: Mapping[str, bytes]
    problems: Mapping[str, str] = attrs.field(factory=dict)

    def read(self, name: str) -> bytes:
        """A file.

        Raises:
            ValueError: with what is wrong with it.
        """
        if name not in self.files:
            raise ValueError(self.problems.get(name, MISSING))
        return self.files[name]


def collect(directory: Path, chain: Chain | None = None) -> Collected:
    """Read what a release takes of a directory; nothing is raised.

    Args:
        directory: of one tenant.
        chain: of the document's schema versions; None: the released one.
    """
    files: dict[str, bytes] = {}
    problems: dict[str, str] = {}
    for name in _names(directory, chain):
        if len(files) > MOST_FILES or _sum(files) > LARGEST_RELEASE_BYTES:
            break  # That is a fault already, whatever the rest may be.
        try:
            files[name] = content(directory, name, _largest(name))
        except ValueError as error:
            problems[name] = str(error)
    return Collected(files, problems)


def release_sources(tenant_id: str, collected: Collected, chain: Chain | None = None) -> Sources:
    """What the files of a release say; their names and sizes are judged too.

    Args:
        tenant_id: whose release it is to be.
        collected: its files.
        chain: of the document's schema versions; None: the released one.
    """
    sources = sources_of(tenant_id, collected.read, chain)
    faults = (*sources.faults, *_misfits(collected, sources.texts.get(FILE), chain))
    return attrs.evolve(sources, faults=faults, revision=digest(collected.files))


def is_knowledge(name: str) -> bool:
    """Whether a file of a release is one of its knowledge."""
    return name.startswith(KNOWLEDGE)


def _names(directory: Path, chain: Chain | None) -> Iterator[str]:
    yield FILE
    try:
        document = content(directory, FILE).decode("utf-8-sig", "replace")
    except ValueError:
        return
    yield from dict.fromkeys(name for _, name in named_files(document, chain))
    if os.path.lexists(directory / KNOWLEDGE_STATE):
        yield KNOWLEDGE_STATE
    yield from _below(directory)


def _below(directory: Path) -> Iterator[str]:
    """The names of the files of knowledge, but for hidden ones."""
    for place, folders, files in os.walk(directory / KNOWLEDGE):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(files):
            if not name.startswith("."):
                yield str(PurePosixPath((Path(place) / name).relative_to(directory)))


def _misfits(collected: Collected, document: str | None, chain: Chain | None) -> Iterator[Fault]:
    """What is wrong with the files of a release, but for those that its document names."""
    for name, words in collected.problems.items():
        if is_knowledge(name):
            yield Fault(_shown(name), "", f"it {words}")
    names_any = bool(readable(document or "", chain))  # one that is not TOML names no file
    named = {FILE, KNOWLEDGE_STATE, *(name for _, name in named_files(document or "", chain))}
    for name in collected.files:
        fault = _misfit(name, collected.files)
        if fault is None and name not in named and not is_knowledge(name) and names_any:
            fault = f"nothing in {FILE} names it: name it there, or leave it out"
        if fault:
            yield Fault(_shown(name), "", fault)
    if len(collected.files) > MOST_FILES:
        yield Fault(KNOWLEDGE, "", f"there are more than {MOST_FILES:,} files: leave some out")
    if _sum(collected.files) > LARGEST_RELEASE_BYTES:
        most = LARGEST_RELEASE_BYTES >> 20
        yield Fault(KNOWLEDGE, "", f"the files are larger than {most} MiB together: shorten them")


def _misfit(name: str, files: Mapping[str, bytes]) -> str | None:
    if not _is_name(name) or name == COMPILED:
        return "no file of a tenant can have this name: rename it"
    if any(str(folder) in files for folder in PurePosixPath(name).parents):
        return "a folder of it is a file too: rename one of them"
    if len(files[name]) > _largest(name):
        return f"it is larger than {_largest(name) >> 20} MiB: shorten it"
    return None


def _is_name(name: str) -> bool:
    try:
        return name.isprintable() and PARSERS[FilePath](name) == name
    except ValueError:
        return False


def _shown(name: str) -> str:
    return name if name.isprintable() else repr(name)


def _largest(name: str) -> int:
    return LARGEST_KNOWLEDGE_FILE_BYTES if is_knowledge(name) else LARGEST_FILE_BYTES


def _sum(files: Mapping[str, bytes]) -> int:
    return sum(map(len, files.values()))
