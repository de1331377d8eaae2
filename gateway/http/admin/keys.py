"""The operator's routes of tenants' API keys."""

from contextlib import suppress

from litestar import delete, get, post
from litestar.params import FromPath
from litestar.types import ASGIApp

from gateway.http.admin import shapes, views
from gateway.http.admin.bodies import read_body
from gateway.http.admin.desk import AnyRequest, Desk, context_of
from gateway.http.admin.reply import reply
from gateway.http.admin.requests import KeyRotation, NewKey
from gateway.http.errors import BadInputError
from gateway.store.errors import StoreUnavailableError
from tenants.keys import SCOPES
from tenants.releases import keyrings


@get("/tenants/{tenant_id:str}/keys")
async def keys(request: AnyRequest, tenant_id: FromPath[str]) -> ASGIApp:
    """A tenant's keys, dead ones too, and when each was last used."""
    desk = Desk.of(request)
    found = await desk.read(lambda objects: keyrings.keys(objects, tenant_id))
    used = await desk.uses.last(context_of(request, tenant_id))
    now = desk.clock()
    return reply(shapes.KeyList(data=[views.key(each, now, used.get(each.id)) for each in found]))


@post("/tenants/{tenant_id:str}/keys", status_code=201)
async def issue(request: AnyRequest, tenant_id: FromPath[str]) -> ASGIApp:
    """Issue a key, and tell it this once."""
    desk, asked = Desk.of(request), await read_body(request, NewKey)
    return reply(await issued(desk, request, tenant_id, asked), 201)


@post("/tenants/{tenant_id:str}/keys/{key_id:str}/rotate", status_code=201)
async def rotate(request: AnyRequest, tenant_id: FromPath[str], key_id: FromPath[str]) -> ASGIApp:
    """Issue a key of the same scopes, and tell it this once; the old one dies after the overlap."""
    desk, asked = Desk.of(request), await read_body(request, KeyRotation)
    require_future(desk, asked.expires_at)
    intent = desk.intent(request, asked.note)
    made = await desk.change(
        tenant_id,
        intent,
        "keys.rotate",
        lambda objects: keyrings.rotate(
            objects,
            tenant_id,
            key_id,
            intent,
            overlap_seconds=asked.overlap_seconds,
            expires_at=asked.expires_at,
        ),
    )
    return reply(views.issued_key(made, desk.clock()), 201)


@delete("/tenants/{tenant_id:str}/keys/{key_id:str}", status_code=200)
async def revoke(request: AnyRequest, tenant_id: FromPath[str], key_id: FromPath[str]) -> ASGIApp:
    """End a key and the sessions that it issued, for good."""
    desk = Desk.of(request)
    intent = desk.intent(request)
    revoked = await desk.change(
        tenant_id,
        intent,
        "keys.revoke",
        lambda objects: keyrings.revoke(objects, tenant_id, key_id, intent),
    )
    used: dict[str, int] = {}
    with suppress(StoreUnavailableError):  # It is revoked, whether or not its last use is known.
        used = await desk.uses.last(context_of(request, tenant_id))
    return reply(views.key(revoked, desk.clock(), used.get(key_id)))


async def issued(
    desk: Desk, request: AnyRequest, tenant_id: str, asked: NewKey
) -> shapes.IssuedKey:
    """Issue a key.

    Raises:
        BadInputError: it would be dead already.
        ReleasesError: see ``keyrings.issue``.
    """
    require_future(desk, asked.expires_at)
    intent = desk.intent(request, asked.note)
    scopes = [scope for scope in SCOPES if scope in asked.scope.split()]
    made = await desk.change(
        tenant_id,
        intent,
        "keys.issue",
        lambda objects: keyrings.issue(
            objects, tenant_id, scopes, intent, expires_at=asked.expires_at
        ),
    )
    return views.issued_key(made, desk.clock())


def require_future(desk: Desk, expires_at: int | None) -> None:
    """Let nobody have a key that is dead already.

    Raises:
        BadInputError: it would be.
    """
    if expires_at is not None and expires_at <= desk.clock():
        raise BadInputError.of("expires_at", "This must be in the future.")
