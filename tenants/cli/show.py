"""``tenantctl show``: what is in force of a tenant."""

import time
from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from pathlib import Path
from typing import Any

import rich_click as click

from tenants import compiled_json
from tenants.cli.frame import Command
from tenants.cli.options import (
    json_option,
    private_upstreams_option,
    registry_option,
    tenant_argument,
)
from tenants.cli.output import Line, Output, date
from tenants.cli.registry import opened
from tenants.cli.states import WORDS
from tenants.compiled import CompiledTenant
from tenants.compiling import compile_tenant
from tenants.errors import BrokenObjectError
from tenants.registry.objects import Objects
from tenants.registry.places import RegistryPlace
from tenants.registry.stored import Pointer
from tenants.releases import keyrings, reading
from tenants.releases.errors import WorkingFormError
from tenants.releases.key_records import alive
from tenants.releases.loading import compiled_name
from tenants.releases.pointers import Held
from tenants.releases.states import state_of
from tenants.sources import read_sources


@click.command(cls=Command)
@tenant_argument()
@private_upstreams_option
@registry_option
@json_option
def show(
    tenant_id: str, registry: str, *, private_upstreams: AbstractSet[str], as_json: bool
) -> None:
    """Show what is in force of a tenant: its revision, assistants, functions and keys.

    Secrets are named, never read.

    Example: tenantctl show acme
    """
    output = Output(as_json=as_json)
    objects = opened(registry)
    try:
        held = reading.show(objects, tenant_id)
    except WorkingFormError:
        directory = Path(RegistryPlace.parse(registry).target) / tenant_id
        # Its tool module is imported, in a process of its own.
        tenant = compile_tenant(
            read_sources(directory.resolve()), private_upstreams=private_upstreams
        )
        facts = {"id": tenant_id, "state": "working_form", **_said(tenant)}
    else:
        facts = {"id": tenant_id, **_pointed(held.pointer), **_said(_compiled(objects, held))}
    found = () if facts.get("offboarding") else keyrings.keys(objects, tenant_id)
    live = sum(alive(each, time.time()) for each in found)
    facts |= {"live_keys": live, "keys": len(found)}
    output.done(facts, _lines(facts))


def _compiled(objects: Objects, held: Held) -> CompiledTenant:
    name = compiled_name(held.tenant_id, held.pointer)
    stored = objects.read(name)
    if stored is None:
        raise BrokenObjectError(name, "it is missing")
    return compiled_json.decode(stored.content, name)


def _pointed(pointer: Pointer) -> dict[str, Any]:
    """What the pointer says."""
    return {
        "state": state_of(pointer),
        "suspended": pointer.suspended,
        "offboarding": pointer.offboarding,
        "revision": pointer.revision,
        "sha256": pointer.sha256,
        "published_at": pointer.published_at,
        "by": pointer.by,
        "note": pointer.note,
        "schema_version": pointer.schema_version,
    }


def _said(tenant: CompiledTenant) -> dict[str, Any]:
    """What the tenant's files say."""
    key = tenant.upstream.api_key
    return {
        "name": tenant.display_name,
        "assistants": [
            {"alias": each.alias, "id": each.id, "engine": each.engine, "model": each.model}
            for each in tenant.assistants.values()
        ],
        "functions": [*tenant.default.functions],
        "upstream": tenant.upstream.base_url,
        "secret": key.name if key else None,
        "allowed_origins": sorted(tenant.allowed_origins),
        "public_chat": tenant.public_chat,
    }


def _lines(facts: dict[str, Any]) -> Iterator[Line]:
    yield f"{facts['id']}  {facts['name']}", "bold"
    for name, text in _rows(facts):
        yield f"  {name:<12}{text}"


def _rows(facts: dict[str, Any]) -> Iterator[tuple[str, str]]:
    yield "state", WORDS[facts["state"]]
    if "revision" in facts:
        since = f"since {date(facts['published_at'])}, by {facts['by']}"
        yield "revision", f"{facts['revision']}, {since}"
        yield "sha256", facts["sha256"]
        yield "schema", str(facts["schema_version"])
    if facts.get("note"):
        yield "note", facts["note"]
    for each in facts["assistants"]:
        yield "assistant", f"{each['alias']}: {each['id']}, {each['model']}"
    yield "functions", ", ".join(facts["functions"]) or "none"
    secret = f", secret {facts['secret']}" if facts["secret"] else ""
    yield "upstream", (facts["upstream"] or "the operator's") + secret
    yield "origins", ", ".join(facts["allowed_origins"]) or "the gateway's own"
    yield "public chat", "yes" if facts["public_chat"] else "no"
    yield "keys", f"{facts['live_keys']} live of {facts['keys']}"
