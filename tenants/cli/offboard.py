"""``tenantctl offboard``: a tenant exported, then deleted with all it has."""

import contextlib
from collections.abc import Callable
from pathlib import Path

import rich_click as click

from tenants.cli.admin_api import AdminApi
from tenants.cli.errors import (
    CliError,
    LostPointerError,
    NeverPublishedError,
    RefusedError,
    UnfinishedError,
)
from tenants.cli.export import written
from tenants.cli.frame import Command
from tenants.cli.knowledge_view import Bars
from tenants.cli.offboard_upstream import Upstream, removed_json, upstream_of
from tenants.cli.offboard_view import Estate, farewell, plan
from tenants.cli.options import (
    NEW_DIRECTORY,
    changing,
    gateway_option,
    tenant_argument,
    yes_option,
)
from tenants.cli.output import Output
from tenants.cli.registry import intent, opened
from tenants.cli.secrets_option import secrets_option
from tenants.cli.stopping import finishing
from tenants.errors import UnknownTenantError
from tenants.knowledge.errors import KnowledgeError
from tenants.knowledge.removing import Removed
from tenants.registry.objects import Objects
from tenants.releases import offboarding
from tenants.releases.pointers import Held, Intent, find, in_working_form
from tenants.secrets.places import SecretPlace


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
@click.option(
    "--keep-upstream", is_flag=True, help="Leave its vector store and files where they are."
)
@gateway_option("A gateway that deletes its threads too; with GATEWAY_ADMIN_KEY.", wanted=False)
@secrets_option
@yes_option
@changing
def offboard(  # noqa: PLR0913  (each is an option)
    tenant_id: str,
    *,
    directory: Path | None,
    no_export: bool,
    keep_upstream: bool,
    gateway: str | None,
    yes: bool,
    dry_run: bool,
    note: str,
    by: str,
    secrets: SecretPlace,
    registry: str,
    as_json: bool,
) -> None:
    """Export a tenant's revision in force, then delete the tenant: revisions, keys and audit.

    What its knowledge syncs made upstream is deleted there, with the account's own key. Its threads
    are in the gateways' store: --gateway names one that deletes them, else they stay. Secrets stay
    in their store. Where it was stopped half way, the same command goes on. One whose current.json
    is broken can be restored (tenantctl rollback ID REV), or deleted with --no-export.

    Example: tenantctl offboard acme --export ./acme.offboarded --gateway http://127.0.0.1:8000
    """
    output, objects, wanted = Output(as_json=as_json), opened(registry), intent(by, note)
    held, rest = _found(objects, tenant_id, no_export=no_export)
    if held is None and not rest and gateway is None:
        raise UnknownTenantError(tenant_id)
    api = AdminApi.from_environment(gateway) if gateway else None
    if api is not None:
        api.reach()
    nothing = no_export or held is None or held.pointer.offboarding
    keep = None if nothing else directory or Path(f"{tenant_id}.offboarded")
    upstream = upstream_of(objects, tenant_id, secrets, keep=keep_upstream)
    with contextlib.closing(upstream) if upstream else contextlib.nullcontext():
        estate = Estate(tenant_id, held, rest, keep, api, upstream)
        output.lines(plan(estate))
        report = {
            "id": tenant_id,
            "dry_run": dry_run,
            "directory": str(keep) if keep else None,
            "threads_deleted": api is not None and not dry_run,
        }
        if dry_run:
            output.done(report, ["Nothing was done: a dry run."])
            return
        if not output.ask(f"Delete {tenant_id} for good?", yes=yes):
            raise RefusedError(f"{tenant_id} was not offboarded")
        deleted, removed = _carry_out(estate, objects, wanted, output)
    output.done(
        report | {"objects_deleted": deleted, "upstream": removed_json(upstream, removed)},
        farewell(estate, removed),
    )


def _found(objects: Objects, tenant_id: str, *, no_export: bool) -> tuple[Held | None, bool]:
    """A tenant's pointer, and whether something is there though none makes sense.

    Raises:
        LostPointerError: that is so, and it is to be exported.
        NeverPublishedError: it is in working form alone.
        ObjectsUnavailableError: the registry cannot be read.
    """
    if offboarding.remains(objects, tenant_id):
        if not no_export:
            raise LostPointerError(tenant_id)
        return None, True
    held = find(objects, tenant_id)
    if held is None and in_working_form(objects, tenant_id):
        raise NeverPublishedError(tenant_id)
    return held, False


def _carry_out(
    estate: Estate, objects: Objects, wanted: Intent, output: Output
) -> tuple[int, Removed | None]:
    """Delete everything; how many objects that were, and what it was upstream."""
    tenant_id = estate.tenant_id
    if estate.keep is not None:
        written(objects, tenant_id, estate.keep)
    deleted, removed = 0, None

    def first() -> None:
        nonlocal removed
        if estate.upstream is not None:
            removed = _delete_upstream(estate.upstream, output)

    work: Callable[..., int] = offboarding.clear if estate.rest else offboarding.offboard
    if estate.held is not None or estate.rest:
        with finishing(f"deleting {tenant_id}"):
            deleted = work(objects, tenant_id, wanted, first=first)
    if estate.api is not None:
        _delete_data(estate.api, tenant_id)
    return deleted, removed


def _delete_upstream(upstream: Upstream, output: Output) -> Removed | None:
    try:
        with Bars(output) as bars:
            return upstream.delete(bars)
    except KnowledgeError as error:
        done = f"{upstream.tenant_id} is switched off; the registry still holds it."
        remedy = "the same command once more; --keep-upstream leaves what is there."
        raise UnfinishedError(done, str(error), remedy) from error


def _delete_data(api: AdminApi, tenant_id: str) -> None:
    try:
        api.delete_data(tenant_id)
    except CliError as error:
        done = f"{tenant_id} is deleted from the registry; its threads are not."
        remedy = f"tenantctl offboard {tenant_id} --gateway {api.url}"
        raise UnfinishedError(done, str(error), remedy) from error
