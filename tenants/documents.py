"""``tenant.toml``: from its text to the model, with everything that is wrong with it at once."""

import re
import tomllib
from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from typing import Any

import attrs

from tenants.conversion import structure
from tenants.errors import Fault
from tenants.lines import Path, line_of
from tenants.model import SCHEMA_VERSION, TenantDocument
from tenants.rules import broken_rules

FILE = "tenant.toml"
_PLACE = re.compile(r" \(at line (\d+), column \d+\)")


@attrs.frozen
class Parsed:
    """A document as far as it could be read.

    Args:
        raw: what TOML says; empty where it is not TOML.
        document: None where there are faults.
    """

    raw: Mapping[str, Any]
    document: TenantDocument | None
    faults: tuple[Fault, ...] = ()


def parse(text: str, *, directory: str, private_upstreams: AbstractSet[str]) -> Parsed:
    """Read a document.

    Args:
        text: all of it, decoded.
        directory: the name of the directory that holds it.
        private_upstreams: hosts that an upstream may have though they are private.
    """
    try:
        raw = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        return Parsed({}, None, (_syntax_fault(error),))
    problems = [*_version_problems(raw)]
    if problems:
        return Parsed(raw, None, _faults(text, problems))
    document, problems = structure(raw)
    problems += broken_rules(raw, directory=directory, private_upstreams=private_upstreams)
    if problems:
        return Parsed(raw, None, _faults(text, problems))
    return Parsed(raw, document)


def dotted(path: Path) -> str:
    """A path as a person writes it: ``access.allowed_origins[1]``."""
    text = "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in path)
    return text.removeprefix(".")


def _syntax_fault(error: Exception) -> Fault:
    place = _PLACE.search(str(error))
    if isinstance(error, RecursionError):
        return Fault(FILE, "", "its arrays or tables are nested too deeply")
    message = _PLACE.sub("", str(error))
    return Fault(FILE, "", f"this is not TOML: {message}", int(place[1]) if place else None)


def _version_problems(raw: Mapping[str, Any]) -> Iterator[tuple[Path, str]]:
    version = raw.get("schema_version")
    if version is None:
        yield ("schema_version",), f"required: write schema_version = {SCHEMA_VERSION}"
    elif type(version) is int and version > SCHEMA_VERSION:
        yield (
            ("schema_version",),
            f"this document is newer than this program, which reads up to {SCHEMA_VERSION}",
        )
    elif type(version) is not int or version < 1:
        yield ("schema_version",), f"write schema_version = {SCHEMA_VERSION}"


def _faults(text: str, problems: list[tuple[Path, str]]) -> tuple[Fault, ...]:
    faults = [Fault(FILE, dotted(path), words, line_of(text, path)) for path, words in problems]
    return tuple(sorted(faults, key=lambda fault: fault.line or 0))
