"""The API's OpenAPI document, at ``/schema/openapi.json``.

The document is written by hand, since handlers read raw bodies and answer in several media types,
of which their signatures say nothing. A test holds it against the routes and their real answers.
"""

from importlib.metadata import version
from typing import Any

import msgspec
from litestar import Request, Response, Router
from litestar.enums import OpenAPIMediaType
from litestar.exceptions import NotFoundException
from litestar.openapi import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin
from litestar.openapi.spec import License, Server, ServerVariable, Tag

from gateway.http.openapi.routes import COMPONENTS, PATHS

_DESCRIPTION = """\
Conversations with a tenant's assistant. Every route of a tenant exists under `/t/{tenant}` and at \
the root, where the header `X-Tenant-ID` or the gateway's default names the tenant. Errors are \
problem documents (RFC 9457), and every answer carries `X-Correlation-ID`.

The same conversation runs over a WebSocket at `/ws/chat` (and `/stream`), several turns on one \
connection. In: `{"thread_id"?, "message"}`, `{"type": "cancel"}`, \
`{"type": "resume", "run_id", "after"}`, `{"type": "ping"}`. Out: `{"event", "id", "data"}` for \
each event, with the same ids and in the same order as over Server-Sent Events; \
`{"event": "pong"}`; and `{"event": "error", "error", "error_code", …}` for a frame that cannot \
be used, after which the connection stays open. Between `thread.run.cancelled`, `.incomplete` or \
`.expired` and `metadata` comes an `error` without an id. Close codes: 4401 credential refused or \
no longer good, 4404 unknown tenant, 1008 origin or scope not allowed, 1009 too large, 1011 fault, \
1012 going away."""


class _Document(JsonRenderPlugin):
    """Renders the document; what Litestar made of the handlers' signatures is not used."""

    def render(
        self,
        request: "Request[Any, Any, Any]",  # noqa: ARG002 - the plugin's signature
        openapi_schema: dict[str, Any],
    ) -> bytes:
        return msgspec.json.encode({**openapi_schema, "paths": PATHS, "components": COMPONENTS})


def _as_problem(response: "Response[Any]") -> "Response[Any]":
    """Let paths beside the document be answered as everywhere, not by Litestar's own page."""
    if response.status_code == NotFoundException.status_code:
        raise NotFoundException
    return response


def openapi() -> OpenAPIConfig:
    """How Litestar serves the document."""
    tenant = ServerVariable(default="acme", description="The tenant's id.")
    return OpenAPIConfig(
        title="Assistant gateway",
        version=version("assistant-gateway"),
        description=_DESCRIPTION,
        license=License(name="Apache-2.0", identifier="Apache-2.0"),
        servers=[
            Server(url="/", description="The tenant of `X-Tenant-ID`, or the default."),
            Server(url="/t/{tenant}", description="One tenant.", variables={"tenant": tenant}),
        ],
        tags=[
            Tag(name="conversation", description="What end users' clients call."),
            Tag(name="service", description="What operators call; no tenant."),
        ],
        render_plugins=[_Document(media_type=OpenAPIMediaType.OPENAPI_JSON)],
        openapi_router=Router(
            "/schema", route_handlers=[], include_in_schema=False, after_request=_as_problem
        ),
    )
