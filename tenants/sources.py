"""A tenant's files as its document names them, read once, never from outside of its directory."""

import hashlib
import stat
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TypeAlias

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
KNOWLEDGE_STATE = "knowledge.json"
MISSING = "does not exist: write it"

Read: TypeAlias = Callable[[str], bytes]
"""From a file's name to its bytes; raises ``ValueError`` with what is wrong with it."""


@attrs.frozen
class Sources:
    """What there is of a tenant.

    Args:
        tenant_id: whose files these are.
        texts: the document's, the instructions' and the knowledge state's texts, by file name.
        module: the name and the bytes of the tool module.
        faults: what is wrong with files that are not here.
        revision: the SHA-256 of all of it, in hexadecimal.
    """

    tenant_id: str
    texts: Mapping[str, str]
    module: tuple[str, bytes] | None
    faults: tuple[Fault, ...]
    revision: str


def read_sources(directory: Path) -> Sources:
    """Read a tenant's directory; what cannot be read becomes a fault, nothing is raised."""
    return sources_of(directory.name, lambda name: content(directory, name))


def sources_of(tenant_id: str, read: Read, chain: Chain | None = None) -> Sources:
    """The files that a document names by fields, wherever they are; nothing is raised.

    Args:
        tenant_id: whose files these are.
        read: gives them.
        chain: of the document's schema versions; None: the released one.
    """
    try:
        document = _text(read, FILE)
    except ValueError as error:
        return _sources(tenant_id, {}, None, [Fault(FILE, "", str(error))])
    texts, module, faults = {FILE: document}, None, []
    for path, name in named_files(document, chain):
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
        if str(error) != MISSING:
            faults.append(Fault(KNOWLEDGE_STATE, "", f"it {error}"))
    return _sources(tenant_id, texts, module, faults)


def named_files(document: str, chain: Chain | None = None) -> Iterator[tuple[FieldPath, str]]:
    """The files that a document names by fields, as far as it can be read.

    Args:
        document: all of its text.
        chain: of schema versions; None: the released one.
    """
    raw = readable(document, chain)
    for path, table in assistant_tables(raw).items():
        yield from _valid(
            (*path, "instructions_file"), table.get("instructions_file", DEFAULT_INSTRUCTIONS)
        )
    yield from _valid(("tools", "module"), at(raw, "tools", {}).get("module"))


def content(directory: Path, name: str, largest: int = LARGEST_FILE_BYTES) -> bytes:
    """A file of a directory.

    Args:
        directory: that it may not lie outside of, by links either.
        name: relative to the directory.
        largest: that it may be, in bytes.

    Raises:
        ValueError: with what is wrong, in words that go on from the file's name.
    """
    try:
        path = (directory / name).resolve(strict=True)
        if not path.is_relative_to(directory.resolve()):
            raise ValueError("leads out of the tenant's directory: put the file itself there")
        found = path.stat()
        if not stat.S_ISREG(found.st_mode):
            raise ValueError("is not a file")
        if found.st_size > largest:
            raise ValueError(f"is larger than {largest >> 20} MiB: shorten it")
        return path.read_bytes()
    except FileNotFoundError:
        raise ValueError(MISSING) from None
    except (OSError, RuntimeError) as error:  # pathlib has a RuntimeError for loops of links
        reason = getattr(error, "strerror", None) or "its links lead in a circle"
        raise ValueError(f"cannot be read: {reason}") from None


def digest(files: Mapping[str, bytes]) -> str:
    """The SHA-256 by which files are known together, in hexadecimal; their order is no matter."""
    whole = hashlib.sha256()
    for name in sorted(files):
        whole.update(f"{name}\0{len(files[name])}\0".encode())
        whole.update(files[name])
    return whole.hexdigest()


def _sources(
    tenant_id: str,
    texts: Mapping[str, str],
    module: tuple[str, bytes] | None,
    faults: list[Fault],
) -> Sources:
    """The sources with their digest, which other faults change too."""
    parts = {name: text.encode() for name, text in texts.items()}
    parts |= dict([module]) if module else {}
    parts["\0faults"] = "\n".join(map(str, faults)).encode()
    return Sources(tenant_id, texts, module, tuple(faults), digest(parts))


def _valid(path: FieldPath, name: object) -> Iterator[tuple[FieldPath, str]]:
    try:
        yield path, PARSERS[FilePath](name)
    except ValueError:
        return  # The document's own parser says so.


def _text(read: Read, name: str) -> str:
    try:
        return read(name).decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ValueError("is not UTF-8: save it as UTF-8") from None
