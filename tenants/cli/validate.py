"""``tenantctl validate``: everything that is wrong with a tenant's files, like a good compiler."""

import sys
from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from pathlib import Path
from typing import Any

import attrs
import msgspec
import rich_click as click

from tenants.cli.frame import Command
from tenants.cli.options import (
    TenantOrDirectory,
    json_option,
    private_upstreams_option,
    registry_option,
)
from tenants.cli.output import Line, Output
from tenants.cli.registry import opened, preparing
from tenants.compiled import CompiledTenant
from tenants.errors import InvalidTenantError
from tenants.knowledge.standing import notices
from tenants.registry.places import RegistryPlace
from tenants.releases.errors import WorkingFormError
from tenants.releases.reading import read_release, show
from tenants.releases.release import prepare, prepare_directory


@click.command(cls=Command)
@click.argument("tenant", metavar="PATH|ID", type=TenantOrDirectory())
@private_upstreams_option
@registry_option
@json_option
def validate(
    tenant: Path | str, private_upstreams: AbstractSet[str], registry: str, *, as_json: bool
) -> None:
    """Check a tenant's files and show what a model is told of its functions.

    PATH is a tenant's directory, ID a tenant of the registry, whose revision in force is checked by
    this version's rules. The tool module is imported, in a process of its own: check what you
    trust. Exits 0 where all is well, else 1.

    Example: tenantctl validate examples/tenants/weather
    """
    output = Output(as_json=as_json)
    judged = preparing(private_upstreams)
    place = tenant if isinstance(tenant, Path) else _working_form(registry, tenant)
    try:
        if place is not None:
            release = prepare_directory(place.resolve().name, place.resolve(), judged)
        else:
            tenant_id = str(tenant)
            release = prepare(tenant_id, read_release(opened(registry), tenant_id).files, judged)
    except InvalidTenantError as error:
        output.done(_refused(error), _told(place or Path(error.tenant_id), error))
        sys.exit(1)
    told = notices(release.tenant_id, release.files)
    lines: list[Line] = [*_shown(release.compiled), *((each, "yellow") for each in told)]
    output.done(_accepted(release.compiled) | {"notices": told}, lines)


def _working_form(registry: str, tenant_id: str) -> Path | None:
    """The directory of a tenant that was never published; None: it was."""
    try:
        show(opened(registry), tenant_id)
    except WorkingFormError:
        return Path(RegistryPlace.parse(registry).target) / tenant_id
    return None


def _refused(error: InvalidTenantError) -> dict[str, Any]:
    faults = [attrs.asdict(fault) for fault in error.faults]
    return {"tenant_id": error.tenant_id, "valid": False, "faults": faults}


def _told(path: Path, error: InvalidTenantError) -> list[str]:
    lines = [f"{path}/{fault}" for fault in error.faults]
    return [*lines, f"{error.tenant_id} is not valid: {len(lines)} to mend"]


def _accepted(tenant: CompiledTenant) -> dict[str, Any]:
    return {
        "tenant_id": tenant.tenant_id,
        "valid": True,
        "faults": [],
        "revision": tenant.revision,
        "assistants": [
            {"alias": each.alias, "id": each.id, "model": each.model}
            for each in tenant.assistants.values()
        ],
        "functions": _functions(tenant),
        "hosted": _hosted(tenant),
    }


def _shown(tenant: CompiledTenant) -> Iterator[Line]:
    yield f"{tenant.tenant_id} is valid", "bold green"
    for each in tenant.assistants.values():
        yield f"  assistant {each.alias}: {each.id}, {each.model}"
    for function in _functions(tenant):
        yield f"  function {function['name']}:"
        encoded = msgspec.json.encode(function)
        yield from msgspec.json.format(encoded, indent=4).decode().splitlines()
    yield from (f"  hosted tool {name}" for name in _hosted(tenant))


def _functions(tenant: CompiledTenant) -> list[dict[str, Any]]:
    return [tool for tool in _tools(tenant) if tool["type"] == "function"]


def _hosted(tenant: CompiledTenant) -> list[str]:
    return [tool["type"] for tool in _tools(tenant) if tool["type"] != "function"]


def _tools(tenant: CompiledTenant) -> list[dict[str, Any]]:
    return msgspec.json.decode(tenant.default.tools, type=list[dict[str, Any]])
