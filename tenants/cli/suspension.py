"""``tenantctl suspend`` and ``tenantctl resume``: a tenant off and on."""

from collections.abc import Callable

import rich_click as click

from tenants.cli.frame import Command
from tenants.cli.options import (
    changing,
    tenant_argument,
)
from tenants.cli.output import Output
from tenants.cli.registry import intent, opened
from tenants.cli.stopping import finishing
from tenants.releases import switching
from tenants.releases.publishing import Published
from tenants.releases.reading import show


@click.command(cls=Command)
@tenant_argument()
@changing
def suspend(  # noqa: PLR0913  (each is an option)
    tenant_id: str, note: str, by: str, registry: str, *, dry_run: bool, as_json: bool
) -> None:
    """Switch a tenant off: its requests are answered as if there were no such tenant.

    Nothing is lost. Every replica knows within 10 seconds.

    Example: tenantctl suspend acme --note "unpaid since May"
    """
    _switch(Output(as_json=as_json), registry, tenant_id, by, note, off=True, dry_run=dry_run)


@click.command(cls=Command)
@tenant_argument()
@changing
def resume(  # noqa: PLR0913  (each is an option)
    tenant_id: str, note: str, by: str, registry: str, *, dry_run: bool, as_json: bool
) -> None:
    """Switch a suspended tenant on again, with the revision and the keys that it had.

    Example: tenantctl resume acme
    """
    _switch(Output(as_json=as_json), registry, tenant_id, by, note, off=False, dry_run=dry_run)


def _switch(  # noqa: PLR0913  (the command's options)
    output: Output,
    registry: str,
    tenant_id: str,
    by: str,
    note: str,
    *,
    off: bool,
    dry_run: bool,
) -> None:
    objects = opened(registry)
    before = show(objects, tenant_id).pointer
    changed = before.suspended != off
    change: Callable[..., Published] = switching.suspend if off else switching.resume
    if not dry_run:
        with finishing(f"{'suspending' if off else 'resuming'} {tenant_id}"):
            changed = change(objects, tenant_id, intent(by, note)).changed
    state = "suspended" if off else "in force"
    words = "would be" if dry_run else "is"
    line = f"{tenant_id} {words} {state}, with revision {before.revision}."
    output.done(
        {"id": tenant_id, "suspended": off, "changed": changed, "dry_run": dry_run},
        [line if changed else f"{tenant_id} is {state} already."],
    )
