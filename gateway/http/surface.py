"""What the routes of a tenant work with."""

import hashlib
import time
from functools import partial
from typing import Any

import attrs
from litestar import Request
from litestar.connection import ASGIConnection

from gateway.http.door.door import Door, Visit
from gateway.http.door.open_connections import OpenConnections
from gateway.http.ends import Ends
from gateway.http.entrance import header
from gateway.http.errors import BadInputError, ThreadBoundError
from gateway.http.event_stream import Client, EventStream, StreamOptions
from gateway.http.ports import StreamMetrics
from gateway.http.wire import ChatRequest, is_id
from gateway.runs.live import TurnRequest
from gateway.runs.orchestrator import Joined, Orchestrator
from gateway.store.errors import NotFoundError
from gateway.store.model import Key
from gateway.store.ports import Store

_MAX_KEY = 255


@attrs.frozen
class Surface:
    """The door, and what is behind it."""

    door: Door
    orchestrator: Orchestrator
    store: Store
    metrics: StreamMetrics
    streams: StreamOptions
    connections: OpenConnections
    ends: Ends = attrs.field(factory=Ends)

    @classmethod
    def of(cls, connection: "ASGIConnection[Any, Any, Any, Any]") -> "Surface":
        """Of the application that serves this connection."""
        surface: Surface = connection.app.state.surface
        return surface

    async def say(
        self, visit: Visit, chat: ChatRequest, surface: str, *, stream: bool, key: Key | None = None
    ) -> Joined:
        """Start or join the run that answers a message; see ``Orchestrator.start``."""
        if chat.thread_id is not None and not is_id(chat.thread_id):
            raise NotFoundError("thread", chat.thread_id)
        if chat.thread_id is None:
            require_new_thread(visit)
        request = TurnRequest(chat.message, chat.thread_id, stream, surface, key)
        return await self.orchestrator.start(visit.tenant, visit.context, request)

    async def find(self, visit: Visit, run_id: str) -> Joined:
        """A run to follow; see ``Orchestrator.find``."""
        if not is_id(run_id):
            raise NotFoundError("run", run_id)
        return await self.orchestrator.find(visit.context, run_id)

    def events(self, visit: Visit, joined: Joined, after: int = 0) -> EventStream:
        """A run over Server-Sent Events."""

        def left(whole: bool) -> None:  # noqa: FBT001 - a callback with one argument
            self.orchestrator.left(visit.context, joined, whole=whole)

        watching = partial(self.connections.watching, visit)
        return EventStream(joined, after, self.streams, self.metrics, Client(watching, left))


def require_new_thread(visit: Visit) -> None:
    """Let somebody start a thread.

    Raises:
        ThreadBoundError: their session is for one that is there already.
    """
    if visit.context.thread_id is not None:
        raise ThreadBoundError


def idempotency_key(request: "Request[Any, Any, Any]", visit: Visit, body: bytes) -> Key | None:
    """The request's ``Idempotency-Key``, if it has one.

    Raises:
        BadInputError: it is longer than what is kept.
    """
    key = header(request.scope, b"idempotency-key")
    if not key:
        return None
    if len(key) > _MAX_KEY:
        raise BadInputError.of("Idempotency-Key", f"This must have at most {_MAX_KEY} characters.")
    return Key(scope=visit.grant.fingerprint, key=key, body=hashlib.sha256(body).hexdigest())


def now() -> int:
    """Unix time in seconds."""
    return int(time.time())
