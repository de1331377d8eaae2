"""Connections that stay open, looked at again and again: a credential may die while they are."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager
from typing import TypeAlias, TypeVar

import attrs
import structlog

from gateway.http.door.door import Visit
from gateway.http.door.repeating import repeated
from gateway.http.errors import CredentialRefusedError
from tenants.errors import UnknownTenantError

_log = structlog.get_logger(__name__)
_AT_ONCE = 500  # others have their turn in between
_PATIENCE_SECONDS = 1.0

_Answer = TypeVar("_Answer")
End: TypeAlias = Callable[[Exception], Awaitable[None]]
"""Closes a connection, for this reason; soon, whether its client reads or not."""


@attrs.define(eq=False)
class _Connection:
    visit: Visit
    end: End
    is_open: bool = True


class OpenConnections:
    """Ends the connections whose credential or tenant is gone; their runs go on.

    Args:
        renewed: see ``Door.renewed``.
        seconds: between two looks at all of them.
    """

    def __init__(self, renewed: Callable[[Visit], Awaitable[Visit]], seconds: float = 2) -> None:
        self._renewed = renewed
        self._seconds = seconds
        self._open: set[_Connection] = set()
        self._looks = 0

    @contextlib.contextmanager
    def watching(self, visit: Visit, end: End) -> Iterator[None]:
        """Look at a connection for as long as this is entered.

        Args:
            visit: whose it is.
            end: called once.
        """
        connection = _Connection(visit, end)
        self._open.add(connection)
        try:
            yield
        finally:
            connection.is_open = False
            self._open.discard(connection)

    async def unless_ended(self, visit: Visit, answer: Awaitable[_Answer]) -> _Answer:
        """Wait for an answer on a connection that is looked at meanwhile.

        Args:
            visit: whose it is.
            answer: given up, without harm to whoever makes it, when the connection ends before.

        Raises:
            CredentialRefusedError: the credential died.
            UnknownTenantError: the tenant is gone.
        """
        waiting = asyncio.current_task()
        reasons: list[Exception] = []

        async def end(reason: Exception) -> None:
            reasons.append(reason)
            if waiting is not None:
                waiting.cancel()

        with self.watching(visit, end):
            try:
                return await answer
            except asyncio.CancelledError:
                if not reasons or waiting is None:
                    raise
                waiting.uncancel()
                raise reasons[0] from None

    def followed(self) -> AbstractAsyncContextManager[None]:
        """Look at all of them every few seconds while this is entered."""
        return repeated(self.sweep, self._seconds, "open_connections_not_swept")

    async def sweep(self) -> None:
        """Look at all of them once; a tenant that cannot be had soon is left for the next time."""
        ending: list[Awaitable[None]] = []
        for tenant_id, connections in self._by_tenant().items():
            try:
                async with asyncio.timeout(_PATIENCE_SECONDS):
                    await self._look(connections, ending)
            except Exception as error:  # noqa: BLE001 - the others are looked at all the same
                _log.warning("connections_not_looked_at", tenant_id=tenant_id, exc_info=error)
        await asyncio.gather(*ending)

    def _by_tenant(self) -> dict[str, list[_Connection]]:
        found: dict[str, list[_Connection]] = {}
        for connection in self._open:
            found.setdefault(connection.visit.tenant.tenant_id, []).append(connection)
        return found

    async def _look(
        self, connections: Sequence[_Connection], ending: list[Awaitable[None]]
    ) -> None:
        for connection in connections:
            self._looks += 1
            if self._looks % _AT_ONCE == 0:
                await asyncio.sleep(0)
            try:
                connection.visit = await self._renewed(connection.visit)
            except (CredentialRefusedError, UnknownTenantError) as error:
                self._open.discard(connection)
                ending.append(_ended(connection, error))


async def _ended(connection: _Connection, error: Exception) -> None:
    if not connection.is_open:  # it was closed meanwhile
        return
    try:
        await connection.end(error)
    except Exception:  # noqa: BLE001 - the others must end too
        _log.exception("connection_not_ended", tenant_id=connection.visit.tenant.tenant_id)
