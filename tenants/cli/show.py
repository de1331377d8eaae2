"""``tenantctl show``: what is in force of a tenant."""

import time
from typing import Any

import rich_click as click

from tenants import compiled_json
from tenants.cli.frame import Command
from tenants.cli.options import json_option, registry_option, tenant_argument
from tenants.cli.output import Line, Output, date
from tenants.cli.registry import opened
from tenants.compiled import CompiledTenant
from tenants.errors import BrokenObjectError
from tenants.registry.objects import Objects
from tenants.releases import reading
from tenants.releases.key_records import alive
from tenants.releases.keyrings import keys
from tenants.releases.loading import compiled_name
from tenants.releases.pointers import Held


@click.command(cls=Command)
@tenant_argument()
@registry_option
@json_option
def show(tenant_id: str, registry: str, *, as_json: bool) -> None:
    """Show what is in force of a tenant: its revision, assistants, functions and keys.

    Secrets are named, never read.

    Example: tenantctl show acme
    """
    output = Output(as_json=as_json)
    objects = opened(registry)
    held = reading.show(objects, tenant_id)
    tenant = _compiled(objects, held)
    found = () if held.pointer.offboarding else keys(objects, tenant_id)
    now = time.time()
    live = sum(alive(each, now) for each in found)
    output.done(
        _json(held, tenant) | {"live_keys": live, "keys": len(found)},
        _lines(held, tenant, f"{live} live of {len(found)}"),
    )


def _compiled(objects: Objects, held: Held) -> CompiledTenant:
    name = compiled_name(held.tenant_id, held.pointer)
    stored = objects.read(name)
    if stored is None:
        raise BrokenObjectError(name, "it is missing")
    return compiled_json.decode(stored.content, name)


def _state(held: Held) -> str:
    if held.pointer.offboarding:
        return "half deleted"
    return "suspended" if held.pointer.suspended else "in force"


def _json(held: Held, tenant: CompiledTenant) -> dict[str, Any]:
    pointer = held.pointer
    return {
        "id": held.tenant_id,
        "name": tenant.display_name,
        "state": _state(held),
        "suspended": pointer.suspended,
        "revision": pointer.revision,
        "sha256": pointer.sha256,
        "published_at": pointer.published_at,
        "by": pointer.by,
        "note": pointer.note,
        "schema_version": pointer.schema_version,
        "assistants": [
            {"alias": each.alias, "id": each.id, "engine": each.engine, "model": each.model}
            for each in tenant.assistants.values()
        ],
        "functions": [*tenant.default.functions],
        "upstream": tenant.upstream.base_url,
        "secret": tenant.upstream.api_key.name if tenant.upstream.api_key else None,
        "allowed_origins": sorted(tenant.allowed_origins),
        "public_chat": tenant.public_chat,
    }


def _lines(held: Held, tenant: CompiledTenant, keys: str) -> list[Line]:
    facts = _json(held, tenant)
    published = f"{facts['revision']}, since {date(facts['published_at'])}, by {facts['by']}"
    assistants = [f"{each['alias']}: {each['id']}, {each['model']}" for each in facts["assistants"]]
    secret = f", secret {facts['secret']}" if facts["secret"] else ""
    rows = {
        "state": facts["state"],
        "revision": published,
        "note": facts["note"],
        "sha256": facts["sha256"],
        "schema": str(facts["schema_version"]),
        "assistants": "\n".join(assistants),
        "functions": ", ".join(facts["functions"]) or "none",
        "upstream": (facts["upstream"] or "the operator's") + secret,
        "origins": ", ".join(facts["allowed_origins"]) or "the gateway's own",
        "public chat": "yes" if facts["public_chat"] else "no",
        "keys": keys,
    }
    lines: list[Line] = [(f"{held.tenant_id}  {tenant.display_name}", "bold")]
    for name, text in rows.items():
        for place, line in enumerate(text.splitlines()):
            lines.append(f"  {'' if place else name:<12}{line}")
    return lines
