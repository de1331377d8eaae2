"""Every route of the API as its document describes it: what it takes, and all that it answers."""

from collections.abc import Mapping
from typing import Any, TypeAlias

from gateway.http.openapi import examples
from gateway.http.openapi.shapes import SCHEMAS

Described: TypeAlias = dict[str, Any]

_EVENTS = """\
A run's events in the vocabulary of OpenAI's Assistants API v2, each as `{"event", "data"}`: \
`thread.run.created`, `.queued`, `.in_progress`, then steps and messages, then exactly one of \
`thread.run.completed`, `.failed`, `.incomplete`, `.cancelled`, `.expired`, then `metadata`, which \
is flat. An event's id is the run's id and a number that counts from 1 without gaps, the same at \
every replay. In silence the line `: keepalive` comes. A stream that ends before the run's end was \
cut: take it up with `GET /runs/{run_id}/events`."""


def _json(shape: str, description: str, example: object = None) -> Described:
    media: Described = {"schema": {"$ref": f"#/components/schemas/{shape}"}}
    if example is not None:
        media["example"] = example
    return {
        "description": description,
        "headers": _HEADERS,
        "content": {"application/json": media},
    }


def _text(media_type: str, description: str) -> Described:
    content = {media_type: {"schema": {"type": "string"}}}
    return {"description": description, "headers": _HEADERS, "content": content}


def _body(shape: str, example: object, *, required: bool) -> Described:
    media = {"schema": {"$ref": f"#/components/schemas/{shape}"}, "example": example}
    return {"required": required, "content": {"application/json": media}}


_HEADERS = {"X-Correlation-ID": {"$ref": "#/components/headers/X-Correlation-ID"}}
_PROBLEMS: Mapping[int, tuple[str, str, str]] = {
    400: ("invalid-input", "Bad input, all of it at once; or no tenant is named, or two are", ""),
    401: ("unauthorized", "There is no credential that opens this tenant", "WWW-Authenticate"),
    403: (
        "insufficient-scope",
        "The credential does not open this route, or the page's origin is not allowed",
        "",
    ),
    404: ("unknown-thread", "There is no such tenant, thread, run or message here", ""),
    405: ("method-not-allowed", "The route has no such method; `Allow` says which it has", "Allow"),
    409: ("thread-busy", "What is asked for is not possible now; `run_id` names the run", ""),
    410: ("events-expired", "The run's events are kept no longer; its messages are", ""),
    413: ("body-too-large", "The body has more than 1 MiB", ""),
    415: ("unsupported-media-type", "The body is not declared as JSON", ""),
    422: ("idempotency-mismatch", "The `Idempotency-Key` was used for another body", ""),
    429: (
        "too-many-attempts",
        "Too many wrong credentials came from this address; or the model's provider is busy",
        "Retry-After",
    ),
    501: ("sessions-off", "The gateway's operator has not set this up", ""),
    502: ("upstream-unavailable", "The model's provider failed", ""),
    503: ("store-unavailable", "The gateway cannot take this now", "Retry-After"),
    504: ("upstream-timeout", "The model's provider took too long, or the run did", ""),
}


def _problem(status: int) -> Described:
    slug, description, header = _PROBLEMS[status]
    example = {
        "type": f"urn:agw:{slug}",
        "title": description.partition(";")[0].replace("`", ""),
        "status": status,
        "detail": f"{description.partition(';')[0]}.".replace("`", ""),
        "instance": "/t/acme/chat",
        "correlation_id": "42f759aeda8c098d",
    }
    schema = {"$ref": "#/components/schemas/Problem"}
    headers = _HEADERS | ({header: {"$ref": f"#/components/headers/{header}"}} if header else {})
    return {
        "description": f"{description}.",
        "headers": headers,
        "content": {"application/problem+json": {"schema": schema, "example": example}},
    }


def _header(name: str, description: str, **schema: Any) -> Described:  # noqa: ANN401 - JSON Schema
    return {
        "name": name,
        "in": "header",
        "description": description,
        "schema": {"type": "string", **schema},
    }


def _query(name: str, description: str, **schema: Any) -> Described:  # noqa: ANN401 - JSON Schema
    return {"name": name, "in": "query", "description": description, "schema": schema}


def _id(name: str, example: str) -> Described:
    return {
        "name": name,
        "in": "path",
        "required": True,
        "schema": {"type": "string", "minLength": 1},
        "example": example,
    }


_TENANT = [{"$ref": "#/components/parameters/tenant"}]
_CORRELATION = [{"$ref": "#/components/parameters/correlation"}]
_THREAD_ID = _id("thread_id", "thread_fb92669833174f60a5dadeac")
_RUN_ID = _id("run_id", "run_8d30483d075b931d1c0713b2")
# None at all, where the gateway does not require keys.
_SECURITY: list[dict[str, list[str]]] = [{}, {"bearer": []}, {"key": []}, {"password": []}]
_OF_A_TENANT = (400, 401, 403, 404, 405, 429, 503)


def _operation(  # noqa: PLR0913 - an operation has so many parts
    tag: str,
    summary: str,
    answers: Mapping[int, Described],
    *problems: int,
    parameters: tuple[Described, ...] = (),
    description: str = "",
    body: Described | None = None,
) -> Described:
    """One operation; those of a tenant get what all of those share."""
    shared = _OF_A_TENANT if tag == "conversation" else (405,)
    named = _TENANT if tag == "conversation" else []
    refused = {
        str(status): {"$ref": f"#/components/responses/{status}"}
        for status in sorted({*shared, *problems} - {*answers})
    }
    operation: Described = {
        "tags": [tag],
        "summary": summary,
        "parameters": [*parameters, *named, *_CORRELATION],
        "responses": {str(status): answer for status, answer in answers.items()} | refused,
    }
    if tag == "conversation":
        operation["security"] = _SECURITY
    if description:
        operation["description"] = description
    if body is not None:
        operation["requestBody"] = body
    return operation


_FOLLOWED: Described = {
    "description": _EVENTS,
    "headers": _HEADERS,
    "content": {
        "text/event-stream": {
            "schema": {"$ref": "#/components/schemas/StreamEvent"},
            "example": examples.EVENT,
        }
    },
}
_START = _json("ThreadStarted", "The new thread.", examples.STARTED)
_CHAT = _json(
    "ChatAnswer", "The answer, whole or, where `status` says so, incomplete.", examples.ANSWERED
)
_CHAT["content"] |= _FOLLOWED["content"]
_CHAT["description"] += f" Or, as it is made: {_EVENTS[0].lower()}{_EVENTS[1:]}"

PATHS: Mapping[str, Mapping[str, Described]] = {
    "/start": {
        "get": _operation("conversation", "Start a thread", {200: _START}),
        "post": _operation(
            "conversation",
            "Start a thread with metadata",
            {200: _START},
            413,
            415,
            body=_body("StartRequest", {"metadata": {"channel": "web"}}, required=False),
        ),
    },
    "/chat": {
        "post": _operation(
            "conversation",
            "Say something",
            {200: _CHAT},
            *(409, 413, 415, 422, 502, 504),
            parameters=(
                _header(
                    "Accept",
                    "Where it names `text/event-stream`, the answer is a stream; else JSON, once "
                    "the run has ended.",
                    examples=["text/event-stream"],
                ),
                _header(
                    "Idempotency-Key",
                    "The same key with the same body gives the same run again for 24 hours.",
                ),
            ),
            description="A run answers the message and outlives the connection: it can be followed "
            "by `GET /runs/{run_id}/events` and ended by `POST /runs/{run_id}/cancel`. One run at "
            "a time works on a thread; the same message again joins it, another one gets 409.\n\n"
            "What fails before the run exists is answered as a problem and leaves nothing on the "
            "thread. From then on a stream tells it by its last events, and a JSON answer by a "
            "problem with `run_id`, `thread_id` and `run_status`.",
            body=_body(
                "ChatRequest",
                {"thread_id": "new", "message": "What is the weather in Paris?"},
                required=True,
            ),
        )
    },
    "/threads/{thread_id}/messages": {
        "get": _operation(
            "conversation",
            "List a thread's messages",
            {200: _json("MessagePage", "A page of them.", examples.PAGE)},
            parameters=(
                _THREAD_ID,
                _query("limit", "How many.", type="integer", minimum=1, maximum=100, default=20),
                _query("order", "By creation.", enum=["asc", "desc"], default="desc"),
                _query("after", "The id that the page follows, in this order.", type="string"),
                _query("before", "The id that the page precedes, in this order.", type="string"),
            ),
        )
    },
    "/threads/{thread_id}": {
        "delete": _operation(
            "conversation",
            "Delete a thread",
            {200: _json("ThreadDeleted", "Nothing of it is left.", examples.DELETED)},
            409,
            parameters=(_THREAD_ID,),
        )
    },
    "/runs/{run_id}": {
        "get": _operation(
            "conversation",
            "See how a run stands",
            {200: _json("RunState", "The run.", examples.RUN)},
            parameters=(_RUN_ID,),
        )
    },
    "/runs/{run_id}/events": {
        "get": _operation(
            "conversation",
            "Follow a run",
            {
                200: _FOLLOWED,
                204: {
                    "description": "The run has ended, and the client has seen its last event.",
                    "headers": _HEADERS,
                },
            },
            410,
            parameters=(
                _RUN_ID,
                _header("Last-Event-ID", "The id of the last event that was seen, or its number."),
                _query("after", "The same, for clients that set no headers.", type="string"),
            ),
        )
    },
    "/runs/{run_id}/cancel": {
        "post": _operation(
            "conversation",
            "End a run",
            {202: _json("RunState", "It will end as `cancelled`.", examples.CANCELLING)},
            409,
            parameters=(_RUN_ID,),
        )
    },
    "/sessions": {
        "post": _operation(
            "conversation",
            "Start a session of an end user",
            {201: _json("SessionStarted", "A token for the user's browser.", examples.SESSION)},
            *(413, 415, 501),
            description="Called by the tenant's own server with an API key of the scope `chat`, "
            "which hands the token on to its user's browser. The token reaches only the threads "
            "and runs of its user, or the one thread that it is bound to, and dies with the key. "
            "It rides as a bearer, and as `?token=` on `/ws/chat`, `/stream` and "
            "`/runs/{run_id}/events`.\n\nWhere the tenant's chat is public, anybody may ask "
            "without a credential and without a `user`; the session is then a new, anonymous "
            "user's.",
            body=_body("SessionRequest", {"user": "ada", "ttl_seconds": 900}, required=False),
        )
    },
    "/": {
        "get": _operation(
            "conversation",
            "See that the tenant is served",
            {
                200: {
                    "description": "For browsers the tenant's chat page; for programs, JSON.",
                    "headers": _HEADERS,
                    "content": {
                        "application/json": {"schema": {"$ref": "#/components/schemas/Served"}},
                        "text/html": {"schema": {"type": "string"}},
                    },
                }
            },
        )
    },
    "/health": {
        "get": _operation(
            "service", "See that the process is alive", {200: _json("Alive", "It is.")}
        )
    },
    "/ready": {
        "get": _operation(
            "service",
            "See whether the process may take traffic",
            {200: _json("Readiness", "It may."), 503: _json("Readiness", "It may not.")},
        )
    },
    "/metrics": {
        "get": _operation("service", "Read metrics", {200: _text("text/plain", "For Prometheus.")})
    },
    "/docs": {
        "get": _operation("service", "Read this as a page", {200: _text("text/html", "The page.")})
    },
}

COMPONENTS: Mapping[str, Any] = {
    "schemas": SCHEMAS,
    "responses": {str(status): _problem(status) for status in _PROBLEMS},
    "headers": {
        "X-Correlation-ID": {
            "description": "The id under which the request is logged.",
            "required": True,
            "schema": {"type": "string"},
        },
        "Retry-After": {
            "description": "When to ask again, in seconds, where that is known.",
            "schema": {"type": "integer", "minimum": 1},
        },
        "WWW-Authenticate": {
            "description": "How to say who asks (RFC 6750).",
            "required": True,
            "schema": {"type": "string"},
        },
        "Allow": {
            "description": "The methods that the route has.",
            "required": True,
            "schema": {"type": "string"},
        },
    },
    "securitySchemes": {
        "bearer": {
            "type": "http",
            "scheme": "bearer",
            "description": "An API key (`agw_…`), a session token (`ags_…`), or an end user's own "
            "token of the tenant's identity provider.",
        },
        "key": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
        "password": {
            "type": "http",
            "scheme": "basic",
            "description": "With the API key as password, as `http://x:KEY@host` sends it.",
        },
    },
    "parameters": {
        "tenant": _header(
            "X-Tenant-ID",
            "The tenant, where neither the path nor the gateway's default names it.",
            pattern="^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$",
        ),
        "correlation": _header(
            "X-Correlation-ID",
            "An id of the client's own for logs: up to 64 of `A-Za-z0-9._-`; made where absent.",
        ),
    },
}
