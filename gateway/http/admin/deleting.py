"""The operator's routes that delete: a tenant with all its data, or its data alone."""

import asyncio
from contextlib import suppress

import structlog
from litestar import delete
from litestar.params import FromPath
from litestar.types import ASGIApp

from gateway.http.admin import shapes
from gateway.http.admin.desk import AnyRequest, Desk, context_of, is_there
from gateway.http.admin.reply import reply
from tenants.errors import BrokenObjectError, UnknownTenantError
from tenants.knowledge.progress import read_progress
from tenants.ports import Registry
from tenants.registry.objects import NEW, Objects
from tenants.releases import offboarding
from tenants.releases.audit import record
from tenants.releases.pointers import Intent

_NOTICED_SECONDS = 10.0  # what a change of the registry takes to be in force, at most
_LOOK_SECONDS = 0.05
_log = structlog.get_logger(__name__)


@delete("/tenants/{tenant_id:str}", status_code=200)
async def delete_tenant(request: AnyRequest, tenant_id: FromPath[str]) -> ASGIApp:
    """Delete a tenant from the registry, then all that is stored of it.

    Where this stops half way, the same request again goes on.
    """
    desk = Desk.of(request)
    intent = desk.intent(request)
    left = await desk.read(lambda objects: _left_upstream(objects, tenant_id))
    if left:
        stores, mark = [each.vector_store_id for each in left], left[0].token
        _log.warning("knowledge_left_upstream", tenant_id=tenant_id, stores=stores, mark=mark)
    deleted = await desk.change(
        tenant_id, intent, "offboard", lambda objects: _offboarded(objects, tenant_id, intent)
    )
    threads = await _data_deleted(desk, request, tenant_id)
    if not (deleted or threads):
        raise UnknownTenantError(tenant_id)
    answer = shapes.TenantDeleted(
        id=tenant_id, objects_deleted=deleted, threads_deleted=threads, left_upstream=left
    )
    return reply(answer)


@delete("/tenants/{tenant_id:str}/data", status_code=200)
async def delete_data(request: AnyRequest, tenant_id: FromPath[str]) -> ASGIApp:
    """Delete all that is stored of a tenant, also of one that the registry holds no more."""
    threads = await _data_deleted(Desk.of(request), request, tenant_id)
    return reply(shapes.DataDeleted(id=tenant_id, threads_deleted=threads))


async def _data_deleted(desk: Desk, request: AnyRequest, tenant_id: str) -> int:
    """Delete all that is stored of a tenant, and return how many threads.

    Where the registry holds it no more, this waits until no request finds it here either.
    """
    intent = desk.intent(request)
    if not await desk.read(lambda objects: _audited(objects, tenant_id, intent)):
        await _notice(desk.registry, tenant_id)
    desk.uses.forget(tenant_id)
    deleted = await desk.orchestrator.delete_tenant(context_of(request, tenant_id))
    _log.info("tenant_data_deleted", tenant_id=tenant_id, threads=deleted, by=intent.by)
    return deleted


async def _notice(registry: Registry, tenant_id: str) -> None:
    """Wait until this process knows that a tenant is gone."""
    with suppress(TimeoutError):
        async with asyncio.timeout(_NOTICED_SECONDS):
            while registry.cached(tenant_id) is not None:  # noqa: ASYNC110 - it sets no event
                await asyncio.sleep(_LOOK_SECONDS)


def _audited(objects: Objects, tenant_id: str, intent: Intent) -> bool:
    """Tell the audit of a tenant that its data are being deleted, where it is there; whether so."""
    there = is_there(objects, tenant_id)
    if there:
        record(objects, tenant_id, intent.entry("data.delete"))
    return there


def _left_upstream(objects: Objects, tenant_id: str) -> list[shapes.LeftUpstream]:
    """What the registry alone knows of, and nobody finds once that is deleted."""
    try:
        progress = read_progress(objects, tenant_id)
    except BrokenObjectError:
        return []
    stored = progress.stored
    if progress.generation == NEW:
        return []
    stores = [(each.vector_store_id, each.account) for each in stored.left]
    return [
        shapes.LeftUpstream(vector_store_id=store, base_url=account.base_url, token=stored.token)
        for store, account in ((stored.vector_store_id, stored.account), *stores)
    ]


def _offboarded(objects: Objects, tenant_id: str, intent: Intent) -> int:
    """Delete what the registry holds of a tenant, and return how many objects that were."""
    if offboarding.remains(objects, tenant_id):
        return offboarding.clear(objects, tenant_id, intent)
    try:
        return offboarding.offboard(objects, tenant_id, intent)
    except UnknownTenantError:
        return 0
