"""The OpenAPI document of the operator's API, at ``/admin/api/openapi.json``."""

import re
from collections.abc import Iterator, Mapping
from importlib.metadata import version
from typing import Any, TypeAlias

import msgspec
from litestar import get
from litestar.types import ASGIApp

from gateway.http.admin import shapes
from gateway.http.admin.requests import (
    REQUESTS,
    AuditQuery,
    DiffQuery,
    KeyRotation,
    NewKey,
    NewRevision,
    NewTenant,
    Noted,
    Rollback,
    TenantQuery,
)
from gateway.http.reply import JSON, Reply

Described: TypeAlias = dict[str, Any]

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
_ALWAYS = (401, 405, 429, 503)
_TENANT = "/tenants/{tenant_id}"
_PARAMETERS: Mapping[str, Described] = {
    "tenant_id": {"type": "string", "pattern": r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$"},
    "number": {"type": "integer", "minimum": 1},
    "key_id": {"type": "string", "pattern": "^key_[0-9A-Za-z]+$"},
}
_USER: Described = {
    "name": "X-Admin-User",
    "in": "header",
    "description": "Who asks, for the audit.",
    "schema": {"type": "string", "pattern": "^[A-Za-z0-9@._-]{1,64}$"},
}


def _operation(
    summary: str,
    answers: Mapping[int, type],
    *problems: int,
    body: type | None = None,
    required: bool = False,
    query: type | None = None,
) -> Described:
    """One operation; its path's parameters are added to it."""
    changes = {413, 415, 400} if body is not None else set()
    refused = {*_ALWAYS, *problems, *changes, *({400} if query is not None else ())}
    operation: Described = {
        "summary": summary,
        "parameters": [*_query(query)] if query is not None else [],
        "responses": {
            **{str(status): _answer(shape) for status, shape in answers.items()},
            **{
                str(status): {"$ref": f"#/components/responses/{status}"}
                for status in sorted(refused)
            },
        },
    }
    if body is not None:
        operation["requestBody"] = {"required": required, "content": _content(body)}
    return operation


def _writing(operation: Described) -> Described:
    """An operation that the audit tells of, which takes the name of who asks."""
    refused = operation["responses"] | {"400": {"$ref": "#/components/responses/400"}}
    parameters = [*operation["parameters"], _USER]
    return {**operation, "parameters": parameters, "responses": dict(sorted(refused.items()))}


def _answer(shape: type) -> Described:
    said = (shape.__doc__ or "").strip()
    headers = {"X-Correlation-ID": {"$ref": "#/components/headers/X-Correlation-ID"}}
    return {"description": said, "headers": headers, "content": _content(shape)}


def _content(shape: type) -> Described:
    return {JSON: {"schema": {"$ref": f"#/components/schemas/{shape.__name__}"}}}


def _query(shape: type) -> Iterator[Described]:
    """The parameters of a query, from the fields of its shape."""
    (schema,) = msgspec.json.schema_components([shape])[1].values()
    for name, said in schema["properties"].items():
        yield {"name": name, "in": "query", "description": _said(said), "schema": said}


def _said(schema: Described) -> str:
    """What a field's schema says of it, that of the one kind beside null too."""
    kinds = [schema, *schema.get("anyOf", ())]
    return next((each["description"] for each in kinds if "description" in each), "")


def _with_parameters(path: str, item: Mapping[str, Described]) -> Described:
    named = [
        {"name": name, "in": "path", "required": True, "schema": _PARAMETERS[name]}
        for name in re.findall(r"{(\w+)}", path)
    ]
    return {
        method: {**operation, "parameters": [*named, *operation["parameters"]]}
        for method, operation in item.items()
    }


_OPERATIONS: Mapping[str, Mapping[str, Described]] = {
    "/tenants": {
        "get": _operation("List tenants", {200: shapes.TenantPage}, query=TenantQuery),
        "post": _writing(
            _operation(
                "Create a tenant",
                {200: shapes.Created, 201: shapes.Created},
                409,
                body=NewTenant,
                required=True,
            )
        ),
    },
    _TENANT: {
        "get": _operation("Show a tenant", {200: shapes.Tenant}, 404),
        "delete": _writing(
            _operation("Delete a tenant and all its data", {200: shapes.TenantDeleted}, 404, 409)
        ),
    },
    f"{_TENANT}/suspend": {
        "post": _writing(
            _operation("Switch a tenant off", {200: shapes.Changed}, 404, 409, body=Noted)
        )
    },
    f"{_TENANT}/resume": {
        "post": _writing(
            _operation("Switch a tenant on", {200: shapes.Changed}, 404, 409, body=Noted)
        )
    },
    f"{_TENANT}/data": {
        "delete": _writing(
            _operation(
                "Delete a tenant's threads, runs and whatever else is stored of it, also of one "
                "that the registry holds no more",
                {200: shapes.DataDeleted},
                404,
            )
        )
    },
    f"{_TENANT}/revisions": {
        "get": _operation("List a tenant's revisions", {200: shapes.RevisionList}, 404, 409),
        "post": _writing(
            _operation(
                "Publish a revision; 200 where nothing changes, or for a dry run",
                {200: shapes.Published, 201: shapes.Published},
                404,
                409,
                body=NewRevision,
                required=True,
            )
        ),
    },
    f"{_TENANT}/revisions/{{number}}": {
        "get": _operation("Read a revision's files", {200: shapes.RevisionFiles}, 404, 409)
    },
    f"{_TENANT}/rollback": {
        "post": _writing(
            _operation(
                "Put an earlier revision in force",
                {200: shapes.Changed},
                404,
                409,
                body=Rollback,
            )
        )
    },
    f"{_TENANT}/diff": {
        "get": _operation("Compare two revisions", {200: shapes.Diff}, 404, 409, query=DiffQuery)
    },
    f"{_TENANT}/audit": {
        "get": _operation("See who did what", {200: shapes.AuditPage}, 404, query=AuditQuery)
    },
    f"{_TENANT}/keys": {
        "get": _operation("List a tenant's keys", {200: shapes.KeyList}, 404, 409),
        "post": _writing(
            _operation(
                "Issue a key; it is told this once",
                {201: shapes.IssuedKey},
                404,
                409,
                body=NewKey,
            )
        ),
    },
    f"{_TENANT}/keys/{{key_id}}/rotate": {
        "post": _writing(
            _operation(
                "Issue a key in another one's place; it is told this once",
                {201: shapes.IssuedKey},
                404,
                409,
                body=KeyRotation,
            )
        )
    },
    f"{_TENANT}/keys/{{key_id}}": {
        "delete": _writing(_operation("Revoke a key", {200: shapes.KeyFacts}, 404, 409))
    },
    f"{_TENANT}/health": {
        "get": _operation(
            "See how a tenant stands in this process", {200: shapes.TenantHealth}, 404
        )
    },
    "/health": {"get": _operation("See how the process stands", {200: shapes.Health})},
    "/openapi.json": {
        "get": {
            **_operation("Read this document", {}),
            "responses": {
                "200": {"description": "It.", "content": {JSON: {"schema": {"type": "object"}}}},
                **{
                    str(each): {"$ref": f"#/components/responses/{each}"}
                    for each in (401, 405, 429)
                },
            },
        }
    },
}
PATHS: Mapping[str, Described] = {
    path: _with_parameters(path, item) for path, item in _OPERATIONS.items()
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
_DOCUMENT: Mapping[str, Any] = {
    "openapi": "3.1.0",
    "info": {
        "title": "Assistant gateway: the operator's API",
        "version": version("assistant-gateway"),
        "description": _DESCRIPTION,
        "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
    },
    "servers": [{"url": "/admin/api"}],
    "security": [{"operator": []}],
    "paths": PATHS,
    "components": COMPONENTS,
}


@get("/openapi.json")
async def document() -> ASGIApp:
    """The document, for whoever has the key."""
    return Reply(200, msgspec.json.encode(_DOCUMENT), JSON)
