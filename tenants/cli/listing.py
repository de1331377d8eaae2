"""``tenantctl list``: the registry's tenants."""

from typing import Any

import rich_click as click

from tenants.cli.frame import Command
from tenants.cli.options import json_option, registry_option
from tenants.cli.output import Output, date
from tenants.cli.registry import opened, unpublished
from tenants.releases.reading import ListedTenant, list_tenants

_COLUMNS = ("id", "name", "state", "revision", "published", "by")


@click.command("list", cls=Command)
@registry_option
@json_option
def list_(registry: str, *, as_json: bool) -> None:
    """List the registry's tenants.

    A tenant is in force, suspended, half deleted (offboard it once more), broken (doctor says how
    to mend it), or in working form: a directory that was never published and is served as it
    stands.

    Example: tenantctl list --registry gs://acme-tenants/production
    """
    output = Output(as_json=as_json)
    tenants = [*output.track(list_tenants(opened(registry)), "Tenants", None)]
    forms = [*unpublished(registry, {each.tenant_id for each in tenants})]
    rows = sorted([*map(_row, tenants), *map(_form_row, forms)])
    if rows:
        output.table(_COLUMNS, rows)
    faults = [(f"{each.tenant_id}: {each.fault}", "red") for each in tenants if each.fault]
    output.done(
        sorted([*map(_json, tenants), *map(_form_json, forms)], key=lambda each: each["id"]),
        faults if rows else ["No tenants yet: tenantctl onboard ID creates one."],
    )


def _state(tenant: ListedTenant) -> str:
    if tenant.fault:
        return "broken"
    if tenant.offboarding:
        return "half deleted"
    return "suspended" if tenant.suspended else "in force"


def _row(tenant: ListedTenant) -> tuple[str, ...]:
    if tenant.fault:
        return tenant.tenant_id, "", "broken", "", "", ""
    published = date(tenant.published_at)
    revision = str(tenant.revision)
    return tenant.tenant_id, tenant.name, _state(tenant), revision, published, tenant.by


def _form_row(tenant_id: str) -> tuple[str, ...]:
    return tenant_id, "", "working form", "", "", ""


def _json(tenant: ListedTenant) -> dict[str, Any]:
    if tenant.fault:
        return _nameless(tenant.tenant_id, "broken") | {"fault": tenant.fault}
    return {
        "id": tenant.tenant_id,
        "name": tenant.name,
        "state": _state(tenant),
        "revision": tenant.revision,
        "sha256": tenant.sha256,
        "published_at": tenant.published_at,
        "by": tenant.by,
        "suspended": tenant.suspended,
        "schema_version": tenant.schema_version,
    }


def _form_json(tenant_id: str) -> dict[str, Any]:
    return _nameless(tenant_id, "working form")


def _nameless(tenant_id: str, state: str) -> dict[str, Any]:
    return {"id": tenant_id, "name": None, "state": state, "revision": None}
