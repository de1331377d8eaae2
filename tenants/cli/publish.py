"""``tenantctl publish``: a directory becomes a tenant's new revision."""

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from pathlib import Path
from typing import Any

import rich_click as click

from tenants.cli.diffs import names_json, shown
from tenants.cli.frame import Command
from tenants.cli.options import (
    DIRECTORY,
    changing,
    private_upstreams_option,
    tenant_argument,
)
from tenants.cli.output import Output, date
from tenants.cli.registry import in_force, intent, opened, preparing
from tenants.cli.stopping import finishing
from tenants.knowledge.standing import notices
from tenants.registry.objects import Objects
from tenants.releases import publishing
from tenants.releases.differing import differences
from tenants.releases.errors import WorkingFormError
from tenants.releases.pointers import Held
from tenants.releases.reading import show
from tenants.releases.release import prepare_directory


@click.command(cls=Command)
@tenant_argument()
@click.option("--from", "directory", required=True, type=DIRECTORY, help="The tenant's files.")
@private_upstreams_option
@changing
def publish(  # noqa: PLR0913  (each is an option)
    tenant_id: str,
    directory: Path,
    *,
    note: str,
    by: str,
    private_upstreams: AbstractSet[str],
    registry: str,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Publish a directory as a tenant's new revision, once all of it is found to be valid.

    What differs from the revision in force is shown. The tool module is imported, in a process of
    its own: publish what you trust. Every replica serves it within 10 seconds. Where somebody else
    publishes at the same time, one of you is refused.

    Example: tenantctl publish acme --from tenants/acme --note "say prices with tax"
    """
    output = Output(as_json=as_json)
    objects = opened(registry)
    held = _held(objects, tenant_id)
    before: Mapping[str, bytes] = in_force(objects, held) if held else {}
    release = prepare_directory(
        tenant_id, directory.resolve(), preparing(private_upstreams), before=before
    )
    changes = [*differences(before, release.files)]
    output.lines(shown(changes))
    told = notices(tenant_id, release.files)
    output.lines((each, "yellow") for each in told)
    report: dict[str, Any] = {"id": tenant_id, "dry_run": dry_run, "files": names_json(changes)}
    report["notices"] = told
    if dry_run:
        output.done(report | {"changed": bool(changes)}, ["Nothing was published: a dry run."])
        return
    with finishing(f"publishing {tenant_id}"):
        wanted = intent(by, note, held.generation if held else None)
        published = publishing.publish(objects, release, wanted)
    pointer = published.held.pointer
    line = f"{tenant_id}: revision {pointer.revision} is in force."
    since = f"{tenant_id}: nothing to publish; this is revision {pointer.revision}, in force since "
    output.done(
        report
        | {"changed": published.changed, "revision": pointer.revision, "sha256": pointer.sha256},
        [(line, "bold green") if published.changed else since + date(pointer.published_at)],
    )


def _held(objects: Objects, tenant_id: str) -> Held | None:
    """The pointer; None where the tenant is in working form, so that this is its first revision."""
    try:
        return show(objects, tenant_id)
    except WorkingFormError:
        return None
