"""``tenantctl export``: a revision's files, written to a directory."""

from pathlib import Path

import rich_click as click

from tenants.cli.errors import OccupiedError
from tenants.cli.frame import Command
from tenants.cli.options import (
    NEW_DIRECTORY,
    Revision,
    json_option,
    registry_option,
    tenant_argument,
)
from tenants.cli.output import Output
from tenants.cli.registry import opened
from tenants.registry.objects import Objects
from tenants.releases import exporting
from tenants.releases.files import collect
from tenants.releases.reading import StoredRelease, read_release


@click.command(cls=Command)
@tenant_argument()
@click.argument("directory", metavar="DIR", type=NEW_DIRECTORY)
@click.option("--revision", metavar="REV", type=Revision(), help="Else that in force.")
@registry_option
@json_option
def export(
    tenant_id: str, directory: Path, revision: int | None, registry: str, *, as_json: bool
) -> None:
    """Write a revision's files into a new directory, whole or not at all.

    The directory can be changed, and published again.

    Example: tenantctl export acme ./acme
    """
    output = Output(as_json=as_json)
    release = written(opened(registry), tenant_id, directory, revision)
    output.done(
        {
            "id": tenant_id,
            "revision": release.revision.revision,
            "directory": str(directory),
            "files": sorted(release.files),
        },
        [
            *(f"{directory}/{name}" for name in sorted(release.files)),
            f"Revision {release.revision.revision} of {tenant_id} is in {directory}.",
        ],
    )


def written(
    objects: Objects, tenant_id: str, directory: Path, revision: int | None = None
) -> StoredRelease:
    """Write a revision's files, or find them there as they should be.

    Raises:
        OccupiedError: something else is there already.
        OSError: it cannot be written.
        UnknownTenantError: as ``read_release``; so are the others.
    """
    release = read_release(objects, tenant_id, revision)
    if not directory.exists() or (directory.is_dir() and not any(directory.iterdir())):
        exporting.export(release.files, directory)
    elif not directory.is_dir() or collect(directory.resolve()).files != release.files:
        raise OccupiedError(directory)
    return release
