"""``tenantctl validate``: everything that is wrong with a tenant's files, like a good compiler."""

import sys
from pathlib import Path
from typing import Any

import attrs
import msgspec
import rich_click as click

from tenants.cli.frame import Command
from tenants.compiled import CompiledTenant
from tenants.compiling import compile_tenant
from tenants.errors import InvalidTenantError
from tenants.sources import read_sources


@click.command(cls=Command)
@click.argument("path", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option(
    "--private-upstreams",
    envvar="GATEWAY_PRIVATE_UPSTREAMS",
    default="",
    help="Hosts that base_url may name though they are private, comma-separated.",
    show_envvar=True,
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def validate(path: Path, private_upstreams: str, *, as_json: bool) -> None:
    """Check a tenant's directory and show what a model is told of its functions.

    Its tool module is imported, in a process of its own: check what you trust.
    Exits 0 where all is well, else 1.

    Example: tenantctl validate examples/tenants/weather
    """
    hosts = frozenset(filter(None, (host.strip().lower() for host in private_upstreams.split(","))))
    try:
        tenant = compile_tenant(read_sources(path.resolve()), private_upstreams=hosts)
    except InvalidTenantError as error:
        click.echo(_json(_refused(error)) if as_json else _told(path, error))
        sys.exit(1)
    click.echo(_json(_accepted(tenant)) if as_json else _shown(tenant))


def _refused(error: InvalidTenantError) -> dict[str, Any]:
    faults = [attrs.asdict(fault) for fault in error.faults]
    return {"tenant_id": error.tenant_id, "valid": False, "faults": faults}


def _told(path: Path, error: InvalidTenantError) -> str:
    lines = [f"{path}/{fault}" for fault in error.faults]
    return "\n".join([*lines, f"{error.tenant_id} is not valid: {len(lines)} to mend"])


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


def _shown(tenant: CompiledTenant) -> str:
    lines = [f"{tenant.tenant_id} is valid"]
    lines += [
        f"  assistant {each.alias}: {each.id}, {each.model}" for each in tenant.assistants.values()
    ]
    for function in _functions(tenant):
        lines += [f"  function {function['name']}:", msgspec.json.format(_json(function), indent=4)]
    lines += [f"  hosted tool {name}" for name in _hosted(tenant)]
    return "\n".join(lines)


def _functions(tenant: CompiledTenant) -> list[dict[str, Any]]:
    return [tool for tool in _tools(tenant) if tool["type"] == "function"]


def _hosted(tenant: CompiledTenant) -> list[str]:
    return [tool["type"] for tool in _tools(tenant) if tool["type"] != "function"]


def _tools(tenant: CompiledTenant) -> list[dict[str, Any]]:
    return msgspec.json.decode(tenant.default.tools, type=list[dict[str, Any]])


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()
