"""``tenantctl knowledge``: a tenant's knowledge files in a vector store upstream."""

import contextlib
import time
from collections.abc import Set as AbstractSet
from pathlib import Path
from typing import Any

import attrs
import rich_click as click

from tenants.cli.errors import RefusedError
from tenants.cli.frame import Group
from tenants.cli.knowledge_account import opened_account
from tenants.cli.knowledge_view import Bars, left_behind, outcome, planned, shown
from tenants.cli.options import (
    DIRECTORY,
    by_option,
    dry_run_option,
    json_option,
    note_option,
    private_upstreams_option,
    registry_option,
    tenant_argument,
    yes_option,
)
from tenants.cli.output import Output
from tenants.cli.registry import intent, opened, preparing
from tenants.cli.secrets_option import opened_store, secrets_option
from tenants.knowledge.material import Material, gather
from tenants.knowledge.progress import read_progress
from tenants.knowledge.syncing import Sync
from tenants.registry.objects import Objects
from tenants.secrets.places import SecretPlace


@attrs.frozen(kw_only=True)
class _Asked:
    """What the command line says."""

    note: str
    by: str
    yes: bool
    dry_run: bool


@click.group(cls=Group)
def knowledge() -> None:
    """Bring a tenant's knowledge files to where its assistants search them.

    Example: tenantctl knowledge sync acme
    """


@knowledge.command()
@tenant_argument()
@click.option(
    "--from",
    "directory",
    type=DIRECTORY,
    help="Publish this directory, as publish does, instead of the files in force.",
)
@note_option
@by_option
@dry_run_option
@yes_option
@secrets_option
@private_upstreams_option
@registry_option
@json_option
def sync(  # noqa: PLR0913  (each is an option)
    tenant_id: str,
    directory: Path | None,
    secrets: SecretPlace,
    private_upstreams: AbstractSet[str],
    registry: str,
    *,
    as_json: bool,
    **asked: Any,  # noqa: ANN401  (_Asked types each of them)
) -> None:
    """Upload what has changed of a tenant's knowledge, and publish the revision that searches it.

    The files that [knowledge] names are compared with the tenant's vector store by content: what is
    new is uploaded, and once all of it is indexed a revision is published that names the store.
    What is in it and wanted no more is deleted then, after a question. Stopped at any point, it
    goes on from there when it is run again, and uploads nothing twice.

    It works with the account of [upstream], else with OPENAI_API_KEY and OPENAI_BASE_URL.

    Example: tenantctl knowledge sync acme --from tenants/acme
    """
    output = Output(as_json=as_json)
    objects = opened(registry)
    place = directory.resolve() if directory else None
    material = gather(objects, tenant_id, preparing(private_upstreams), place)
    job = material.job(int(time.time()))
    upstream = material.document.upstream
    account = opened_account(tenant_id, upstream.base_url, upstream.api_key, opened_store(secrets))
    with contextlib.closing(account), Bars(output) as bars:
        syncing = Sync(job, account, read_progress(objects, tenant_id), watcher=bars)
        _sync(syncing, objects, material, _Asked(**asked), output)


def _sync(
    syncing: Sync, objects: Objects, material: Material, asked: _Asked, output: Output
) -> None:
    plan = syncing.look()
    output.lines(shown(plan, syncing.job.store_name, makes_store=syncing.makes_store))
    report = {"id": material.tenant_id, "dry_run": asked.dry_run, **planned(plan)}
    if asked.dry_run:
        output.done(report, ["Nothing was sent: a dry run."])
        return
    if plan.deletes and not output.ask("Delete what is wanted no more, at the end?", yes=asked.yes):
        raise RefusedError(f"{material.tenant_id} was not synced")
    generation = material.held.generation if material.held else None
    wanted = intent(asked.by, asked.note, generation)
    state, published = syncing.carry_out(lambda state: material.land(objects, state, wanted))
    tenant_id, store = material.tenant_id, state.vector_store_id
    lines = [f"{tenant_id}: {len(state.files)} files are searched in the vector store {store}."]
    if published is not None and published.changed:
        lines.append(f"{tenant_id}: revision {published.held.pointer.revision} is in force.")
    lines += list(left_behind(syncing.left))
    output.done(
        report | outcome(state, published, syncing.left), [(line, "bold green") for line in lines]
    )
