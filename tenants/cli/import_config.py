"""``tenantctl import``: an earlier generation of configuration becomes a tenant's directory."""

import sys
from pathlib import Path
from typing import NoReturn

import rich_click as click

from migrations_of_config.earlier.report import Imported
from migrations_of_config.errors import EarlierConfigError
from tenants.cli.frame import Command
from tenants.cli.import_files import existing, faults_of, read, write
from tenants.cli.import_view import Outcome, preview, refusal_json, report_json, told
from tenants.cli.options import (
    NEW_DIRECTORY,
    TenantId,
    dry_run_option,
    json_option,
    yes_option,
)
from tenants.cli.output import Output


@click.command("import", cls=Command)
@click.argument(
    "file",
    metavar="FILE",
    type=click.Path(exists=True, dir_okay=False, readable=True, path_type=Path),
)
@click.option("--id", "tenant_id", type=TenantId(), help="The tenant's id; else FILE says.")
@click.option("--name", help="The tenant's name; else the assistant's.")
@click.option(
    "--to",
    "folder",
    type=NEW_DIRECTORY,
    metavar="DIR",
    default=Path(),
    help="The folder to put the tenant's directory into; else the working directory.",
)
@yes_option
@dry_run_option
@json_option
def import_(  # noqa: PLR0913  (each is an option)
    file: Path,
    tenant_id: str | None,
    name: str | None,
    folder: Path,
    *,
    dry_run: bool,
    as_json: bool,
    yes: bool,
) -> None:
    """Make a tenant's directory from configuration of the earlier single-tenant service.

    FILE is any generation of it: a JSON document of the bucket, a registration's JSON, or a client
    spec in Python, which is read and never run. Of FILE's directory, tools.py, functions.py and
    instructions.py are read too. What has no place in a tenant is named, and so is what is still to
    do. Keys are written nowhere.

    Exits 0 where the directory was written, 1 where the configuration was refused.

    Example: tenantctl import configs/acme --to tenants --dry-run
    """
    output = Output(as_json=as_json)
    if (folder / "tenant.toml").exists():
        raise click.BadParameter(f"{folder} is a tenant itself: name the folder around it.")
    try:
        imported = read(file, tenant_id, name)
    except EarlierConfigError as error:
        output.refused(refusal_json(error), [f"{file}{line}" for line in told(error)])
        sys.exit(1)
    _finish(output, imported, folder, dry_run=dry_run, yes=yes)


def _finish(output: Output, imported: Imported, folder: Path, *, dry_run: bool, yes: bool) -> None:
    directory = folder / imported.tenant_id
    before = existing(directory, imported.files)
    outcome = Outcome(imported, directory, faults_of(imported), written=not dry_run)
    output.lines(preview(outcome, before))
    question = f"{directory} exists. Write over its files?"
    if directory.exists() and not dry_run and not output.ask(question, yes=yes):
        _refuse(output, f"{directory} exists: nothing was written; --yes writes over its files")
    if not dry_run:
        try:
            write(directory, imported.files)
        except OSError as error:
            _refuse(output, f"{directory} cannot be written: {error.strerror}")
    output.done(report_json(outcome), outcome.last_words())


def _refuse(output: Output, reason: str) -> NoReturn:
    output.refused({"written": False, "errors": [{"field": "", "message": reason}]}, [reason])
    sys.exit(1)
