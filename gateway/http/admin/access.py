"""Who may do what operators do: whoever brings one of ``GATEWAY_ADMIN_KEY``."""

import hashlib
import hmac
import re
from collections.abc import Iterable
from typing import Any

from litestar.connection import ASGIConnection
from litestar.exceptions import NotFoundException
from litestar.handlers.base import BaseRouteHandler
from litestar.types import Scope

from gateway.http.door.attempts import Attempts, client_network
from gateway.http.entrance import entrance, header
from gateway.http.errors import BadInputError, OperatorRefusedError
from tenants.errors import UnknownTenantError
from tenants.model import is_tenant_id

_BY = "admin-api"
_USER_HEADER = "X-Admin-User"
_USER = re.compile(r"[A-Za-z0-9@._-]{1,64}")
_PREFIX = "/t/"


class OperatorKeys:
    """The keys that open the operator's API.

    Args:
        keys: each opens all of it.
        attempts: counts wrong ones by the client's address.
    """

    def __init__(self, keys: Iterable[str], attempts: Attempts | None = None) -> None:
        self._digests = tuple(map(_digest, keys))
        self._attempts = attempts or Attempts()

    def require(self, scope: Scope) -> None:
        """Let a request in that brings a key; it costs the same whichever that is.

        Raises:
            OperatorRefusedError: it brings none, or a wrong one.
            TooManyAttemptsError: as before, and many wrong ones came from its address.
        """
        text = _bearer(scope)
        if text is None:
            raise OperatorRefusedError
        digest = _digest(text)
        if not any([hmac.compare_digest(digest, each) for each in self._digests]):  # noqa: C419 - all of them, always
            self._attempts.count(client_network(scope))
            raise OperatorRefusedError


def require_operator(connection: "ASGIConnection[Any, Any, Any, Any]", _: BaseRouteHandler) -> None:
    """Guard of the operator's routes; they are no tenant's, so none is under a tenant's prefix.

    Raises:
        NotFoundException: the path is a tenant's.
        OperatorRefusedError: see ``OperatorKeys.require``.
        TooManyAttemptsError: as before.
    """
    if entrance(connection.scope).path.startswith(_PREFIX):
        raise NotFoundException
    keys: OperatorKeys = connection.app.state.operator_keys
    keys.require(connection.scope)


def require_tenant_id(
    connection: "ASGIConnection[Any, Any, Any, Any]", _: BaseRouteHandler
) -> None:
    """Guard of the routes that name a tenant: nothing else becomes part of an object's name.

    Raises:
        UnknownTenantError: it is not an id.
    """
    tenant_id = connection.path_params.get("tenant_id")
    if tenant_id is not None and not is_tenant_id(tenant_id):
        raise UnknownTenantError(tenant_id)


def author(scope: Scope) -> str:
    """Who the audit says it was: this API, and whom its caller names.

    Raises:
        BadInputError: the caller names nobody who could be meant.
    """
    user = header(scope, _USER_HEADER.lower().encode())
    if user is None:
        return _BY
    if _USER.fullmatch(user) is None:
        message = "This must be 1 to 64 letters, digits and `@`, `.`, `_`, `-`."
        raise BadInputError.of(_USER_HEADER, message)
    return f"{_BY}:{user}"


def _bearer(scope: Scope) -> str | None:
    """No other scheme: a browser keeps a password and sends it with any page's request."""
    for name, value in entrance(scope).credentials:
        scheme, _, rest = value.decode("latin-1").strip().partition(" ")
        if name == b"authorization" and scheme.lower() == "bearer":
            return rest.strip()
    return None


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()
