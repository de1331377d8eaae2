"""A tenant's files as they stand in its directory, read once, never from outside of it."""

import hashlib
import stat
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path

import attrs

from tenants.documents import FILE, dotted
from tenants.errors import Fault
from tenants.fields import PARSERS
from tenants.lines import Path as FieldPath
from tenants.lines import line_of
from tenants.model import DEFAULT_INSTRUCTIONS, FilePath
from tenants.rules import assistant_tables, at

LARGEST_FILE_BYTES = 1_048_576


@attrs.frozen
class Sources:
    """What a directory holds of a tenant.

    Args:
        tenant_id: the directory's name.
        texts: the document's and the instructions' texts, by file name.
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
    try:
        document = _text(directory, FILE)
    except ValueError as error:
        return _sources(directory, {}, None, [Fault(FILE, "", str(error))])
    texts, module, faults = {FILE: document}, None, []
    for path, name in _named_files(document):
        try:
            if path == ("tools", "module"):
                module = (name, _content(directory, name))
            else:
                texts[name] = texts.get(name) or _text(directory, name)
        except ValueError as error:
            faults.append(Fault(FILE, dotted(path), f"{name} {error}", line_of(document, path)))
    return _sources(directory, texts, module, faults)


def _sources(
    directory: Path, texts: dict[str, str], module: tuple[str, bytes] | None, faults: list[Fault]
) -> Sources:
    digest = hashlib.sha256()
    parts = {name: text.encode() for name, text in sorted(texts.items())}
    parts |= dict([module]) if module else {}
    for name, content in parts.items():
        digest.update(f"{name}\0{len(content)}\0".encode() + content)
    digest.update("\n".join(map(str, faults)).encode())
    return Sources(directory.name, texts, module, tuple(faults), digest.hexdigest())


def _named_files(document: str) -> Iterator[tuple[FieldPath, str]]:
    """The files that a document names by fields, as far as it can be read."""
    try:
        raw = tomllib.loads(document)
    except (tomllib.TOMLDecodeError, RecursionError):
        return
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


def _text(directory: Path, name: str) -> str:
    try:
        return _content(directory, name).decode("utf-8-sig")
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
        if found.st_size > LARGEST_FILE_BYTES:
            raise ValueError("is larger than 1 MiB: shorten it")
        return path.read_bytes()
    except FileNotFoundError:
        raise ValueError("does not exist: write it") from None
    except (OSError, RuntimeError) as error:  # pathlib has a RuntimeError for loops of links
        reason = getattr(error, "strerror", None) or "its links lead in a circle"
        raise ValueError(f"cannot be read: {reason}") from None
