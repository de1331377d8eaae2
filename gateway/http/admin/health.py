"""The operator's routes of how the process and its tenants stand."""

import asyncio

from litestar import get
from litestar.params import FromPath
from litestar.types import ASGIApp

from gateway.http.admin import shapes
from gateway.http.admin.desk import AnyRequest, Desk, require_there
from gateway.http.admin.reply import reply
from tenants.ports import SecretStore
from tenants.secrets.checking import unreachable

_REACH_SECONDS = 5


@get("/health")
async def health(request: AnyRequest) -> ASGIApp:
    """How the process stands with the registry, the store and the secrets."""
    desk = Desk.of(request)
    stale, fault = desk.registry.stale_seconds(), await _fault(desk.secrets)
    registry = shapes.RegistryHealth(ok=stale == 0, stale_seconds=stale)
    store = shapes.StoreHealth(ok=desk.store.healthy())
    secrets = shapes.SecretsHealth(ok=fault is None, fault=fault)
    good = registry.ok and store.ok and secrets.ok
    return reply(
        shapes.Health(
            status="ok" if good else "degraded", registry=registry, store=store, secrets=secrets
        )
    )


@get("/tenants/{tenant_id:str}/health")
async def tenant_health(request: AnyRequest, tenant_id: FromPath[str]) -> ASGIApp:
    """How a tenant stands in this process: what is in force here, and why nothing newer is."""
    desk = Desk.of(request)
    found = desk.registry.health(tenant_id)
    if found is None:
        await desk.read(lambda objects: require_there(objects, tenant_id))
    return reply(
        shapes.TenantHealth(
            id=tenant_id,
            loaded=found is not None,
            sha256=found.revision if found else None,
            since=found.since if found else None,
            refused=(found.refused or None) if found else None,
            refused_since=found.refused_since if found else None,
            stale_seconds=desk.registry.stale_seconds(),
        )
    )


async def _fault(secrets: SecretStore) -> str | None:
    """Why the store of secrets cannot be read."""
    try:
        async with asyncio.timeout(_REACH_SECONDS):
            return await unreachable(secrets)
    except TimeoutError:
        return f"It did not answer within {_REACH_SECONDS} s."
