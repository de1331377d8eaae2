"""The OpenAPI document of the operator's API, at ``/admin/api/openapi.json``."""

from collections.abc import Mapping
from importlib.metadata import version
from typing import Any

import msgspec
from litestar import get
from litestar.types import ASGIApp

from gateway.http.admin import shapes
from gateway.http.admin.operations import PATHS, Described
from gateway.http.admin.requests import REQUESTS
from gateway.http.reply import JSON, Reply

_DESCRIPTION = """\
What operators do with tenants, for a console and for automation. The bearer is one of the \
gateway's `GATEWAY_ADMIN_KEY`; in production these routes answer on the operator's port alone. \
Changes are made in the registry: every replica serves them within 10 seconds. `X-Admin-User` says \
in the audit who asked. Errors are problem documents (RFC 9457), all faults of an input at once."""
_PROBLEMS: Mapping[int, str] = {
    400: "Bad input: all of it at once",
    401: "No key of the operator's came with it",
    404: "There is no such tenant, revision, key or entry",
    405: "The route has no such method",
    409: "It is not possible as the tenant is now; `revision` and `by` say what won",
    413: "The body has more than 32 MiB",
    415: "The body is not declared as JSON",
    429: "Too many wrong keys came from this address",
    503: "The registry or the store cannot take this now",
}


def _problem(status: int, description: str) -> Described:
    further = {401: "WWW-Authenticate", 405: "Allow", 429: "Retry-After", 503: "Retry-After"}
    names = ["X-Correlation-ID", *([further[status]] if status in further else [])]
    return {
        "description": f"{description}.",
        "headers": {name: {"$ref": f"#/components/headers/{name}"} for name in names},
        "content": {
            "application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}
        },
    }


COMPONENTS: Mapping[str, Any] = {
    "schemas": msgspec.json.schema_components(
        (*REQUESTS, *shapes.ANSWERS), ref_template="#/components/schemas/{name}"
    )[1],
    "responses": {str(status): _problem(status, said) for status, said in _PROBLEMS.items()},
    "headers": {
        name: {"description": said, "required": True, "schema": {"type": "string"}}
        for name, said in {
            "X-Correlation-ID": "The id under which the request is logged.",
            "WWW-Authenticate": "How to say who asks (RFC 6750).",
            "Allow": "The methods that the route has.",
            "Retry-After": "When to ask again, in seconds.",
        }.items()
    },
    "securitySchemes": {"operator": {"type": "http", "scheme": "bearer"}},
}
DOCUMENT: Mapping[str, Any] = {
    "openapi": "3.1.0",
    "info": {
        "title": "Assistant gateway: the operator's API",
        "version": version("assistant-gateway"),
        "description": _DESCRIPTION,
        "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
    },
    "servers": [{"url": "/admin/api"}],
    "security": [{"operator": []}],
    "tags": [
        {"name": "tenants", "description": "What is served, and until when."},
        {"name": "revisions", "description": "What is in force, and who put it there."},
        {"name": "keys", "description": "What opens a tenant."},
        {"name": "health", "description": "How the process and its tenants stand."},
    ],
    "paths": PATHS,
    "components": COMPONENTS,
}


@get("/openapi.json")
async def document() -> ASGIApp:
    """The document, for whoever has the key."""
    return Reply(200, msgspec.json.encode(DOCUMENT), JSON)
