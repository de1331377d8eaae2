"""Routes of the process itself, which belong to no tenant, and a tenant's front door."""

from collections.abc import Callable, Mapping
from typing import Any

import attrs
import msgspec
from litestar import Request, get
from litestar.types import ASGIApp

from gateway.http.door.door import Visit
from gateway.http.entrance import entrance
from gateway.http.listeners import operators_only
from gateway.http.reply import JSON, Reply
from gateway.http.surface import Surface
from gateway.pages.html import HTML, Access, chat_page, headers

AnyRequest = Request[Any, Any, Any]


@attrs.frozen
class Health:
    """What the process knows of itself.

    Args:
        checks: by name, each says whether its part can take traffic; never names a tenant.
        metrics: renders the metrics in Prometheus' text format.
    """

    checks: Mapping[str, Callable[[], bool]]
    metrics: Callable[[], bytes]

    @classmethod
    def of(cls, request: AnyRequest) -> "Health":
        """Of the application that serves this request."""
        health: Health = request.app.state.health
        return health


@get("/health", sync_to_thread=False)
def health() -> dict[str, str]:
    """The process is alive."""
    return {"status": "ok"}


@get("/ready", sync_to_thread=False)
def ready(request: AnyRequest) -> ASGIApp:
    """Whether the process may take traffic; a broken tenant does not change it."""
    checks = {name: check() for name, check in Health.of(request).checks.items()}
    body = {
        "status": "ready" if all(checks.values()) else "not ready",
        "checks": {name: "ok" if good else "failed" for name, good in checks.items()},
    }
    return Reply(200 if all(checks.values()) else 503, msgspec.json.encode(body), JSON)


@get("/metrics", sync_to_thread=False, guards=[operators_only])
def metrics(request: AnyRequest) -> ASGIApp:
    """Metrics in Prometheus' text format."""
    content_type = "text/plain; version=0.0.4; charset=utf-8"
    return Reply(200, Health.of(request).metrics(), content_type)


@get("/")
async def front(request: AnyRequest) -> ASGIApp:
    """The tenant's chat page for browsers; for programs, that the tenant is served."""
    visit = await Surface.of(request).door.enter(request.scope, None)
    if request.accept.best_match([JSON, "text/html"], JSON) != "text/html":
        return Reply(200, msgspec.json.encode(_greeting(visit)), JSON, {"Vary": "Accept"})
    tenant, path = visit.tenant, entrance(request.scope).path
    page = chat_page(tenant.display_name, tenant.default.initial_message, path, _access(visit))
    return Reply(200, page, HTML, headers(tenant.allowed_origins))


def _access(visit: Visit) -> Access:
    """How the chat page gets in."""
    if visit.grant.source != "nobody":
        return "open"
    return "public" if visit.tenant.public_chat else "token"


def _greeting(visit: Visit) -> dict[str, str]:
    return {
        "message": f"{visit.tenant.display_name} is ready to chat.",
        "tenant_id": visit.tenant.tenant_id,
        "assistant_id": visit.tenant.default.id,
    }
