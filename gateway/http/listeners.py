"""Which routes answer at which port: the operator's never beside the tenants' in production."""

from collections.abc import Mapping
from typing import Any

import attrs
from litestar.connection import ASGIConnection
from litestar.exceptions import NotFoundException
from litestar.handlers.base import BaseRouteHandler

from gateway.http.entrance import entrance

_INTERNAL = frozenset({"/health", "/ready", "/metrics", "/schema/openapi.json"})
ADMIN = "/admin"


@attrs.frozen
class Listeners:
    """The ports that the process listens on.

    Args:
        internal_port: where the operator's routes answer, and nothing of tenants does; None: one
            port has everything.
    """

    internal_port: int | None = None

    def is_internal(self, scope: Mapping[str, Any]) -> bool:
        """Whether a connection came in at the operator's port, by the socket that took it."""
        if self.internal_port is None:
            return False
        server = scope.get("server")
        return server is not None and server[1] == self.internal_port

    def shows_operators(self, scope: Mapping[str, Any]) -> bool:
        """Whether the operator's routes exist for a connection."""
        return self.internal_port is None or self.is_internal(scope)

    def serves(self, scope: Mapping[str, Any]) -> bool:
        """Whether there can be a route for a connection's path, its tenant's prefix taken off."""
        if self.internal_port is None:
            return True
        path = scope["path"]
        of_operators = path.lstrip("/").partition("/")[0] == ADMIN.removeprefix("/")
        if self.is_internal(scope):
            return of_operators or path in _INTERNAL
        return not of_operators


def operators_only(connection: "ASGIConnection[Any, Any, Any, Any]", _: BaseRouteHandler) -> None:
    """Guard of a route that is the operator's.

    Raises:
        NotFoundException: it does not exist on the port that was asked.
    """
    if not entrance(connection.scope).operators:
        raise NotFoundException
