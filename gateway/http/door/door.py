"""The one door: every route of a tenant passes it, over HTTP, SSE and WebSocket alike."""

import re

import attrs
import structlog
from litestar.types import Scope

from gateway.http.door.attempts import Attempts, client_network
from gateway.http.door.checking import Checker
from gateway.http.door.credentials import Presented, presented
from gateway.http.door.grants import Grant
from gateway.http.door.origins import origin_allowed
from gateway.http.entrance import entrance
from gateway.http.errors import (
    CredentialRefusedError,
    InsufficientScopeError,
    OriginNotAllowedError,
    TenantMismatchError,
    TenantRequiredError,
)
from tenants import keys
from tenants.compiled import CompiledTenant
from tenants.context import TenantContext
from tenants.errors import TenantUnavailableError, UnknownTenantError
from tenants.ports import Registry

_TENANT_ID = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")


@attrs.frozen
class Visit:
    """Somebody who passed the door."""

    tenant: CompiledTenant
    context: TenantContext
    grant: Grant


class Door:
    """Resolves the tenant of a request, checks its credential, and says who may pass.

    Args:
        default_tenant: of requests that name none.
        checker: judges credentials.
        attempts: counts those that were refused, by the client's address.
    """

    def __init__(
        self,
        registry: Registry,
        default_tenant: str | None,
        checker: Checker,
        attempts: Attempts | None = None,
    ) -> None:
        self._registry = registry
        self._default = default_tenant
        self._checker = checker
        self._attempts = attempts or Attempts()

    async def enter(self, scope: Scope, needs: keys.Scope | None) -> Visit:
        """Let a request in.

        Args:
            scope: of the connection.
            needs: what its credential must open; None: it needs none, but a wrong one is refused.

        Raises:
            UnknownTenantError: outside the grammar, unknown, suspended.
            TenantMismatchError: it names two tenants.
            TenantRequiredError: it names none, and there is no default.
            TenantUnavailableError: no good revision of it can be had now.
            SeveralCredentialsError: it has two different credentials.
            CredentialRefusedError: it has no credential that opens this tenant.
            TooManyAttemptsError: as before, and many such came from its address.
            IssuerUnavailableError: its token cannot be checked now.
            InsufficientScopeError: its credential does not open this route.
            OriginNotAllowedError: it comes from a page that may not ask.
        """
        credentials = presented(scope)
        tenant = await self._named(scope, credentials)
        structlog.contextvars.bind_contextvars(tenant_id=tenant.tenant_id)
        grant = await self._granted(scope, tenant, credentials)
        if needs is not None:
            _require(grant, needs)
        _require_origin(scope, tenant, grant)
        context = TenantContext(
            tenant.tenant_id, entrance(scope).correlation_id, grant.user, grant.thread_id
        )
        return Visit(tenant, context, grant)

    async def tenant(self, scope: Scope) -> CompiledTenant:
        """The tenant of a request, whoever asks; raises as ``enter`` does."""
        return await self._named(scope, presented(scope))

    async def renewed(self, visit: Visit) -> Visit:
        """Somebody who passed before, with the tenant as it is now.

        Raises:
            UnknownTenantError: the tenant is gone, or suspended.
            CredentialRefusedError: the credential has expired or was revoked.
        """
        tenant_id = visit.tenant.tenant_id
        try:
            tenant = self._registry.cached(tenant_id) or await self._registry.load(tenant_id)
        except TenantUnavailableError:
            tenant = visit.tenant  # What was known goes on while the registry is away.
        if not visit.grant.stands(tenant, self._checker.clock()):
            raise CredentialRefusedError
        return visit if tenant is visit.tenant else attrs.evolve(visit, tenant=tenant)

    async def _named(self, scope: Scope, credentials: Presented) -> CompiledTenant:
        tenant_id = self._name(entrance(scope).tenants, credentials)
        return self._registry.cached(tenant_id) or await self._registry.load(tenant_id)

    def _name(self, tenants: tuple[str, ...], credentials: Presented) -> str:
        for tenant_id in tenants:
            if _TENANT_ID.fullmatch(tenant_id) is None:
                raise UnknownTenantError(tenant_id)
        if len(set(tenants)) > 1:
            raise TenantMismatchError
        if tenants:
            return tenants[0]
        named = self._checker.tenant_of(credentials) or self._default
        if named is None:
            raise TenantRequiredError
        return named

    async def _granted(self, scope: Scope, tenant: CompiledTenant, credentials: Presented) -> Grant:
        """What the credentials open; refused ones are counted, and never a good one."""
        try:
            return await self._checker.check(tenant, credentials)
        except CredentialRefusedError:
            self._attempts.count(client_network(scope))
            raise


def _require_origin(scope: Scope, tenant: CompiledTenant, grant: Grant) -> None:
    origin = entrance(scope).origin
    elsewhere = grant.origin is not None and origin is not None and origin != grant.origin
    if elsewhere or not origin_allowed(scope, tenant):
        raise OriginNotAllowedError


def _require(grant: Grant, needs: keys.Scope) -> None:
    if grant.source == "nobody":
        raise CredentialRefusedError
    if needs not in grant.scopes:
        raise InsufficientScopeError(needs)
