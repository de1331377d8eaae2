"""The operator's routes of revisions, and of who did what."""

import attrs
from litestar import get, post
from litestar.params import FromPath
from litestar.types import ASGIApp

from gateway.http.admin import shapes, views
from gateway.http.admin.bodies import read_body, read_query
from gateway.http.admin.desk import AnyRequest, Desk, require_there
from gateway.http.admin.publishing import published, rolled_back
from gateway.http.admin.reply import page, reply
from gateway.http.admin.requests import AuditQuery, DiffQuery, NewRevision, Rollback
from gateway.http.errors import BadInputError
from tenants.registry.objects import Objects
from tenants.registry.stored import AuditEntry, StoredRevision
from tenants.registry.stored_json import decode
from tenants.releases import audit, differing
from tenants.releases.pointers import Held
from tenants.releases.reading import read_whole, revision_of, show
from tenants.releases.switching import previous


@get("/tenants/{tenant_id:str}/revisions")
async def revisions(request: AnyRequest, tenant_id: FromPath[str]) -> ASGIApp:
    """The revisions that were published and are remembered, newest first."""
    held = await Desk.of(request).read(lambda objects: show(objects, tenant_id))
    history = held.pointer.history[::-1]
    found = [views.revision(each, held.pointer.revision) for each in history]
    return reply(shapes.RevisionList(data=found))


@get("/tenants/{tenant_id:str}/revisions/{number:int}")
async def revision(request: AnyRequest, tenant_id: FromPath[str], number: FromPath[int]) -> ASGIApp:
    """A revision with its files, found to be whole."""
    return reply(await Desk.of(request).read(lambda objects: _files(objects, tenant_id, number)))


@post("/tenants/{tenant_id:str}/revisions", status_code=201)
async def publish(request: AnyRequest, tenant_id: FromPath[str]) -> ASGIApp:
    """Publish files as a new revision; 200 where nothing was to be changed."""
    desk, asked = Desk.of(request), await read_body(request, NewRevision)
    intent = desk.intent(request, asked.note)

    def work(objects: Objects) -> shapes.Published:
        return published(objects, tenant_id, asked, intent, desk.preparing)

    if asked.dry_run:
        return reply(await desk.read(work))
    made = await desk.change(tenant_id, intent, "publish", work)
    return reply(made, 201 if made.changed else 200)


@post("/tenants/{tenant_id:str}/rollback", status_code=200)
async def rollback(request: AnyRequest, tenant_id: FromPath[str]) -> ASGIApp:
    """Put an earlier revision in force; the one before, where none is named."""
    desk, asked = Desk.of(request), await read_body(request, Rollback)
    intent = desk.intent(request, asked.note)
    made = await desk.change(
        tenant_id,
        intent,
        "rollback",
        lambda objects: rolled_back(objects, tenant_id, asked, intent),
    )
    return reply(views.changed(tenant_id, made))


@get("/tenants/{tenant_id:str}/diff")
async def diff(request: AnyRequest, tenant_id: FromPath[str]) -> ASGIApp:
    """What differs between two revisions; what the one in force has changed, if none is named."""
    desk, wanted = Desk.of(request), read_query(request, DiffQuery)
    return reply(await desk.read(lambda objects: _diff(objects, tenant_id, wanted)))


@get("/tenants/{tenant_id:str}/audit")
async def audit_entries(request: AnyRequest, tenant_id: FromPath[str]) -> ASGIApp:
    """A page of who did what, the newest first unless asked otherwise."""
    desk, wanted = Desk.of(request), read_query(request, AuditQuery)
    return reply(await desk.read(lambda objects: _audit(objects, tenant_id, wanted)))


def _files(objects: Objects, tenant_id: str, number: int) -> shapes.RevisionFiles:
    held = show(objects, tenant_id)
    release = read_whole(objects, tenant_id, revision_of(held, number))
    return views.revision_files(release, held.pointer.revision)


def _diff(objects: Objects, tenant_id: str, wanted: DiffQuery) -> shapes.Diff:
    held = show(objects, tenant_id)
    after = revision_of(held, wanted.other)
    before = _before(held, after) if wanted.one is None else revision_of(held, wanted.one)
    one, other = (read_whole(objects, tenant_id, each).files for each in (before, after))
    found = views.differences(differing.differences(one, other))
    return shapes.Diff(tenant_id, before.revision, after.revision, found)


def _before(held: Held, revision: StoredRevision) -> StoredRevision:
    """The revision that was published before another."""
    pointer = attrs.evolve(held.pointer, revision=revision.revision)
    return previous(attrs.evolve(held, pointer=pointer))


def _audit(objects: Objects, tenant_id: str, wanted: AuditQuery) -> shapes.AuditPage:
    """Of all entries the names are looked at, and those of the page are read."""
    names = audit.names(objects, tenant_id)
    if not names:
        require_there(objects, tenant_id)
    ids = {name.rpartition("/")[2].removesuffix(".json"): name for name in names}
    order = [*ids] if wanted.order == "asc" else [*ids][::-1]
    if wanted.after and wanted.after not in ids:
        raise BadInputError.of("after", "There is no such entry.")
    start = order.index(wanted.after) + 1 if wanted.after else 0
    part = order[start : start + wanted.limit]
    found = [(each, objects.read(ids[each])) for each in part]
    entries = [
        views.audit_record(each, decode(stored.content, AuditEntry, ids[each]))
        for each, stored in found
        if stored is not None
    ]
    return page(shapes.AuditPage, entries, more=start + wanted.limit < len(order))
