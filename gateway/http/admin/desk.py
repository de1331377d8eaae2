"""What the operator's routes work with."""

import time
from collections.abc import Callable
from typing import Any, TypeVar

import attrs
import structlog
from litestar import Request

from gateway.http.admin.access import author
from gateway.http.door.key_uses import KeyUses
from gateway.http.entrance import entrance
from gateway.runs.orchestrator import Orchestrator
from gateway.store.ports import Store
from tenants.context import TenantContext
from tenants.errors import UnknownTenantError
from tenants.ports import Registry, SecretStore
from tenants.registry import layout
from tenants.registry.objects import Objects
from tenants.releases.pointers import Intent, in_working_form
from tenants.releases.release import Preparing
from tenants.threads import Threads, WorkRaisedError

_AT_ONCE = 4
_log = structlog.get_logger(__name__)
AnyRequest = Request[Any, Any, Any]
T = TypeVar("T")


@attrs.frozen
class Desk:
    """The registry as it is written, and this process as it serves.

    Args:
        objects: the registry, whatever this process has in memory of it.
        working_forms: whether it may hold tenants in working form.
        preparing: how files are judged.
        registry: what this process serves.
        uses: of keys.
        threads: for what blocks.
        clock: Unix time in seconds.
    """

    objects: Objects
    working_forms: bool
    preparing: Preparing
    registry: Registry
    secrets: SecretStore
    store: Store
    orchestrator: Orchestrator
    uses: KeyUses
    threads: Threads = attrs.field(factory=lambda: Threads(_AT_ONCE))
    clock: Callable[[], float] = time.time

    @classmethod
    def of(cls, request: AnyRequest) -> "Desk":
        """Of the application that serves this request."""
        desk: Desk = request.app.state.desk
        return desk

    async def read(self, work: Callable[[Objects], T]) -> T:
        """Do something with the registry, on a thread; raises what it raises."""
        try:
            return await self.threads.run(lambda: work(self.objects))
        except WorkRaisedError as raised:
            raise raised.error from None

    async def change(
        self, tenant_id: str, intent: Intent, what: str, work: Callable[[Objects], T]
    ) -> T:
        """As ``read``; and the log says who did what, if there was something to do."""
        result = await self.read(work)
        if result:
            _log.info("operator_changed", tenant_id=tenant_id, what=what, by=intent.by)
        return result

    def intent(self, request: AnyRequest, note: str = "") -> Intent:
        """Who asks, now.

        Raises:
            BadInputError: the request names an impossible author.
        """
        return Intent(author(request.scope), int(self.clock()), note)


def context_of(request: AnyRequest, tenant_id: str) -> TenantContext:
    """All of a tenant, for its operator."""
    return TenantContext(tenant_id, entrance(request.scope).correlation_id)


def is_there(objects: Objects, tenant_id: str) -> bool:
    """Whether the registry holds a tenant, in whatever state: a broken pointer is one too.

    Raises:
        ObjectsUnavailableError: the registry cannot be read.
    """
    pointer = objects.read(layout.pointer(tenant_id))
    return pointer is not None or in_working_form(objects, tenant_id)


def require_there(objects: Objects, tenant_id: str) -> None:
    """Go on where the registry holds a tenant.

    Raises:
        UnknownTenantError: it does not.
        ObjectsUnavailableError: as ``is_there``.
    """
    if not is_there(objects, tenant_id):
        raise UnknownTenantError(tenant_id)
