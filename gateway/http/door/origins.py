"""Web pages of which origins may ask: those that the tenant lists, and the gateway's own."""

from collections.abc import Mapping
from typing import Any

from gateway.http.entrance import entrance, header
from tenants.compiled import CompiledTenant


def origin_allowed(scope: Mapping[str, Any], tenant: CompiledTenant) -> bool:
    """Whether the page that asks, if it is one, may.

    Browsers open WebSockets across origins without asking first, and send simple requests, so a
    page that is neither the gateway's own nor listed by the tenant is refused (RFC 6455, section
    10.2). Programs send no ``Origin``.
    """
    origin = entrance(scope).origin
    return origin is None or origin in tenant.allowed_origins or _is_own(scope, origin)


def _is_own(scope: Mapping[str, Any], origin: str) -> bool:
    """Whether a page is the gateway's own; its ``Host`` may have been changed by a proxy."""
    if header(scope, b"sec-fetch-site") == "same-origin":  # no page can set this by itself
        return True
    return origin.partition("://")[2] == header(scope, b"host")
