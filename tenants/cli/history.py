"""``tenantctl history``: a tenant's revisions, and who did what."""

import rich_click as click

from tenants.cli.frame import Command
from tenants.cli.options import json_option, registry_option, tenant_argument
from tenants.cli.output import Output, date
from tenants.cli.registry import opened
from tenants.errors import BrokenObjectError, UnknownTenantError
from tenants.registry.objects import Objects
from tenants.registry.stored import AuditEntry, Pointer
from tenants.releases.audit import entries
from tenants.releases.reading import show
from tenants.releases.restoring import restored

_SHOWN_DIGITS = 12


@click.command(cls=Command)
@tenant_argument()
@click.option("--audit", is_flag=True, help="Everything that was done, by whom, oldest first.")
@registry_option
@json_option
def history(tenant_id: str, registry: str, *, audit: bool, as_json: bool) -> None:
    """Show a tenant's revisions, newest first, or everything that was done with it.

    Where none is in force, its current.json is lost or broken: tenantctl rollback ID REV.

    Example: tenantctl history acme --audit
    """
    output = Output(as_json=as_json)
    objects = opened(registry)
    if audit:
        _audit(output, objects, tenant_id)
    else:
        _revisions(output, objects, tenant_id)


def _revisions(output: Output, objects: Objects, tenant_id: str) -> None:
    pointer = _pointer(objects, tenant_id)
    revisions = pointer.history[::-1]
    rows = [
        (
            str(each.revision),
            "in force" if each.revision == pointer.revision else "",
            date(each.published_at),
            each.by,
            each.sha256[:_SHOWN_DIGITS],
            each.note,
        )
        for each in revisions
    ]
    output.table(("revision", "state", "published", "by", "sha256", "note"), rows)
    output.done(
        [
            {
                "revision": each.revision,
                "in_force": each.revision == pointer.revision,
                "sha256": each.sha256,
                "published_at": each.published_at,
                "by": each.by,
                "note": each.note,
            }
            for each in revisions
        ]
    )


def _pointer(objects: Objects, tenant_id: str) -> Pointer:
    """The tenant's pointer, or one with all revisions and none in force where it is broken."""
    try:
        return show(objects, tenant_id).pointer
    except (BrokenObjectError, UnknownTenantError):
        return restored(objects, tenant_id).pointer


def _audit(output: Output, objects: Objects, tenant_id: str) -> None:
    found = [*output.track(entries(objects, tenant_id), "Audit", None)]
    if not found:
        show(objects, tenant_id)  # There is no such tenant, or nothing was done with it yet.
    rows = [(date(each.at), each.by, each.action, _details(each)) for each in found]
    output.table(("at", "by", "did", "details"), rows)
    output.done(
        [
            {"at": each.at, "by": each.by, "action": each.action, "details": each.details}
            for each in found
        ]
    )


def _details(entry: AuditEntry) -> str:
    shown = {**entry.details, "sha256": str(entry.details.get("sha256", ""))[:_SHOWN_DIGITS]}
    return ", ".join(f"{name} {value}" for name, value in shown.items() if value)
