"""``tenantctl migrate``: tenants' documents to the newest schema version."""

import difflib
import os
import sys
import tempfile
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import attrs
import rich_click as click
from rich.progress import track

from migrations_of_config import toml
from migrations_of_config.chain import Chain, released
from migrations_of_config.errors import MigrationsError, NewerDocumentError
from tenants.cli.frame import Command
from tenants.cli.output import Line, Output
from tenants.documents import FILE
from tenants.model import is_tenant_id
from tenants.registry.listing import list_tenants

_STYLES = {"+": "green", "-": "red", "@": "cyan"}


@attrs.frozen
class Migration:
    """What becomes of one document.

    Args:
        path: of the document.
        before: its text; empty where it cannot be read.
        after: its new text; None where there is nothing to do.
        steps: what the revisions change, a sentence each.
        error: why it cannot be brought on.
    """

    path: Path
    before: str = ""
    after: str | None = None
    steps: tuple[str, ...] = ()
    error: str = ""


def _registry(_: click.Context, __: click.Parameter, text: str) -> Path:
    kind, _colon, path = text.partition(":")
    if kind != "dir" or not path:
        raise click.BadParameter("this version migrates registries of the form dir:PATH.")
    return Path(path)


@click.command(cls=Command)
@click.argument("tenant", metavar="[PATH|ID]", required=False)
@click.option("--all", "everything", is_flag=True, help="Every tenant of the registry.")
@click.option(
    "--registry",
    envvar="GATEWAY_TENANTS",
    default="dir:./examples/tenants",
    show_default=True,
    show_envvar=True,
    callback=_registry,
    help="Where tenants are looked for.",
)
@click.option("--dry-run", is_flag=True, help="Show what would change, write nothing.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def migrate(
    tenant: str | None, registry: Path, *, everything: bool, dry_run: bool, as_json: bool
) -> None:
    """Bring the document of one tenant, or of all, to the newest schema version.

    The tenant is the directory PATH, or the registry's tenant ID.

    A document that is written anew keeps its values and loses its comments. One of a newer program
    is refused. Exits 0, or 1 where a document was refused.

    Example: tenantctl migrate --all --dry-run
    """
    if everything == (tenant is not None):
        raise click.UsageError("Name a tenant, or --all.")
    output = Output(as_json=as_json)
    try:
        names = [] if tenant else sorted(list_tenants(registry))
    except OSError as error:
        raise click.BadParameter(f"{registry} cannot be read: {error.strerror}") from None
    directories = [_directory(tenant, registry)] if tenant else [registry / name for name in names]
    chain = released()
    done = [
        _written(plan(directory / FILE, chain), dry_run=dry_run)
        for directory in track(directories, disable=as_json or not sys.stdout.isatty())
    ]
    output.done(_json(done, chain, dry_run=dry_run), _shown(done, chain, dry_run=dry_run))
    sys.exit(1 if any(each.error for each in done) else 0)


def _directory(tenant: str, registry: Path) -> Path:
    if Path(tenant).is_dir():
        return Path(tenant)
    if is_tenant_id(tenant) and (registry / tenant).is_dir():
        return registry / tenant
    raise click.BadParameter(f"there is no directory {tenant}, nor such a tenant in {registry}.")


def plan(path: Path, chain: Chain) -> Migration:
    """What the revisions make of a document; nothing is written."""
    try:
        before = path.read_text(encoding="utf-8-sig")
        document = tomllib.loads(before)
        steps = tuple(each.sentence for each in chain.pending(document))
        after = toml.dumps(chain.upgrade(document)) if steps else None
    except NewerDocumentError as error:
        words = f"its schema_version {error.version} is newer than this program's {error.newest}"
        return Migration(path, error=words)
    except MigrationsError:
        return Migration(path, error=f"write schema_version = {chain.newest}, or what it is")
    except OSError as error:
        return Migration(path, error=f"it cannot be read: {error.strerror}")
    except (ValueError, RecursionError):
        return Migration(path, error="this is not TOML: see tenantctl validate")
    return Migration(path, before, after, steps)


def _written(migration: Migration, *, dry_run: bool) -> Migration:
    if migration.after is None or dry_run:
        return migration
    try:
        _replace(migration.path, migration.after)
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


def _json(done: list[Migration], chain: Chain, *, dry_run: bool) -> dict[str, Any]:
    return {
        "newest": chain.newest,
        "dry_run": dry_run,
        "documents": [
            {
                "path": str(each.path),
                "changed": each.after is not None and not each.error,
                "steps": each.steps,
                "error": each.error,
            }
            for each in done
        ],
    }


def _shown(done: list[Migration], chain: Chain, *, dry_run: bool) -> Iterator[Line]:
    for each in done:
        if each.error:
            yield f"{each.path}: {each.error}", "red"
        elif each.after is not None:
            yield from _diff(each)
    changed = sum(each.after is not None and not each.error for each in done)
    refused = sum(bool(each.error) for each in done)
    if changed:
        words = "would be brought" if dry_run else "brought"
        yield f"{changed} of {len(done)} {words} to schema version {chain.newest}"
    elif not refused:
        yield f"Nothing to do: {len(done)} at schema version {chain.newest}, the newest"
    if refused:
        yield f"{refused} of {len(done)} refused", "red"


def _diff(migration: Migration) -> Iterator[Line]:
    name = str(migration.path)
    yield from ((f"{name}: {step}", "bold") for step in migration.steps)
    lines = difflib.unified_diff(
        migration.before.splitlines(), (migration.after or "").splitlines(), name, name, lineterm=""
    )
    yield from ((line, _STYLES.get(line[:1], "")) for line in lines)
