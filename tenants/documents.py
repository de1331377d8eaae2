"""``tenant.toml``: from its text to the model, with everything that is wrong with it at once.

A document of an earlier schema version is brought on first, so that all that follows knows the
newest form alone.
"""

import re
import tomllib
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from functools import cache
from typing import Any

import attrs

from migrations_of_config.chain import Chain, released
from migrations_of_config.errors import NewerDocumentError, VersionError
from tenants.conversion import structure
from tenants.errors import Fault
from tenants.lines import Path, line_of
from tenants.model import TenantDocument
from tenants.rules import broken_rules

FILE = "tenant.toml"
_PLACE = re.compile(r" \(at line (\d+), column \d+\)")
_VERSION: Path = ("schema_version",)


@attrs.frozen
class Parsed:
    """A document as far as it could be read.

    Args:
        raw: what TOML says, in the newest schema version; empty where it cannot be read.
        document: None where there are faults.
    """

    raw: Mapping[str, Any]
    document: TenantDocument | None
    faults: tuple[Fault, ...] = ()


@cache
def released_chain() -> Chain:
    """The schema versions of this program."""
    return released()


def parse(
    text: str,
    *,
    directory: str,
    private_upstreams: AbstractSet[str],
    chain: Chain | None = None,
) -> Parsed:
    """Read a document.

    Args:
        text: all of it, decoded.
        directory: the name of the directory that holds it, which is the tenant's id.
        private_upstreams: hosts that an upstream may have though they are private.
        chain: of schema versions; None: the released one.
    """
    newest = _newest(text, chain or released_chain())
    if newest.faults:
        return newest
    document, problems = structure(newest.raw)
    problems += broken_rules(newest.raw, directory=directory, private_upstreams=private_upstreams)
    if problems:
        return Parsed(newest.raw, None, _faults(text, problems))
    return Parsed(newest.raw, document)


def readable(text: str, chain: Chain | None = None) -> Mapping[str, Any]:
    """What a document says in the newest schema version, as far as it can be read.

    Args:
        text: all of it, decoded.
        chain: of schema versions; None: the released one.
    """
    return _newest(text, chain or released_chain()).raw


def written_version(content: bytes) -> int:
    """The schema version in which a document is written that was found good before."""
    version: int = tomllib.loads(content.decode("utf-8-sig"))["schema_version"]
    return version


def dotted(path: Path) -> str:
    """A path as a person writes it: ``access.allowed_origins[1]``."""
    text = "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in path)
    return text.removeprefix(".")


def _newest(text: str, chain: Chain) -> Parsed:
    """What TOML says, brought to the newest schema version; not yet judged beyond that."""
    try:
        raw = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        return Parsed({}, None, (_syntax_fault(error),))
    try:
        return Parsed(chain.upgrade(raw) if chain.pending(raw) else raw, None)
    except NewerDocumentError as error:
        words = f"this document is newer than this program, which reads up to {error.newest}"
    except VersionError as error:
        missing = "schema_version" not in raw
        words = f"{'required: ' if missing else ''}write schema_version = {error.newest}"
    except Exception as error:  # noqa: BLE001  (a revision takes values that nobody has judged yet)
        words = (
            f"this cannot be brought to schema version {chain.newest}, since what it holds is not"
            f" of the version that it names: {type(error).__name__}: {error}"
        )
    return Parsed(raw, None, _faults(text, [(_VERSION, words)]))


def _syntax_fault(error: Exception) -> Fault:
    place = _PLACE.search(str(error))
    if isinstance(error, RecursionError):
        return Fault(FILE, "", "its arrays or tables are nested too deeply")
    message = _PLACE.sub("", str(error))
    return Fault(FILE, "", f"this is not TOML: {message}", int(place[1]) if place else None)


def _faults(text: str, problems: list[tuple[Path, str]]) -> tuple[Fault, ...]:
    faults = [Fault(FILE, dotted(path), words, line_of(text, path)) for path, words in problems]
    return tuple(sorted(faults, key=lambda fault: fault.line or 0))
