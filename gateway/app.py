"""The composition root: the one place that names adapters and puts the parts together."""

import secrets
from collections.abc import AsyncIterator, Awaitable
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from typing import Any

import structlog
from litestar import Litestar
from litestar.datastructures import State

from gateway.engines.ports import Credential
from gateway.engines.responses import ResponsesEngine
from gateway.engines.retrying import Retrying
from gateway.engines.transport import Transport
from gateway.http import conversation, pages, service
from gateway.http.admin import routes as admin
from gateway.http.admin.access import OperatorKeys
from gateway.http.admin.desk import Desk
from gateway.http.door import sessions
from gateway.http.door.checking import Checker
from gateway.http.door.cors import Cors
from gateway.http.door.door import Door
from gateway.http.door.key_uses import KeyUses
from gateway.http.door.open_connections import OpenConnections
from gateway.http.door.sessions import Sessions
from gateway.http.event_stream import StreamOptions
from gateway.http.listeners import Listeners
from gateway.http.middleware import Layer
from gateway.http.openapi.document import openapi
from gateway.http.problems import answer_error
from gateway.http.pulse import PulseLimits
from gateway.http.service import Health
from gateway.http.surface import Surface
from gateway.http.websocket import routes as websocket
from gateway.http.wire import MAX_BODY_BYTES
from gateway.identity.end_users import IssuedTokens
from gateway.identity.session_tokens import SignedSessions
from gateway.runs import lifecycle, outcome
from gateway.runs.credentials import Credentials
from gateway.runs.orchestrator import Orchestrator
from gateway.runs.turn import TurnLimits, TurnServices
from gateway.settings import Settings
from gateway.store.sqlite import SqliteStore
from gateway.telemetry.metrics import Metrics
from gateway.tools.process import ProcessExecutor
from tenants.registry.deferred import DeferredObjects
from tenants.registry.opening import open_objects
from tenants.registry.serving import open_registry
from tenants.releases.release import Preparing
from tenants.secrets.opening import open_secrets

_log = structlog.get_logger(__name__)

ROUTES = [
    conversation.start,
    conversation.chat,
    conversation.messages,
    conversation.delete_thread,
    conversation.run,
    conversation.events,
    conversation.cancel,
    websocket.converse,
    sessions.create,
    service.front,
    pages.asset,
    pages.docs,
    service.health,
    service.ready,
    service.metrics,
]


class Gateway:
    """The whole gateway as one ASGI application.

    Args:
        settings: of the process.
        turns: bounds of each run.
        stuck_seconds: how long a client may leave a stream unread.
        internal_port: where the operator's routes answer; None: beside the tenants'.
    """

    def __init__(
        self,
        settings: Settings,
        turns: TurnLimits | None = None,
        stuck_seconds: float = 30,
        internal_port: int | None = None,
    ) -> None:
        self.settings = settings
        self._turns = turns or TurnLimits()
        self._stuck_seconds = stuck_seconds
        self.metrics = Metrics()
        self._store = SqliteStore(settings.store)
        self._registry = open_registry(
            settings.tenants,
            copies=settings.tenants_copies,
            emulator=settings.storage_emulator,
            private_upstreams=settings.private_upstreams,
            inline_tools=settings.inline_tools,
            on_event=self.metrics.tenant_loaded,
        )
        self._secrets = open_secrets(
            settings.secrets, settings.tenant_secrets, settings.secret_manager_emulator
        )
        self._transport = Transport()
        self._executor = ProcessExecutor(on_death=self.metrics.tool_worker_died)
        self._orchestrator = Orchestrator(self._services(settings))
        self._end_users = IssuedTokens(settings.private_upstreams)
        self._sessions = _sessions(settings)
        self._uses = KeyUses(self._store)
        checker = Checker(
            self._sessions, self._end_users, settings.require_keys, on_key=self._uses.note
        )
        self._door = Door(self._registry, settings.default_tenant, checker)
        self._connections = OpenConnections(self._door.renewed)
        self._app = Layer(self._routes(settings), Cors(self._door.tenant), Listeners(internal_port))
        self.metrics.watch_store(self._store.healthy)
        self.metrics.watch_runs(self._orchestrator.working)
        self.metrics.watch_tenants(self._registry.loaded, self._registry.stale_seconds)

    def __call__(self, scope: Any, receive: Any, send: Any) -> Awaitable[None]:  # noqa: ANN401 - ASGI
        """Serve one connection."""
        return self._app(scope, receive, send)

    async def drain(self, grace_seconds: float) -> None:
        """Take no new turns, and wait for those that work; see ``Orchestrator.drain``."""
        await self._orchestrator.drain(grace_seconds)

    def _services(self, settings: Settings) -> TurnServices:
        operator = Credential(settings.openai_base_url, settings.openai_api_key or "")
        return TurnServices(
            engine=ResponsesEngine(
                self._transport, Retrying(on_retry=lambda *_: self.metrics.upstream_retried())
            ),
            executor=self._executor,
            store=self._store,
            credentials=Credentials(self._secrets, operator),
            metrics=self.metrics,
            limits=self._turns,
        )

    def _routes(self, settings: Settings) -> Litestar:
        surface = Surface(
            door=self._door,
            orchestrator=self._orchestrator,
            store=self._store,
            metrics=self.metrics,
            streams=StreamOptions(
                PulseLimits(
                    settings.heartbeat_seconds, settings.max_stream_seconds, self._stuck_seconds
                ),
                settings.retry_ms,
            ),
            connections=self._connections,
        )
        checks = {
            "store": self._store.healthy,
            "serving": lambda: not self._orchestrator.draining,
        }
        return Litestar(
            [*ROUTES, admin.router()] if settings.admin_keys else ROUTES,
            lifespan=[self._living],
            exception_handlers={Exception: answer_error},
            openapi_config=openapi(),
            request_max_body_size=MAX_BODY_BYTES,
            state=State(
                {
                    "surface": surface,
                    "sessions": Sessions(self._sessions),
                    "health": Health(checks, self.metrics.render),
                    "desk": self._desk(settings),
                    "operator_keys": OperatorKeys(settings.admin_keys),
                }
            ),
            logging_config=None,
        )

    def _desk(self, settings: Settings) -> Desk:
        emulator = settings.storage_emulator
        environ = {"STORAGE_EMULATOR_HOST": emulator} if emulator else {}
        return Desk(
            objects=DeferredObjects(partial(open_objects, str(settings.tenants), environ)),
            working_forms=settings.tenants.kind == "dir",
            preparing=Preparing(settings.private_upstreams, settings.inline_tools),
            registry=self._registry,
            secrets=self._secrets,
            store=self._store,
            orchestrator=self._orchestrator,
            uses=self._uses,
        )

    @asynccontextmanager
    async def _living(self, _: Litestar) -> AsyncIterator[None]:
        """Open what the routes need, and close it in the reverse order."""
        async with AsyncExitStack() as stack:
            lost = await self._store.open(lifecycle.event(outcome.lost()).raw)
            stack.push_async_callback(self._store.close)
            if lost:
                _log.warning("runs_lost", count=lost)
            await stack.enter_async_context(self._uses.followed())
            stack.push_async_callback(self._secrets.close)
            await stack.enter_async_context(self._transport)
            stack.push_async_callback(self._executor.close)
            await self._registry.start()
            stack.push_async_callback(self._registry.stop)
            stack.push_async_callback(self._end_users.close)
            await stack.enter_async_context(self._connections.followed())
            stack.push_async_callback(self._orchestrator.drain, 0)
            yield


def _sessions(settings: Settings) -> SignedSessions | None:
    """Session tokens, signed with a secret of this process where development names none."""
    made = () if settings.environment == "production" else (secrets.token_urlsafe(32),)
    signing = settings.session_secrets or made
    return SignedSessions(signing) if signing else None
