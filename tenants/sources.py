"""A tenant's files, from its directory or from memory, never from outside of it.

What is served as it stands (the working form) needs the files that its document names. A release
takes those and all of its knowledge, and is known by the SHA-256 of every byte of them.
"""

import hashlib
import os
import stat
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path, PurePosixPath

import attrs

from migrations_of_config.chain import Chain
from tenants.documents import FILE, dotted, readable
from tenants.errors import Fault
from tenants.fields import PARSERS
from tenants.lines import Path as FieldPath
from tenants.lines import line_of
from tenants.model import DEFAULT_INSTRUCTIONS, FilePath
from tenants.rules import assistant_tables, at

LARGEST_FILE_BYTES = 1_048_576
LARGEST_KNOWLEDGE_FILE_BYTES = 32 * 1_048_576
LARGEST_RELEASE_BYTES = 128 * 1_048_576
MOST_FILES = 1_000
KNOWLEDGE = "knowledge/"
KNOWLEDGE_STATE = "knowledge.json"
_MISSING = "does not exist: write it"

_Read = Callable[[str], bytes]  # raises ValueError with what is wrong


@attrs.frozen
class Sources:
    """What there is of a tenant.

    Args:
        tenant_id: whose files these are.
        texts: the document's, the instructions' and the knowledge's state's texts, by file name.
        module: the name and the bytes of the tool module.
        faults: what is wrong with files that are not here.
        revision: the SHA-256 of all of it, in hexadecimal.
    """

    tenant_id: str
    texts: Mapping[str, str]
    module: tuple[str, bytes] | None
    faults: tuple[Fault, ...]
    revision: str


@attrs.frozen
class Collected:
    """The files of a release.

    Args:
        files: by name.
        problems: what is wrong with those that could not be read, by name.
    """

    files: Mapping[str, bytes]
    problems: Mapping[str, str] = attrs.field(factory=dict)


def read_sources(directory: Path) -> Sources:
    """Read a tenant's directory; what cannot be read becomes a fault, nothing is raised."""
    return _sources(directory.name, lambda name: _content(directory, name), chain=None)


def release_sources(tenant_id: str, collected: Collected, chain: Chain | None = None) -> Sources:
    """What the files of a release say; their names and sizes are judged too.

    Args:
        tenant_id: whose release it is to be.
        collected: its files.
        chain: of the document's schema versions; None: the released one.
    """
    sources = _sources(tenant_id, lambda name: _collected(collected, name), chain)
    document = sources.texts.get(FILE)
    named = set(_names(document, chain)) if document is not None else set(collected.files)
    faults = (*sources.faults, *_misfits(collected, named))
    return attrs.evolve(sources, faults=faults, revision=digest(collected.files))


def collect(directory: Path, chain: Chain | None = None) -> Collected:
    """Read what a release takes of a directory; nothing is raised."""
    files: dict[str, bytes] = {}
    problems: dict[str, str] = {}

    def read(name: str) -> None:
        try:
            files[name] = _content(directory, name)
        except ValueError as error:
            problems[name] = str(error)

    read(FILE)
    document = files.get(FILE, b"").decode("utf-8-sig", "replace")
    for name in {*_names(document, chain)} - {FILE}:
        read(name)
    for name in (*_below(directory), *_state(directory)):
        if len(files) + len(problems) <= MOST_FILES and _sum(files) <= LARGEST_RELEASE_BYTES:
            read(name)
    return Collected(files, problems)


def digest(files: Mapping[str, bytes]) -> str:
    """The SHA-256 by which files are known together, in hexadecimal; their order is no matter."""
    whole = hashlib.sha256()
    for name in sorted(files):
        whole.update(f"{name}\0{len(files[name])}\0".encode())
        whole.update(files[name])
    return whole.hexdigest()


def _sources(tenant_id: str, read: _Read, chain: Chain | None) -> Sources:
    try:
        document = _text(read, FILE)
    except ValueError as error:
        return _known(Sources(tenant_id, {}, None, (Fault(FILE, "", str(error)),), ""))
    texts, module, faults = {FILE: document}, None, []
    for path, name in _named_files(document, chain):
        try:
            if path == ("tools", "module"):
                module = (name, read(name))
            else:
                texts[name] = texts.get(name) or _text(read, name)
        except ValueError as error:
            faults.append(Fault(FILE, dotted(path), f"{name} {error}", line_of(document, path)))
    try:
        texts[KNOWLEDGE_STATE] = _text(read, KNOWLEDGE_STATE)
    except ValueError as error:
        if str(error) != _MISSING:
            faults.append(Fault(KNOWLEDGE_STATE, "", f"this {error}"))
    return _known(Sources(tenant_id, texts, module, tuple(faults), ""))


def _known(sources: Sources) -> Sources:
    """The sources with the digest of what was read, faults included: another fault is news."""
    parts = {name: text.encode() for name, text in sources.texts.items()}
    parts |= dict([sources.module]) if sources.module else {}
    parts["faults"] = "\n".join(map(str, sources.faults)).encode()
    return attrs.evolve(sources, revision=digest(parts))


def _names(document: str, chain: Chain | None) -> Iterator[str]:
    """The files that a release takes but for its knowledge."""
    yield FILE
    for _, name in _named_files(document, chain):
        yield name


def _named_files(document: str, chain: Chain | None) -> Iterator[tuple[FieldPath, str]]:
    """The files that a document names by fields, as far as it can be read."""
    raw = readable(document, chain)
    for path, table in assistant_tables(raw).items():
        yield from _valid(
            (*path, "instructions_file"), table.get("instructions_file", DEFAULT_INSTRUCTIONS)
        )
    yield from _valid(("tools", "module"), at(raw, "tools", {}).get("module"))


def _valid(path: FieldPath, name: object) -> Iterator[tuple[FieldPath, str]]:
    try:
        yield path, PARSERS[FilePath](name)
    except ValueError:
        return  # The document's own parser says so.


def _misfits(collected: Collected, named: set[str]) -> Iterator[Fault]:
    """What is wrong with the files of a release that no field of the document names."""
    for name, words in collected.problems.items():
        if is_knowledge(name):
            yield Fault(name, "", f"this {words}")
    for name, content in collected.files.items():
        if not _is_name(name):
            yield Fault(_printable(name), "", "this is no name of a file of a tenant: rename it")
        elif name not in named and name != KNOWLEDGE_STATE and not is_knowledge(name):
            yield Fault(name, "", f"nothing in {FILE} names this file: name it, or leave it out")
        elif len(content) > _largest(name):
            yield Fault(name, "", f"this is larger than {_largest(name) >> 20} MiB: shorten it")
    if len(collected.files) > MOST_FILES:
        yield Fault(KNOWLEDGE, "", f"there are more than {MOST_FILES:,} files: leave some out")
    if _sum(collected.files) > LARGEST_RELEASE_BYTES:
        most = LARGEST_RELEASE_BYTES >> 20
        yield Fault(KNOWLEDGE, "", f"the files are larger than {most} MiB together: shorten them")


def is_knowledge(name: str) -> bool:
    """Whether a file of a release is one of its knowledge."""
    return name.startswith(KNOWLEDGE)


def _is_name(name: str) -> bool:
    try:
        return name.isprintable() and PARSERS[FilePath](name) == name
    except ValueError:
        return False


def _printable(name: str) -> str:
    return name if name.isprintable() else repr(name)


def _largest(name: str) -> int:
    return LARGEST_KNOWLEDGE_FILE_BYTES if is_knowledge(name) else LARGEST_FILE_BYTES


def _sum(files: Mapping[str, bytes]) -> int:
    return sum(map(len, files.values()))


def _state(directory: Path) -> list[str]:
    return [KNOWLEDGE_STATE] if os.path.lexists(directory / KNOWLEDGE_STATE) else []


def _below(directory: Path) -> Iterator[str]:
    """The names of the files of knowledge, but for hidden ones."""
    for place, folders, files in os.walk(directory / KNOWLEDGE):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(files):
            if not name.startswith("."):
                yield str(PurePosixPath((Path(place) / name).relative_to(directory)))


def _collected(collected: Collected, name: str) -> bytes:
    if name not in collected.files:
        raise ValueError(collected.problems.get(name, _MISSING))
    return collected.files[name]


def _text(read: _Read, name: str) -> str:
    try:
        return read(name).decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ValueError("is not UTF-8: save it as UTF-8") from None


def _content(directory: Path, name: str) -> bytes:
    try:
        path = (directory / name).resolve(strict=True)
        if not path.is_relative_to(directory.resolve()):
            raise ValueError("leads out of the tenant's directory: put the file itself there")
        found = path.stat()
        if not stat.S_ISREG(found.st_mode):
            raise ValueError("is not a file")
        if found.st_size > _largest(name):
            raise ValueError(f"is larger than {_largest(name) >> 20} MiB: shorten it")
        return path.read_bytes()
    except FileNotFoundError:
        raise ValueError(_MISSING) from None
    except (OSError, RuntimeError) as error:  # pathlib has a RuntimeError for loops of links
        reason = getattr(error, "strerror", None) or "its links lead in a circle"
        raise ValueError(f"cannot be read: {reason}") from None
