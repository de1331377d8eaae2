"""The simulator's ASGI application: an OpenAI-compatible upstream of a few routes.

Plain ASGI, since it is also the upstream of benchmarks.
"""

import os
from collections.abc import Awaitable, Callable
from typing import Any, TypeAlias

import attrs
import msgspec

from gateway.simulator import (
    chat_request,
    chat_wire,
    responses_request,
    responses_wire,
    shelf_routes,
)
from gateway.simulator.answering import answer
from gateway.simulator.conversation import Conversation, Reply
from gateway.simulator.directives import Script
from gateway.simulator.errors import RefusedError, type_of
from gateway.simulator.faults import Faults
from gateway.simulator.playing import Event, Headers, Receive, Send, gone, play_json, play_stream
from gateway.simulator.shelf import LARGEST_FILE_BYTES, Shelf, Shelves
from gateway.simulator.stream import Stream

App: TypeAlias = Callable[[Event, Receive, Send], Awaitable[None]]

MODELS = ("sim-1", "sim-mini", "sim-reasoning")
_LARGEST_BODY_BYTES = LARGEST_FILE_BYTES + 1024 * 1024  # a file's, with its form around it
_MODELS_SINCE = 1_735_689_600  # 2025-01-01, any fixed moment
_JSON = (b"content-type", b"application/json")
_EVENTS = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-cache"),
]
_encode = msgspec.json.Encoder().encode


@attrs.frozen(eq=False)
class _Turn:
    """A request that is to be answered, whichever wire it came over."""

    conversation: Conversation
    streamed: bool
    cache_key: str
    as_json: Callable[[Reply], bytes]
    as_stream: Callable[[Reply], Stream]


@attrs.frozen(eq=False)
class _Memory:
    """What a simulator remembers from one request to the next."""

    faults: Faults = attrs.Factory(Faults)
    shelves: Shelves = attrs.Factory(Shelves)


def create_app() -> App:
    """The simulator as an ASGI application, with a memory of its own of faults and files."""
    memory = _Memory()

    async def app(scope: Event, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        request_id = (b"x-request-id", b"req_" + os.urandom(16).hex().encode())
        try:
            await _route(memory, scope, receive, send, request_id)
        except RefusedError as error:
            await _refuse(error, send, request_id)

    return app


async def _route(
    memory: _Memory, scope: Event, receive: Receive, send: Send, request_id: tuple[bytes, bytes]
) -> None:
    method, path = scope["method"], scope["path"]
    if path == "/health":
        await _send_json(send, {"status": "ok"}, request_id)
        return
    shelf = memory.shelves.of(_authorized(scope))
    reader = _READERS.get(path)
    kept = shelf_routes.find(method, path)
    if kept is not None:
        route, ids = kept
        answer = route(await _asked(shelf, ids, scope, receive))
        await _send_kept(send, answer, request_id)
    elif reader is not None and method == "POST":
        turn = reader(await _body(receive), shelf)
        await _answer(memory.faults, turn, receive, send, request_id)
    elif method == "GET" and path == "/v1/models":
        models = {"object": "list", "data": [_model(name) for name in MODELS]}
        await _send_json(send, models, request_id)
    elif method == "GET" and path.startswith("/v1/models/"):
        await _send_json(send, _model(path.removeprefix("/v1/models/")), request_id)
    elif reader is not None:
        raise RefusedError(405, f"Not allowed to {method} on {path}.", code="method_not_supported")
    else:
        raise RefusedError(404, f"Invalid URL ({method} {path})")


def _authorized(scope: Event) -> str:
    """The API key that a request comes with."""
    given = next((value for name, value in scope["headers"] if name == b"authorization"), b"")
    scheme, _, key = given.partition(b" ")
    if scheme.lower() != b"bearer" or not key.strip():
        raise RefusedError(401, "You didn't provide an API key.", code="invalid_api_key")
    if key.strip() == b"sk-invalid":
        raise RefusedError(401, "Incorrect API key provided: sk-inv*lid.", code="invalid_api_key")
    return key.strip().decode("latin-1")


async def _body(receive: Receive) -> bytes:
    body = bytearray()
    while True:
        event = await receive()
        body += event.get("body", b"")
        if len(body) > _LARGEST_BODY_BYTES:
            raise RefusedError(413, "The request is larger than the simulator takes, 65 MiB.")
        if not event.get("more_body"):
            return bytes(body)


async def _asked(
    shelf: Shelf, ids: tuple[str, ...], scope: Event, receive: Receive
) -> shelf_routes.Asked:
    content_type = next((v for name, v in scope["headers"] if name == b"content-type"), b"")
    query = shelf_routes.query_of(scope.get("query_string", b""))
    return shelf_routes.Asked(
        shelf, ids, query, content_type.decode("latin-1"), await _body(receive)
    )


def _responses_turn(raw: bytes, shelf: Shelf) -> _Turn:
    request = responses_request.read(raw, shelf)
    return _Turn(
        conversation=request.conversation,
        streamed=bool(request.body.stream),
        cache_key=request.body.prompt_cache_key or "",
        as_json=lambda reply: responses_wire.answer(request, reply),
        as_stream=lambda reply: responses_wire.stream(request, reply),
    )


def _chat_turn(raw: bytes, _: Shelf) -> _Turn:
    request = chat_request.read(raw)
    return _Turn(
        conversation=request.conversation,
        streamed=bool(request.body.stream),
        cache_key=request.body.prompt_cache_key or "",
        as_json=lambda reply: chat_wire.answer(request, reply),
        as_stream=lambda reply: chat_wire.stream(request, reply),
    )


_READERS: dict[str, Callable[[bytes, Shelf], _Turn]] = {
    "/v1/responses": _responses_turn,
    "/v1/chat/completions": _chat_turn,
}


async def _answer(
    faults: Faults, turn: _Turn, receive: Receive, send: Send, request_id: tuple[bytes, bytes]
) -> None:
    text = turn.conversation.said[-1].text if turn.conversation.said else ""
    script = faults.due(turn.conversation.script, turn.cache_key, text)
    if script.hang:
        await gone(receive)
        return
    if script.status is not None:
        raise _scripted(script, script.status)
    reply = answer(attrs.evolve(turn.conversation, script=script))
    if turn.streamed:
        stream = turn.as_stream(reply)
        await play_stream(stream, script, [*_EVENTS, request_id], receive, send)
    else:
        await play_json(turn.as_json(reply), script, [_JSON, request_id], receive, send)


def _scripted(script: Script, status: int) -> RefusedError:
    """The HTTP error that a script wants."""
    seconds, milliseconds = script.retry_after, script.retry_after_ms
    asked = (("retry-after", seconds), ("retry-after-ms", milliseconds))
    code = script.code or ("rate_limit_exceeded" if status == 429 else None)  # noqa: PLR2004 -- the one status that always has a code
    return RefusedError(
        status,
        _MESSAGES.get(code or "", "The simulator was asked for this error."),
        "insufficient_quota" if code == "insufficient_quota" else type_of(status),
        code,
        headers=tuple((name, str(value)) for name, value in asked if value is not None),
    )


_MESSAGES = {
    "rate_limit_exceeded": "Rate limit reached for requests. Please try again later.",
    "insufficient_quota": "You exceeded your current quota, please check your plan and billing "
    "details.",
}


def _model(name: str) -> dict[str, Any]:
    """A model; every name is one here."""
    return {
        "id": name,
        "object": "model",
        "created": _MODELS_SINCE,
        "owned_by": "simulator",
    }


async def _refuse(error: RefusedError, send: Send, request_id: tuple[bytes, bytes]) -> None:
    body = {
        "message": error.message,
        "type": error.type,
        "param": error.param,
        "code": error.code,
    }
    headers = [(name.encode(), value.encode()) for name, value in error.headers]
    await _send_json(send, {"error": body}, request_id, error.status, headers)


async def _send_kept(
    send: Send, answer: dict[str, Any] | bytes, request_id: tuple[bytes, bytes]
) -> None:
    """An answer of a file or a vector store; those that are polled say when to come again."""
    if isinstance(answer, bytes):
        headers = [(b"content-type", b"application/octet-stream"), request_id]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": answer})
    else:
        await _send_json(send, answer, request_id, more=[(b"openai-poll-after-ms", b"20")])


async def _send_json(
    send: Send,
    value: dict[str, Any],
    request_id: tuple[bytes, bytes],
    status: int = 200,
    more: Headers | None = None,
) -> None:
    body = _encode(value)
    headers = [_JSON, (b"content-length", b"%d" % len(body)), request_id, *(more or ())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
