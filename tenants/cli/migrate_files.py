"""Documents of tenants in working form, brought on where they stand."""

import os
import tempfile
import tomllib
from pathlib import Path

import attrs

from migrations_of_config import toml
from migrations_of_config.chain import Chain
from migrations_of_config.errors import MigrationsError, NewerDocumentError


@attrs.frozen
class Migration:
    """What becomes of one document.

    Args:
        place: the document's path, or the published tenant's id.
        before: its text; empty where it cannot be read.
        after: its new text; None where there is nothing to do.
        steps: what the schema versions between change, a sentence each.
        revision: that was published with it; None: none was.
        error: why it cannot be brought on.
    """

    place: str
    before: str = ""
    after: str | None = None
    steps: tuple[str, ...] = ()
    revision: int | None = None
    error: str = ""

    @property
    def changed(self) -> bool:
        """Whether there was something to do, and it could be done."""
        return self.after is not None and not self.error


def plan(path: Path, chain: Chain) -> Migration:
    """What the revisions make of a document; nothing is written."""
    try:
        before = path.read_text(encoding="utf-8-sig")
        document = tomllib.loads(before)
        steps = tuple(each.sentence for each in chain.pending(document))
        after = toml.dumps(chain.upgrade(document)) if steps else None
    except NewerDocumentError as error:
        words = f"its schema_version {error.version} is newer than this program's {error.newest}"
        return Migration(str(path), error=words)
    except MigrationsError:
        return Migration(str(path), error=f"write schema_version = {chain.newest}, or what it is")
    except OSError as error:
        return Migration(str(path), error=f"it cannot be read: {error.strerror}")
    except (ValueError, RecursionError):
        return Migration(str(path), error="this is not TOML: see tenantctl validate")
    return Migration(str(path), before, after, steps)


def written(migration: Migration) -> Migration:
    """Write a document that is to change; what keeps it from that is in the result."""
    if migration.after is None:
        return migration
    try:
        _replace(Path(migration.place), migration.after)
    except OSError as error:
        return attrs.evolve(migration, error=f"it cannot be written: {error.strerror}")
    return migration


def _replace(path: Path, text: str) -> None:
    """Write a file whole or not at all, with the rights that it had."""
    number, name = tempfile.mkstemp(prefix=".migrate-", dir=path.parent)
    made = Path(name)
    try:
        with os.fdopen(number, "w", encoding="utf-8", newline="\n") as file:
            file.write(text)
        made.chmod(path.stat().st_mode)
        made.replace(path)
    except OSError:
        made.unlink(missing_ok=True)
        raise
