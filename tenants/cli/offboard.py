"""``tenantctl offboard``: a tenant exported, then deleted with all it has."""

from collections.abc import Iterator
from pathlib import Path

import rich_click as click

from tenants.cli.admin_api import AdminApi
from tenants.cli.errors import CliError, RefusedError, UnfinishedError
from tenants.cli.export import written
from tenants.cli.frame import Command
from tenants.cli.options import (
    NEW_DIRECTORY,
    by_option,
    dry_run_option,
    gateway_option,
    json_option,
    note_option,
    registry_option,
    tenant_argument,
    yes_option,
)
from tenants.cli.output import Line, Output
from tenants.cli.registry import intent, opened
from tenants.cli.stopping import finishing
from tenants.releases import offboarding
from tenants.releases.pointers import Held, find, in_working_form

_LOST = (
    "{0} has no current.json, so nobody knows what to export. Choose a revision of `tenantctl "
    "history {0}` and: tenantctl rollback {0} REV, or delete what is left of it: --no-export"
)


@click.command(cls=Command)
@tenant_argument()
@click.option(
    "--export",
    "directory",
    type=NEW_DIRECTORY,
    metavar="DIR",
    help="Where its files are kept.  [default: ./ID.offboarded]",
)
@click.option("--no-export", is_flag=True, help="Keep nothing, as where its revision is broken.")
@gateway_option("A gateway that deletes its threads too; with GATEWAY_ADMIN_KEY.", wanted=False)
@yes_option
@dry_run_option
@note_option
@by_option
@registry_option
@json_option
def offboard(  # noqa: PLR0913  (each is an option)
    tenant_id: str,
    *,
    directory: Path | None,
    no_export: bool,
    gateway: str | None,
    yes: bool,
    dry_run: bool,
    note: str,
    by: str,
    registry: str,
    as_json: bool,
) -> None:
    """Export a tenant's revision in force, then delete the tenant: revisions, keys and audit.

    Its threads are in the gateways' store: --gateway names one that deletes them, else they stay.
    Where it was stopped half way, the same command goes on. Secrets stay in their store. One whose
    current.json is broken can be restored (tenantctl rollback ID REV), or deleted with --no-export.

    Example: tenantctl offboard acme --export ./acme.offboarded --gateway http://127.0.0.1:8000
    """
    output = Output(as_json=as_json)
    objects = opened(registry)
    left = offboarding.remains(objects, tenant_id)
    held = None if left and no_export else find(objects, tenant_id)
    if left and not no_export:
        raise RefusedError(_LOST.format(tenant_id))
    api = AdminApi.from_environment(gateway) if gateway else None
    if held is None and not left and (api is None or in_working_form(objects, tenant_id)):
        offboarding.offboard(objects, tenant_id, intent(by, note))  # It says why it cannot.
    if api is not None:
        api.reach()
    nothing = no_export or held is None or held.pointer.offboarding
    keep = None if nothing else directory or Path(f"{tenant_id}.offboarded")
    output.lines(_plan(tenant_id, held, keep, gateway, left=left))
    if dry_run:
        output.done({"id": tenant_id, "dry_run": True}, ["Nothing was done: a dry run."])
        return
    if not output.ask(f"Delete {tenant_id} for good?", yes=yes):
        raise RefusedError(f"{tenant_id} was not offboarded")
    if keep is not None:
        written(objects, tenant_id, keep)
    deleted = 0
    if held is not None:
        with finishing(f"deleting {tenant_id}"):
            deleted = offboarding.offboard(objects, tenant_id, intent(by, note))
    elif left:
        with finishing(f"deleting what is left of {tenant_id}"):
            deleted = offboarding.clear(objects, tenant_id, intent(by, note))
    if api is not None:
        _delete_data(api, tenant_id)
    output.done(
        {
            "id": tenant_id,
            "directory": str(keep) if keep else None,
            "objects_deleted": deleted,
            "threads_deleted": api is not None,
        },
        _farewell(tenant_id, keep, gateway),
    )


def _plan(
    tenant_id: str, held: Held | None, keep: Path | None, gateway: str | None, *, left: bool
) -> Iterator[Line]:
    if held is None and left:
        yield f"All that is left of {tenant_id} is deleted; no revision is in force.", "bold red"
    elif held is None:
        yield f"The registry holds nothing of {tenant_id} any more."
    elif held.pointer.offboarding:
        yield f"The deletion of {tenant_id} has begun: it will be finished, and nothing exported."
    else:
        revisions = len(held.pointer.history)
        yield f"Revision {held.pointer.revision} of {tenant_id} goes to {keep or 'nowhere'}."
        yield (
            f"Then {tenant_id} is deleted: {revisions} revisions, its keys, its audit.",
            "bold red",
        )
    if gateway:
        yield f"Its threads and runs are deleted through {gateway}.", "bold red"


def _delete_data(api: AdminApi, tenant_id: str) -> None:
    try:
        api.delete_data(tenant_id)
    except CliError as error:
        done = f"{tenant_id} is deleted from the registry; its threads are not."
        remedy = f"tenantctl offboard {tenant_id} --gateway {api.url}"
        raise UnfinishedError(done, str(error), remedy) from error


def _farewell(tenant_id: str, keep: Path | None, gateway: str | None) -> Iterator[Line]:
    if keep is not None:
        yield f"Its files are in {keep}."
    yield f"{tenant_id} is offboarded.", "bold green"
    if gateway is None:
        yield (
            "Its threads remain in the gateways' store. To delete them: "
            f"tenantctl offboard {tenant_id} --gateway URL"
        )
