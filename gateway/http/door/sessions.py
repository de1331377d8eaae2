"""``POST /sessions``: short-lived tokens for browsers."""

import secrets
import time
from collections.abc import Callable, Mapping
from typing import Any

import attrs
import msgspec
from litestar import Request, post
from litestar.types import ASGIApp

from gateway.http.body import whole_body
from gateway.http.door.attempts import AttemptLimits, Attempts, client_network
from gateway.http.door.door import Visit
from gateway.http.door.grants import ANONYMOUS
from gateway.http.entrance import header
from gateway.http.errors import (
    BadInputError,
    CredentialRefusedError,
    InsufficientScopeError,
    SessionsOffError,
)
from gateway.http.reply import JSON, Reply
from gateway.http.surface import Surface
from gateway.http.wire import is_id, read_json
from gateway.identity.ports import SessionClaims, SessionTokens
from gateway.store.errors import NotFoundError
from tenants.addresses import origin_fault

LONGEST_SECONDS = 3600
LONGEST_USER = 255  # characters; as a `sub` of OpenID Connect
PUBLIC_LIMITS = AttemptLimits(burst=20, refill_seconds=30)
_FIELDS = ("user", "thread_id", "ttl_seconds", "origin")
_NO_STORE = {"Cache-Control": "no-store"}


@attrs.frozen
class SessionRequest:
    """A session that is asked for.

    Args:
        user: None where none is named.
        ttl_seconds: how long it is to last.
    """

    user: str | None
    thread_id: str | None
    ttl_seconds: int
    origin: str | None


class Sessions:
    """Issues session tokens.

    Args:
        tokens: None: the operator has set no secret to sign with.
        public: counts the sessions that an address was given without a credential.
        clock: Unix time in seconds.
    """

    def __init__(
        self,
        tokens: SessionTokens | None,
        public: Attempts | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._tokens = tokens
        self._public = public or Attempts(PUBLIC_LIMITS)
        self._clock = clock

    def issue(self, visit: Visit, asked: SessionRequest, address: str) -> tuple[str, int]:
        """A session token, and the Unix second at which it expires.

        Args:
            visit: of the tenant's program or, in a public chat, of anybody.
            asked: without a user: a new, anonymous one.
            address: of the client.

        Raises:
            SessionsOffError: there is no secret to sign with.
            TooManyAttemptsError: the address was given too many without a credential.
        """
        if self._tokens is None:
            raise SessionsOffError
        if asked.user is None:
            self._public.count(address)
        ends = [int(self._clock()) + asked.ttl_seconds, visit.grant.expires_at]
        claims = SessionClaims(
            tenant_id=visit.tenant.tenant_id,
            user=asked.user or f"{ANONYMOUS}{secrets.token_hex(8)}",
            expires_at=min(end for end in ends if end is not None),
            key_id=visit.grant.key_id,
            thread_id=asked.thread_id,
            origin=asked.origin,
        )
        return self._tokens.sign(claims), claims.expires_at


@post("/sessions", status_code=201)
async def create(request: "Request[Any, Any, Any]") -> ASGIApp:
    """Start a session of an end user, for a browser."""
    surface = Surface.of(request)
    visit = await surface.door.enter(request.scope, None)
    _require_issuer(visit)
    asked = await _asked(request, visit)
    await _require_thread(surface, visit, asked)
    sessions: Sessions = request.app.state.sessions
    token, expires_at = sessions.issue(visit, asked, client_network(request.scope))
    body = msgspec.json.encode({"token": token, "expires_at": expires_at})
    return Reply(201, body, JSON, _NO_STORE)


def _require_issuer(visit: Visit) -> None:
    """A program of the tenant's with the scope ``chat``, or anybody where the chat is public."""
    if visit.grant.source == "nobody":
        if not visit.tenant.public_chat:
            raise CredentialRefusedError
    elif not visit.grant.of_a_program or "chat" not in visit.grant.scopes:
        raise InsufficientScopeError("chat")


async def _asked(request: "Request[Any, Any, Any]", visit: Visit) -> SessionRequest:
    """What the body says. Who has no credential is a new user, never one of their choice."""
    asked = read_session(await whole_body(request), header(request.scope, b"content-type"))
    chosen = asked.user or asked.thread_id
    if visit.grant.source == "nobody" and chosen is not None:
        raise CredentialRefusedError
    if asked.user is None and (visit.grant.source == "key" or not visit.tenant.public_chat):
        raise BadInputError.of("user", "This field is required.")
    return asked


async def _require_thread(surface: Surface, visit: Visit, asked: SessionRequest) -> None:
    """A session may be bound to a thread of its user, or of nobody in particular."""
    if asked.thread_id is None:
        return
    if not is_id(asked.thread_id):
        raise NotFoundError("thread", asked.thread_id)
    thread = await surface.store.thread(visit.context, asked.thread_id)
    if thread.user not in {None, asked.user}:
        raise BadInputError.of("thread_id", "This thread is another user's.")


def read_session(body: bytes, content_type: str | None) -> SessionRequest:
    """The body of ``POST /sessions``.

    Raises:
        UnsupportedMediaTypeError: the content type is not JSON.
        BadInputError: with every fault.
    """
    value = read_json(body, content_type) if body else {}
    if not isinstance(value, Mapping):
        raise BadInputError.of("", "The body must be a JSON object.")
    faults = {
        name: f"There is no such field; known: {', '.join(_FIELDS)}."
        for name in value
        if name not in _FIELDS
    }
    faults |= _user_faults(value) | _thread_faults(value) | _ttl_faults(value)
    faults |= _origin_faults(value)
    if faults:
        raise BadInputError(tuple(faults.items()))
    return SessionRequest(
        value.get("user"),
        value.get("thread_id"),
        value.get("ttl_seconds", LONGEST_SECONDS),
        value.get("origin"),
    )


def _user_faults(value: Mapping[str, Any]) -> dict[str, str]:
    user = value.get("user")
    if user is None:
        return {}
    if isinstance(user, str) and 0 < len(user) <= LONGEST_USER and user.isprintable():
        return {}
    return {"user": f"This must be a string of 1 to {LONGEST_USER} printable characters."}


def _thread_faults(value: Mapping[str, Any]) -> dict[str, str]:
    if isinstance(value.get("thread_id"), str | None):
        return {}
    return {"thread_id": "This must be a string, or null for all threads of the user."}


def _ttl_faults(value: Mapping[str, Any]) -> dict[str, str]:
    seconds = value.get("ttl_seconds", LONGEST_SECONDS)
    if type(seconds) is int and 1 <= seconds <= LONGEST_SECONDS:
        return {}
    return {"ttl_seconds": f"This must be a whole number of seconds from 1 to {LONGEST_SECONDS}."}


def _origin_faults(value: Mapping[str, Any]) -> dict[str, str]:
    origin = value.get("origin")
    if origin is None:
        return {}
    if not isinstance(origin, str):
        return {"origin": "This must be a string such as https://acme.example, or null."}
    fault = origin_fault(origin)
    return {} if fault is None else {"origin": f"Not usable: {fault}."}
