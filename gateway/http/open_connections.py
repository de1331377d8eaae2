"""Connections that stay open, looked at again and again: a credential may die while they are."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

import attrs
import structlog

from gateway.http.access import Visit
from gateway.http.errors import CredentialRefusedError
from tenants.errors import UnknownTenantError

_log = structlog.get_logger(__name__)
_AT_ONCE = 500  # others have their turn in between
_LAST_WORDS_SECONDS = 1.0

End = Callable[[Exception], Awaitable[None]]
"""Closes a connection, for this reason."""


@attrs.define(eq=False)
class _Connection:
    visit: Visit
    end: End


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

    @contextlib.contextmanager
    def watching(self, visit: Visit, end: End) -> Iterator[None]:
        """Look at a connection for as long as this is entered.

        Args:
            visit: whose it is; what came without a credential is left alone.
            end: called once.
        """
        if visit.grant.source == "open" and visit.grant.user is None:
            yield
            return
        connection = _Connection(visit, end)
        self._open.add(connection)
        try:
            yield
        finally:
            self._open.discard(connection)

    @contextlib.asynccontextmanager
    async def followed(self) -> AsyncIterator[None]:
        """Look at all of them every few seconds while this is entered."""
        following = asyncio.create_task(self._follow())
        try:
            yield
        finally:
            following.cancel()
            await asyncio.wait([following])

    async def _follow(self) -> None:
        while True:
            await asyncio.sleep(self._seconds)
            try:
                await self.sweep()
            except Exception:  # noqa: BLE001 - the next look must come
                _log.exception("open_connections_not_swept")

    async def sweep(self) -> None:
        """Look at all of them once."""
        ending: list[Awaitable[None]] = []
        for number, connection in enumerate(list(self._open)):
            if number % _AT_ONCE == _AT_ONCE - 1:
                await asyncio.sleep(0)
            try:
                connection.visit = await self._renewed(connection.visit)
            except (CredentialRefusedError, UnknownTenantError) as error:
                self._open.discard(connection)
                ending.append(_ended(connection, error))
        await asyncio.gather(*ending)


async def _ended(connection: _Connection, error: Exception) -> None:
    try:
        async with asyncio.timeout(_LAST_WORDS_SECONDS):
            await connection.end(error)
    except Exception:  # noqa: BLE001 - the others must end too
        _log.exception("connection_not_ended", tenant_id=connection.visit.tenant.tenant_id)
