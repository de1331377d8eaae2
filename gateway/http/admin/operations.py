"""What the document of the operator's API says of each route."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias

import msgspec

from gateway.http.admin import shapes
from gateway.http.admin.requests import (
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
from gateway.http.reply import JSON

Described: TypeAlias = dict[str, Any]

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
    name: str,
    summary: str,
    answers: Mapping[int, Described],
    *problems: int,
    parameters: tuple[Described, ...] = (),
    always: tuple[int, ...] = _ALWAYS,
) -> Described:
    """One operation; its path's parameters and its tag are added to it."""
    refused = {
        str(status): {"$ref": f"#/components/responses/{status}"}
        for status in sorted({*always, *problems})
    }
    return {
        "operationId": name,
        "summary": summary,
        "parameters": [*parameters],
        "responses": {str(status): answer for status, answer in answers.items()} | refused,
    }


def _read(
    name: str, summary: str, shape: type, *problems: int, query: type | None = None
) -> Described:
    """An operation that changes nothing."""
    parameters = () if query is None else tuple(_query(query))
    faults = () if query is None else (400,)
    answers = {200: _answer(shape)}
    return _operation(name, summary, answers, *faults, *problems, parameters=parameters)


def _change(
    name: str,
    summary: str,
    answers: Mapping[int, type],
    *problems: int,
    body: type | None = None,
    required: bool = False,
) -> Described:
    """An operation that the audit tells of, which takes the name of who asks."""
    described = {status: _answer(shape) for status, shape in answers.items()}
    faults = (400,) if body is None else (400, 413, 415)
    operation = _operation(name, summary, described, *faults, *problems, parameters=(_USER,))
    if body is not None:
        operation["requestBody"] = {"required": required, "content": _content(body)}
    return operation


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


def _placed(path: str, operation: Described) -> Described:
    """An operation with what its path says of it."""
    named = [
        {"name": name, "in": "path", "required": True, "schema": _PARAMETERS[name]}
        for name in re.findall(r"{(\w+)}", path)
    ]
    parameters = [*named, *operation["parameters"]]
    return {"tags": [_tag(path)], **operation, "parameters": parameters}


def _tag(path: str) -> str:
    """What the documentation has a route under."""
    part = path.removeprefix(_TENANT).split("/")[1:2]
    match part:
        case ["revisions" | "rollback" | "diff" | "audit"]:
            return "revisions"
        case ["keys" | "health" as tag]:
            return tag
        case ["openapi.json"]:
            return "health"
        case _:
            return "tenants"


_OPERATIONS: Mapping[str, Mapping[str, Described]] = {
    "/tenants": {
        "get": _read("list_tenants", "List tenants", shapes.TenantPage, query=TenantQuery),
        "post": _change(
            "create_tenant",
            "Create a tenant",
            {200: shapes.Created, 201: shapes.Created},
            409,
            body=NewTenant,
            required=True,
        ),
    },
    _TENANT: {
        "get": _read("get_tenant", "Show a tenant", shapes.Tenant, 404),
        "delete": _change(
            "delete_tenant",
            "Delete a tenant and all its data",
            {200: shapes.TenantDeleted},
            *(404, 409),
        ),
    },
    f"{_TENANT}/suspend": {
        "post": _change(
            "suspend_tenant",
            "Switch a tenant off",
            {200: shapes.Changed},
            *(404, 409),
            body=Noted,
        )
    },
    f"{_TENANT}/resume": {
        "post": _change(
            "resume_tenant",
            "Switch a tenant on",
            {200: shapes.Changed},
            *(404, 409),
            body=Noted,
        )
    },
    f"{_TENANT}/data": {
        "delete": _change(
            "delete_tenant_data",
            "Delete a tenant's threads, runs and whatever else is stored of it, also of one that "
            "the registry holds no more",
            {200: shapes.DataDeleted},
            404,
        )
    },
    f"{_TENANT}/revisions": {
        "get": _read(
            "list_revisions", "List a tenant's revisions", shapes.RevisionList, *(404, 409)
        ),
        "post": _change(
            "publish_revision",
            "Publish a revision; 200 where nothing changes, or for a dry run",
            {200: shapes.Published, 201: shapes.Published},
            *(404, 409),
            body=NewRevision,
            required=True,
        ),
    },
    f"{_TENANT}/revisions/{{number}}": {
        "get": _read("get_revision", "Read a revision's files", shapes.RevisionFiles, *(404, 409))
    },
    f"{_TENANT}/rollback": {
        "post": _change(
            "rollback_tenant",
            "Put an earlier revision in force",
            {200: shapes.Changed},
            *(404, 409),
            body=Rollback,
        )
    },
    f"{_TENANT}/diff": {
        "get": _read(
            "compare_revisions",
            "Compare two revisions",
            shapes.Diff,
            *(404, 409),
            query=DiffQuery,
        )
    },
    f"{_TENANT}/audit": {
        "get": _read("list_audit", "See who did what", shapes.AuditPage, 404, query=AuditQuery)
    },
    f"{_TENANT}/keys": {
        "get": _read("list_keys", "List a tenant's keys", shapes.KeyList, *(404, 409)),
        "post": _change(
            "issue_key",
            "Issue a key; it is told this once",
            {201: shapes.IssuedKey},
            *(404, 409),
            body=NewKey,
        ),
    },
    f"{_TENANT}/keys/{{key_id}}/rotate": {
        "post": _change(
            "rotate_key",
            "Issue a key in another one's place; it is told this once",
            {201: shapes.IssuedKey},
            *(404, 409),
            body=KeyRotation,
        )
    },
    f"{_TENANT}/keys/{{key_id}}": {
        "delete": _change("revoke_key", "Revoke a key", {200: shapes.KeyFacts}, *(404, 409))
    },
    f"{_TENANT}/health": {
        "get": _read(
            "get_tenant_health", "See how a tenant stands in this process", shapes.TenantHealth, 404
        )
    },
    "/health": {"get": _read("get_health", "See how the process stands", shapes.Health)},
    "/openapi.json": {
        "get": _operation(
            "get_document",
            "Read this document",
            {200: {"description": "It.", "content": {JSON: {"schema": {"type": "object"}}}}},
            always=(401, 405, 429),
        )
    },
}
PATHS: Mapping[str, Mapping[str, Described]] = {
    path: {method: _placed(path, operation) for method, operation in item.items()}
    for path, item in _OPERATIONS.items()
}
