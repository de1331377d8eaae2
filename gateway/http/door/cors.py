"""Cross-origin requests (WHATWG Fetch, section 3.2), by each tenant's ``allowed_origins``.

In the layer around the routes, so that errors and unknown routes are readable too. Nothing is ever
allowed to all origins, and nothing with cookies, which the gateway does not know.
"""

import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeAlias

from gateway.http.entrance import entrance, header
from gateway.http.errors import OriginNotAllowedError
from gateway.http.problems import problem_of, problem_reply
from gateway.http.reply import Reply
from tenants.compiled import CompiledTenant

Headers: TypeAlias = tuple[tuple[bytes, bytes], ...]

VARY: Headers = ((b"vary", b"Origin"),)
_EXPOSED = b"X-Correlation-ID, Retry-After, WWW-Authenticate, RateLimit, RateLimit-Policy"
_METHODS = "DELETE, GET, HEAD, PATCH, POST, PUT"
_MAX_AGE_SECONDS = "600"
_NAMES = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+(\s*,\s*[A-Za-z0-9!#$%&'*+.^_`|~-]+)*")


class Cors:
    """What browsers are told.

    Args:
        tenant: finds the tenant of a request, whoever asks; see ``Door.tenant``.
    """

    def __init__(self, tenant: Callable[[Any], Awaitable[CompiledTenant]]) -> None:
        self._tenant = tenant

    async def headers(self, scope: Mapping[str, Any]) -> Headers:
        """What an answer carries, whatever it is."""
        origin = entrance(scope).origin
        if origin is None:
            return VARY
        try:
            allowed = origin in (await self._tenant(scope)).allowed_origins
        except Exception:  # noqa: BLE001 - the route meets it too, and answers it
            allowed = False
        return _allowing(origin) if allowed else VARY

    async def preflight(self, scope: Any) -> Reply | None:  # noqa: ANN401 - an ASGI scope
        """The answer to a browser that asks what it may send; None where this is no such question.

        It comes without credentials, and its headers do not come with it: the tenant is the path's,
        or the default.
        """
        if scope["method"] != "OPTIONS" or entrance(scope).origin is None:
            return None
        if header(scope, b"access-control-request-method") is None:
            return None
        try:
            tenant = await self._tenant(scope)
        except Exception as error:  # noqa: BLE001 - it is the browser's answer
            return problem_reply(problem_of(error), scope)
        if entrance(scope).origin not in tenant.allowed_origins:
            return problem_reply(problem_of(OriginNotAllowedError()), scope)
        return Reply(204, headers=_permissions(header(scope, b"access-control-request-headers")))


def _permissions(asked: str | None) -> dict[str, str]:
    headers = {
        "Access-Control-Allow-Methods": _METHODS,
        "Access-Control-Max-Age": _MAX_AGE_SECONDS,
    }
    if asked is not None and _NAMES.fullmatch(asked.strip()):
        headers["Access-Control-Allow-Headers"] = asked.strip()  # SDKs send many of their own
    return headers


def _allowing(origin: str) -> Headers:
    return (
        *VARY,
        (b"access-control-allow-origin", origin.encode("latin-1")),
        (b"access-control-expose-headers", _EXPOSED),
    )
