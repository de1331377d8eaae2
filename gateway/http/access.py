"""The one door: every route of a tenant passes it, over HTTP, SSE and WebSocket alike."""

import re

import attrs
import structlog
from litestar.types import Scope

from gateway.http.entrance import entrance
from gateway.http.errors import TenantMismatchError, TenantRequiredError
from tenants.compiled import CompiledTenant
from tenants.context import TenantContext
from tenants.errors import UnknownTenantError
from tenants.ports import Registry

_TENANT_ID = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")


@attrs.frozen
class Visit:
    """Somebody who passed the door."""

    tenant: CompiledTenant
    context: TenantContext


class Door:
    """Resolves the tenant of a request, and says who may pass.

    Credentials are checked here once tenants have keys; until then the settings refuse to
    demand them.

    Args:
        default_tenant: of requests that name none.
    """

    def __init__(self, registry: Registry, default_tenant: str | None) -> None:
        self._registry = registry
        self._default = default_tenant

    async def enter(self, scope: Scope) -> Visit:
        """Let a request in.

        Raises:
            UnknownTenantError: outside the grammar, unknown, suspended.
            TenantMismatchError: it names two tenants.
            TenantRequiredError: it names none, and there is no default.
            TenantUnavailableError: no good revision of it can be had now.
        """
        found = entrance(scope)
        tenant_id = self._named(found.tenants)
        tenant = self._registry.cached(tenant_id) or await self._registry.load(tenant_id)
        structlog.contextvars.bind_contextvars(tenant_id=tenant_id)
        return Visit(tenant, TenantContext(tenant_id, found.correlation_id))

    def _named(self, tenants: tuple[str, ...]) -> str:
        for tenant_id in tenants:
            if _TENANT_ID.fullmatch(tenant_id) is None:
                raise UnknownTenantError(tenant_id)
        if len(set(tenants)) > 1:
            raise TenantMismatchError
        if tenants:
            return tenants[0]
        if self._default is None:
            raise TenantRequiredError
        return self._default


def origin_allowed(visit: Visit, origin: str | None, host: str | None) -> bool:
    """Whether a browser's page of this ``Origin`` may open a WebSocket.

    Browsers open WebSockets across origins without asking, so a page that is neither the
    gateway's own nor listed by the tenant is refused (RFC 6455, section 10.2). Programs send none.
    """
    if origin is None:
        return True
    return origin in visit.tenant.allowed_origins or origin.partition("://")[2] == host
