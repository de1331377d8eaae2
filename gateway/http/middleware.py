"""The one ASGI layer around the routes: the tenant's prefix, the correlation id, CORS, HEAD.

It runs for every answer, those of unknown routes and wrong methods too, which middleware of the
framework does not (its router answers before them).
"""

import re
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, TypeAlias, cast
from urllib.parse import unquote

import structlog
from litestar.types import Scope

from gateway.entropy import random_hex
from gateway.http.door.cors import Cors, Headers
from gateway.http.entrance import ENTRANCE, Entrance
from gateway.http.listeners import Listeners

RawScope: TypeAlias = MutableMapping[str, Any]
RawMessage: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Any]]
Send: TypeAlias = Callable[[Any], Awaitable[None]]
Application: TypeAlias = Callable[[Any, Any, Any], Awaitable[None]]

_CORRELATION = re.compile(rb"[A-Za-z0-9._-]{1,64}")
_PREFIX = b"/t/"
_CREDENTIALS = frozenset({b"authorization", b"x-api-key"})
_SLASH = re.compile(b"%2f", re.IGNORECASE)
_NOWHERE = "/-"  # A path that no route has, so that it is answered as any such is.
_SERVICE = frozenset({"/", "/health", "/ready", "/metrics", "/docs", "/schema/openapi.json"})


class Layer:
    """Prepares a request's scope for the routes, and marks every answer.

    Args:
        app: the routes, registered once, without a tenant's prefix.
        cors: what browsers are told about tenants' routes.
        listeners: the ports that connections come in at.
    """

    def __init__(self, app: Application, cors: Cors, listeners: Listeners) -> None:
        self._app = app
        self._cors = cors
        self._listeners = listeners

    async def __call__(self, scope: RawScope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        entrance = _entrance(scope, send, operators=self._listeners.shows_operators(scope))
        scope[ENTRANCE] = entrance
        structlog.contextvars.bind_contextvars(correlation_id=entrance.correlation_id)
        if not self._listeners.serves(scope):
            scope["path"], scope["raw_path"] = _NOWHERE, _NOWHERE.encode()
        try:
            if scope["type"] == "websocket":
                await self._app(scope, receive, _marking(send, entrance.correlation_id, ()))
            else:
                await self._answer(scope, receive, send, entrance.correlation_id)
        finally:
            # It leads by ``send`` to what holds the scope: a circle that nobody but the garbage
            # collector would open, with all that the request has left behind.
            del scope[ENTRANCE]

    async def _answer(
        self, scope: RawScope, receive: Receive, send: Send, correlation_id: str
    ) -> None:
        """Answer one request."""
        headers = await self._cors.headers(scope)
        send = _marking(send, correlation_id, headers)
        if (answer := await self._cors.preflight(scope)) is not None:
            await answer(cast("Scope", scope), receive, send)
            return
        if scope["method"] == "HEAD" and scope["path"] in _SERVICE:
            # A copy: the server reads its own scope, and drops the body of a HEAD.
            scope = {**scope, "method": "GET"}
        await self._app(scope, receive, send)


def _entrance(scope: RawScope, send: Send, *, operators: bool) -> Entrance:
    """Read what the door needs, and take the tenant's prefix off the path."""
    correlation, tenants, credentials, origin = b"", [], [], None
    for name, value in scope["headers"]:
        if name == b"x-correlation-id":
            correlation = value
        elif name == b"x-tenant-id":
            tenants.append(value.strip().decode("latin-1"))
        elif name in _CREDENTIALS:
            credentials.append((name, value))
        elif name == b"origin":
            origin = value.decode("latin-1")
    path = scope["raw_path"].partition(b"?")[0].decode("latin-1")
    tenant = _strip_prefix(scope)
    if b"%" in scope["raw_path"]:
        scope["path"] = _decoded(scope["raw_path"])
    if tenant is not None:
        tenants.append(tenant)
    known = _CORRELATION.fullmatch(correlation) is not None
    correlation_id = correlation.decode() if known else random_hex(8)
    return Entrance(
        correlation_id, path, tuple(tenants), send, tuple(credentials), origin, operators
    )


def _strip_prefix(scope: RawScope) -> str | None:
    """Take ``/t/{tenant}`` off the raw path, before any decoding could hide a slash in it."""
    raw: bytes = scope["raw_path"].partition(b"?")[0]
    if not raw.startswith(_PREFIX):
        return None
    tenant, slash, rest = raw[len(_PREFIX) :].partition(b"/")
    scope["raw_path"] = slash + rest or b"/"
    scope["path"] = scope["raw_path"].decode("latin-1")
    return tenant.decode("latin-1")


def _decoded(raw: bytes) -> str:
    """The path as the routes see it; an encoded slash stays encoded, within the id that has it."""
    return unquote(_SLASH.sub(b"%252F", raw.partition(b"?")[0]).decode("latin-1"))


def _marking(send: Send, correlation_id: str, headers: Headers) -> Send:
    marks = (
        (b"x-correlation-id", correlation_id.encode()),
        (b"x-content-type-options", b"nosniff"),
        *headers,
    )

    async def marked(message: RawMessage) -> None:
        if message["type"] in {"http.response.start", "websocket.accept"}:
            message["headers"] = [*message.get("headers", ()), *marks]
        await send(message)

    return marked
