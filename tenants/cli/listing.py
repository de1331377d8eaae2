"""``tenantctl list``: the registry's tenants."""

from typing import Any

import rich_click as click

from tenants.cli.frame import Command
from tenants.cli.options import json_option, registry_option
from tenants.cli.output import Output, date
from tenants.cli.registry import opened, unpublished
from tenants.cli.states import WORDS
from tenants.releases.reading import ListedTenant, list_tenants
from tenants.releases.states import State, state_of

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
    found = [*map(_json, tenants), *(_nameless(each, "working_form") for each in forms)]
    found.sort(key=lambda each: each["id"])
    if found:
        output.table(_COLUMNS, map(_row, found))
    faults = [(f"{each['id']}: {each['fault']}", "red") for each in found if "fault" in each]
    none = "No tenants yet: tenantctl onboard ID creates one."
    output.done(found, faults if found else [none])


def _row(facts: dict[str, Any]) -> tuple[str, ...]:
    state = WORDS[facts["state"]]
    if not facts.get("published_at"):
        return facts["id"], "", state, "", "", ""
    published = date(facts["published_at"])
    return facts["id"], facts["name"], state, str(facts["revision"]), published, facts["by"]


def _json(tenant: ListedTenant) -> dict[str, Any]:
    if tenant.fault:
        return _nameless(tenant.tenant_id, "broken") | {"fault": tenant.fault}
    return {
        "id": tenant.tenant_id,
        "name": tenant.name,
        "state": state_of(tenant),
        "revision": tenant.revision,
        "sha256": tenant.sha256,
        "published_at": tenant.published_at,
        "by": tenant.by,
        "suspended": tenant.suspended,
        "schema_version": tenant.schema_version,
    }


def _nameless(tenant_id: str, state: State) -> dict[str, Any]:
    return {"id": tenant_id, "name": None, "state": state, "revision": None}
