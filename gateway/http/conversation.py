"""The conversation routes over HTTP: start, chat, messages, runs."""

from typing import Any

import msgspec
from litestar import MediaType, Request, Response, delete, get, post, route
from litestar.enums import HttpMethod
from litestar.params import FromPath
from litestar.types import ASGIApp

from gateway.http import wire
from gateway.http.answers import chat_answer, run_object
from gateway.http.body import whole_body
from gateway.http.entrance import entrance, header
from gateway.http.errors import RunUnsuccessfulError
from gateway.http.reply import JSON, Reply
from gateway.http.surface import Surface, idempotency_key, now, require_new_thread
from gateway.runs.ids import new_id
from gateway.runs.projections.messages import message_page
from gateway.store.errors import NotFoundError
from gateway.store.model import Thread

AnyRequest = Request[Any, Any, Any]


@route("/start", http_method=[HttpMethod.GET, HttpMethod.POST], status_code=200)
async def start(request: AnyRequest) -> dict[str, str]:
    """Start a thread, and say how the assistant greets."""
    surface = Surface.of(request)
    visit = await surface.door.enter(request.scope, "chat")
    metadata = wire.read_start(await whole_body(request), header(request.scope, b"content-type"))
    visit = await surface.door.renewed(visit)  # A body may be long in coming.
    require_new_thread(visit)
    thread = Thread(new_id("thread"), now(), metadata, visit.context.user)
    await surface.orchestrator.create_thread(visit.context, thread)
    return {
        "thread_id": thread.id,
        "initial_message": visit.tenant.default.initial_message,
        "correlation_id": visit.context.correlation_id,
    }


@post("/chat", status_code=200)
async def chat(request: AnyRequest) -> ASGIApp:
    """Say something; the answer is JSON, or a stream where ``Accept`` names one."""
    surface = Surface.of(request)
    visit = await surface.door.enter(request.scope, "chat")
    body = await whole_body(request)
    visit = await surface.door.renewed(visit)  # A body may be long in coming.
    said = wire.read_chat(wire.read_json(body, header(request.scope, b"content-type")))
    stream = wire.accepts_events(header(request.scope, b"accept"))
    key = idempotency_key(request, visit, body)
    saying = surface.say(visit, said, "sse" if stream else "json", stream=stream, key=key)
    joined = await surface.connections.unless_ended(visit, saying)
    if stream:
        return surface.events(visit, joined)
    ending, items = await surface.connections.unless_ended(visit, joined.ended())
    surface.orchestrator.left(visit.context, joined, whole=not entrance(request.scope).gone)
    if ending.status not in {"completed", "incomplete"}:
        raise RunUnsuccessfulError(joined.head, ending)
    answer = chat_answer(joined.head, ending, items, visit.context.correlation_id)
    return Reply(200, msgspec.json.encode(answer), JSON)


@get("/threads/{thread_id:str}/messages")
async def messages(request: AnyRequest, thread_id: FromPath[str]) -> Response[bytes]:
    """A page of a thread's messages."""
    surface = Surface.of(request)
    visit = await surface.door.enter(request.scope, "history")
    page = wire.read_page(request.query_params)
    if not wire.is_id(thread_id):
        raise NotFoundError("thread", thread_id)
    items, more = await surface.store.messages(visit.context, thread_id, page)
    body = message_page(items, thread_id, has_more=more)
    return Response(body, media_type=MediaType.JSON)


@delete("/threads/{thread_id:str}", status_code=200)
async def delete_thread(request: AnyRequest, thread_id: FromPath[str]) -> dict[str, Any]:
    """Delete a thread and everything of it."""
    surface = Surface.of(request)
    visit = await surface.door.enter(request.scope, "history")
    if not wire.is_id(thread_id):
        raise NotFoundError("thread", thread_id)
    await surface.orchestrator.delete_thread(visit.context, thread_id)
    return {"id": thread_id, "object": "thread.deleted", "deleted": True}


@get("/runs/{run_id:str}")
async def run(request: AnyRequest, run_id: FromPath[str]) -> dict[str, Any]:
    """How a run stands."""
    surface = Surface.of(request)
    visit = await surface.door.enter(request.scope, "chat")
    if not wire.is_id(run_id):
        raise NotFoundError("run", run_id)
    stored, ending = await surface.orchestrator.status(visit.context, run_id)
    return run_object(stored, ending)


@get("/runs/{run_id:str}/events")
async def events(request: AnyRequest, run_id: FromPath[str]) -> ASGIApp:
    """A run's events after the last one that the client has, live to the end."""
    surface = Surface.of(request)
    visit = await surface.door.enter(request.scope, "chat")
    last = header(request.scope, b"last-event-id") or request.query_params.get("after")
    joined = await surface.find(visit, run_id)
    after = wire.read_after(run_id, last)
    if joined.log.closed and surface.ends.told(joined, after):
        return Reply(204)
    return surface.events(visit, joined, after)


@post("/runs/{run_id:str}/cancel", status_code=202)
async def cancel(request: AnyRequest, run_id: FromPath[str]) -> dict[str, Any]:
    """Ask a run to end."""
    surface = Surface.of(request)
    visit = await surface.door.enter(request.scope, "chat")
    if not wire.is_id(run_id):
        raise NotFoundError("run", run_id)
    stored = await surface.orchestrator.cancel(visit.context, run_id)
    return {**run_object(stored, None), "status": "cancelling"}
