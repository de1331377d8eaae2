"""The operator's routes of tenants: listed, shown, created, switched off and on."""

from collections.abc import Callable, Iterator
from contextlib import suppress

import msgspec
import structlog
from litestar import get, post
from litestar.params import FromPath
from litestar.types import ASGIApp

from gateway.http.admin import shapes, views
from gateway.http.admin.bodies import read_body, read_query
from gateway.http.admin.desk import AnyRequest, Desk
from gateway.http.admin.keys import issued, require_future
from gateway.http.admin.publishing import created
from gateway.http.admin.reply import page, reply
from gateway.http.admin.requests import NewTenant, Noted, TenantQuery
from gateway.http.errors import BadInputError
from tenants.errors import BrokenObjectError, InvalidTenantError, TenantUnavailableError
from tenants.model import is_tenant_id
from tenants.ports import Registry
from tenants.registry.objects import Objects
from tenants.releases import switching
from tenants.releases.errors import WorkingFormError
from tenants.releases.loading import read_revision
from tenants.releases.pointers import Intent
from tenants.releases.publishing import Published
from tenants.releases.reading import list_tenants, list_working_forms, show
from tenants.releases.release import Preparing

_log = structlog.get_logger(__name__)
_Switch = Callable[[Objects, str, Intent], Published]


@get("/tenants")
async def tenants(request: AnyRequest) -> ASGIApp:
    """A page of the tenants, by id; from their labels, so that none of them is read."""
    desk, wanted = Desk.of(request), read_query(request, TenantQuery)
    found = await desk.read(lambda objects: _listed(desk, objects, wanted))
    part = found[: wanted.limit]
    return reply(page(shapes.TenantPage, part, more=len(found) > len(part)))


@post("/tenants", status_code=201)
async def create(request: AnyRequest) -> ASGIApp:
    """Create a tenant: publish its first revision, and issue its first key if that is asked for."""
    desk, asked = Desk.of(request), await read_body(request, NewTenant)
    if not is_tenant_id(asked.id):
        raise BadInputError.of("id", "This is no tenant's id.")
    if asked.key is not None:
        require_future(desk, asked.key.expires_at)
    intent = desk.intent(request, asked.note)

    def work(objects: Objects) -> shapes.Published:
        return created(objects, asked, intent, desk.preparing)

    if asked.dry_run:
        tried = await desk.read(work)
        return reply(shapes.Created(**msgspec.structs.asdict(tried), key=None))
    made = await desk.change(asked.id, intent, "create", work)
    key = await issued(desk, request, asked.id, asked.key) if asked.key else None
    answer = shapes.Created(**msgspec.structs.asdict(made), key=key)
    return reply(answer, 201, {"Location": f"/admin/api/tenants/{asked.id}"})


@get("/tenants/{tenant_id:str}")
async def tenant(request: AnyRequest, tenant_id: FromPath[str]) -> ASGIApp:
    """A tenant and what is in force of it; of one in working form, as this process serves it."""
    desk = Desk.of(request)
    try:
        answer = await desk.read(lambda objects: _shown(objects, tenant_id, desk.preparing))
    except WorkingFormError:
        answer = await _unpublished(desk.registry, tenant_id)
    return reply(answer)


@post("/tenants/{tenant_id:str}/suspend", status_code=200)
async def suspend(request: AnyRequest, tenant_id: FromPath[str]) -> ASGIApp:
    """Switch a tenant off: its requests see no tenant."""
    return await _switched(request, tenant_id, "suspend", switching.suspend)


@post("/tenants/{tenant_id:str}/resume", status_code=200)
async def resume(request: AnyRequest, tenant_id: FromPath[str]) -> ASGIApp:
    """Switch a tenant on again."""
    return await _switched(request, tenant_id, "resume", switching.resume)


def _listed(desk: Desk, objects: Objects, wanted: TenantQuery) -> list[shapes.TenantSummary]:
    """One more than is wanted, where there are more."""
    found = {each.id: each for each in _all(desk, objects)}
    ids = sorted(each for each in found if each > wanted.after and each.startswith(wanted.prefix))
    return [found[each] for each in ids[: wanted.limit + 1]]


def _all(desk: Desk, objects: Objects) -> Iterator[shapes.TenantSummary]:
    """Every tenant; one that is published over its working form comes as such at last."""
    if desk.working_forms:
        yield from map(views.working_form, list_working_forms(objects))
    yield from map(views.summary, list_tenants(objects))


def _shown(objects: Objects, tenant_id: str, preparing: Preparing) -> shapes.Tenant:
    held = show(objects, tenant_id)
    try:
        found = read_revision(
            objects,
            tenant_id,
            held.pointer,
            private_upstreams=preparing.private_upstreams,
            inline_tools=preparing.inline_tools,
        )
    except (BrokenObjectError, InvalidTenantError) as error:
        return views.published(tenant_id, held.pointer, None, str(error))
    return views.published(tenant_id, held.pointer, found, None)


async def _unpublished(registry: Registry, tenant_id: str) -> shapes.Tenant:
    """A tenant in working form, as this process has it in force."""
    found = None
    with suppress(TenantUnavailableError):
        found = await registry.load(tenant_id)
    health = registry.health(tenant_id)
    return views.unpublished(tenant_id, found, health.refused or None if health else None)


async def _switched(request: AnyRequest, tenant_id: str, what: str, switch: _Switch) -> ASGIApp:
    desk, asked = Desk.of(request), await read_body(request, Noted)
    intent = desk.intent(request, asked.note)
    made = await desk.change(
        tenant_id, intent, what, lambda objects: switch(objects, tenant_id, intent)
    )
    return reply(views.changed(tenant_id, made))
