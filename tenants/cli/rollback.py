"""``tenantctl rollback``: an earlier revision in force again."""

import rich_click as click

from tenants.cli.diffs import names_json, shown
from tenants.cli.frame import Command
from tenants.cli.options import (
    Revision,
    changing,
    tenant_argument,
)
from tenants.cli.output import Output
from tenants.cli.registry import in_force, intent, opened
from tenants.cli.stopping import finishing
from tenants.releases import switching
from tenants.releases.differing import differences
from tenants.releases.reading import read_whole, revision_of


@click.command(cls=Command)
@tenant_argument()
@click.argument("revision", metavar="[REV]", required=False, type=Revision())
@changing
def rollback(  # noqa: PLR0913  (each is an option)
    tenant_id: str,
    revision: int | None,
    note: str,
    by: str,
    registry: str,
    *,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Put an earlier revision in force: REV, else the one before the one in force.

    It is looked at whole before the pointer moves. Later revisions stay, and can be rolled forward
    to in the same way. Every replica serves it within 10 seconds. With REV this also restores a
    tenant whose current.json is lost or makes no sense.

    Example: tenantctl rollback acme 3 --note "the new prompt is too long"
    """
    output = Output(as_json=as_json)
    objects = opened(registry)
    held = switching.known(objects, tenant_id, revision)
    target = switching.previous(held) if revision is None else revision_of(held, revision)
    stored = read_whole(objects, tenant_id, target)
    changes = [*differences(in_force(objects, held), stored.files)]
    output.lines(shown(changes))
    changed = target.revision != held.pointer.revision
    if not dry_run:
        with finishing(f"rolling {tenant_id} back"):
            wanted = intent(by, note, held.generation)
            changed = switching.rollback(objects, tenant_id, wanted, to=target.revision).changed
    words = "would be" if dry_run else "is"
    before = held.pointer.revision or "lost"
    line = f"{tenant_id}: revision {target.revision} {words} in force; it was {before}."
    already = f"{tenant_id}: revision {target.revision} is in force already."
    output.done(
        {
            "id": tenant_id,
            "revision": target.revision,
            "before": held.pointer.revision or None,
            "changed": changed,
            "dry_run": dry_run,
            "files": names_json(changes),
        },
        [(line, "bold green") if changed else already],
    )
