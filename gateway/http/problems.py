"""Errors as clients see them: problem documents (RFC 9457) and error frames, from one table."""

import math
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any, Self

import attrs
import msgspec
import structlog
from litestar import Request, Response
from litestar.exceptions import HTTPException
from litestar.types import Scope

from gateway.engines.errors import Cause, EngineError
from gateway.http.entrance import entrance
from gateway.http.errors import (
    BadInputError,
    CredentialRefusedError,
    InsufficientScopeError,
    OperatorRefusedError,
    OriginNotAllowedError,
    RunUnsuccessfulError,
    SessionsOffError,
    SeveralCredentialsError,
    TenantMismatchError,
    TenantRequiredError,
    ThreadBoundError,
    TooManyAttemptsError,
    UnsupportedMediaTypeError,
)
from gateway.http.reply import Reply
from gateway.http.websocket.frames import FrameError, NoTurnError, TurnInProgressError
from gateway.identity.errors import IssuerUnavailableError, TokenRefusedError
from gateway.runs.errors import (
    DrainingError,
    EventsExpiredError,
    IdempotencyMismatchError,
    RunEndedError,
    TenantLeavingError,
)
from gateway.runs.lifecycle import RunEnded
from gateway.store.errors import (
    DuplicateError,
    FenceLostError,
    KeyUsedError,
    NotFoundError,
    StoreUnavailableError,
    ThreadBusyError,
)
from tenants.errors import (
    BrokenObjectError,
    InvalidTenantError,
    RegistryUnavailableError,
    SecretMissingError,
    SecretsUnavailableError,
    TenantUnavailableError,
    UnknownTenantError,
)
from tenants.registry.objects import ObjectsUnavailableError
from tenants.releases.errors import (
    ContendedError,
    OffboardingError,
    PublishConflictError,
    TenantExistsError,
    TooManyKeysError,
    UnannouncedError,
    UnknownKeyError,
    UnknownRevisionError,
    WorkingFormError,
)

_log = structlog.get_logger(__name__)
_SERVER_ERROR = 500
_CONTENT_TYPE = "application/problem+json"


@attrs.frozen
class Problem:
    """What a client is told about an error.

    Args:
        slug: the kind; ``type`` is ``urn:agw:<slug>``.
        status: the HTTP status.
        title: the same for every error of this kind.
        detail: about this error; never an upstream's words, a path, a key or a stack.
        code: of an error frame; where it is empty, the slug with underscores.
        errors: of bad input, each a field's path and what is wrong with it.
        extensions: further members of the document.
        headers: of the HTTP answer.
    """

    slug: str
    status: int
    title: str
    detail: str = ""
    code: str = ""
    errors: tuple[tuple[str, str], ...] = ()
    extensions: Mapping[str, Any] = attrs.field(factory=dict)
    headers: Mapping[str, str] = attrs.field(factory=dict)

    @property
    def type(self) -> str:
        """The kind as a URI."""
        return f"urn:agw:{self.slug}"

    def extended(self, **extensions: object) -> Self:
        """The same problem with further members."""
        return attrs.evolve(self, extensions={**self.extensions, **extensions})

    def retried_after(self, seconds: float | None) -> Self:
        """The same problem with a ``Retry-After``, unless ``seconds`` is None."""
        if seconds is None:
            return self
        retry_after = str(max(1, math.ceil(seconds)))
        return attrs.evolve(self, headers={**self.headers, "Retry-After": retry_after})

    def members(self) -> dict[str, Any]:
        """What the document and the frame have in common beside their names for it."""
        if not self.errors:
            return dict(self.extensions)
        errors = [{"field": field, "message": message} for field, message in self.errors]
        return {**self.extensions, "errors": errors}

    def encode(self, correlation_id: str, instance: str) -> bytes:
        """The problem document.

        Args:
            correlation_id: the one that the answer's header carries too.
            instance: the path of the request, without its query.
        """
        return msgspec.json.encode(
            {
                "type": self.type,
                "title": self.title,
                "status": self.status,
                "detail": self.detail or f"{self.title}.",
                "instance": instance,
                "correlation_id": correlation_id,
                **self.members(),
            }
        )


INTERNAL = Problem("internal-error", 500, "The gateway failed")
INVALID_INPUT = Problem("invalid-input", 400, "The input cannot be used")
TENANT_UNAVAILABLE = Problem(
    "tenant-unavailable", 503, "This tenant cannot be served now"
).retried_after(30)
REGISTRY_UNAVAILABLE = Problem(
    "registry-unavailable", 503, "The registry cannot be read or written now"
).retried_after(30)
STORE_UNAVAILABLE = Problem(
    "store-unavailable", 503, "Threads cannot be read or written now"
).retried_after(5)
RUN_ENDED = Problem("run-ended", 409, "The run has ended")
# RFC 6750, section 3; Basic is taken too, but offering it would open the browser's own dialog.
UNAUTHORIZED = Problem(
    "unauthorized",
    401,
    "A credential of this tenant is needed",
    headers={"WWW-Authenticate": 'Bearer realm="assistant gateway"'},
)

CAUSES: Mapping[Cause, Problem] = {
    Cause.RATE_LIMITED: Problem("upstream-rate-limited", 429, "The model's provider is busy"),
    Cause.QUOTA_SPENT: Problem(
        "upstream-quota-spent", 429, "The model's provider refused the request for lack of quota"
    ),
    Cause.REJECTED: Problem("upstream-rejected", 502, "The model's provider refused the request"),
    Cause.UNAUTHORIZED: Problem(
        "upstream-unauthorized", 502, "The model's provider refused the gateway's credential"
    ),
    Cause.UNAVAILABLE: Problem(
        "upstream-unavailable", 502, "The model's provider failed to answer"
    ),
    Cause.TIMED_OUT: Problem(
        "upstream-timeout", 504, "The model's provider took too long to answer"
    ),
    Cause.BROKEN: Problem("upstream-broken", 502, "The model's answer ended before it was whole"),
}


def _of_engine(error: EngineError) -> Problem:
    return CAUSES[error.cause].retried_after(error.retry_after_seconds)


def _not_found(error: NotFoundError) -> Problem:
    return Problem(f"unknown-{error.kind}", 404, f"There is no such {error.kind}")


def _publish_conflict(error: PublishConflictError) -> Problem:
    problem = Problem("publish-conflict", 409, "Somebody else changed the tenant meanwhile")
    return problem.extended(revision=error.revision, by=error.by)


def _thread_busy(error: ThreadBusyError) -> Problem:
    problem = Problem("thread-busy", 409, "A run works on this thread")
    return problem.extended(run_id=error.run_id, thread_id=error.thread_id)


def _insufficient_scope(error: InsufficientScopeError) -> Problem:
    challenge = f'Bearer error="insufficient_scope", scope="{error.scope}"'
    return Problem(
        "insufficient-scope",
        403,
        "The credential does not open this route",
        f"This needs an API key with the scope {error.scope}.",
        headers={"WWW-Authenticate": challenge},
    )


def _too_many_attempts(error: TooManyAttemptsError) -> Problem:
    problem = Problem("too-many-attempts", 429, "Too many attempts came from this address")
    return problem.retried_after(error.retry_after_seconds)


def _run_ended(error: RunEndedError) -> Problem:
    return RUN_ENDED.extended(run_id=error.run_id, run_status=error.status)


def _key_used(error: KeyUsedError) -> Problem:
    problem = Problem("idempotency-key-used", 409, "Another run has this Idempotency-Key")
    return problem.extended(run_id=error.run_id)


def _unsuccessful(error: RunUnsuccessfulError) -> Problem:
    head, ending = error.head, error.ending
    return _of_ending(ending).extended(
        run_id=head.run_id, thread_id=head.thread_id, run_status=ending.status
    )


def _bad_input(error: BadInputError | FrameError) -> Problem:
    detail = " ".join(f"{field}: {text}" if field else text for field, text in error.faults)
    return attrs.evolve(INVALID_INPUT, errors=error.faults, detail=detail)


def _bad_frame(error: FrameError) -> Problem:
    return attrs.evolve(_bad_input(error), code=error.code)


_TABLE: Mapping[type[Exception], Problem | Callable[[Any], Problem]] = {
    BadInputError: _bad_input,
    FrameError: _bad_frame,
    UnsupportedMediaTypeError: Problem("unsupported-media-type", 415, "The body must be JSON"),
    TenantRequiredError: Problem("tenant-required", 400, "The request names no tenant"),
    TenantMismatchError: Problem("tenant-mismatch", 400, "The request names two tenants"),
    CredentialRefusedError: UNAUTHORIZED,
    TokenRefusedError: UNAUTHORIZED,
    OperatorRefusedError: attrs.evolve(UNAUTHORIZED, title="An operator's key is needed"),
    SeveralCredentialsError: Problem(
        "several-credentials", 400, "The request has two different credentials"
    ),
    InsufficientScopeError: _insufficient_scope,
    OriginNotAllowedError: Problem("origin-not-allowed", 403, "This origin is not allowed"),
    TooManyAttemptsError: _too_many_attempts,
    ThreadBoundError: Problem(
        "thread-bound", 403, "This session is for one thread and may not start another"
    ),
    SessionsOffError: Problem(
        "sessions-off",
        501,
        "Sessions are off",
        "Sessions are off: the gateway's operator has set no GATEWAY_SESSION_SECRET.",
    ),
    IssuerUnavailableError: Problem(
        "issuer-unavailable", 503, "The issuer of the token cannot be asked for its keys now"
    ).retried_after(10),
    RunUnsuccessfulError: _unsuccessful,
    TurnInProgressError: Problem("turn-in-progress", 409, "A turn already runs on this connection"),
    NoTurnError: Problem("no-turn", 409, "No turn runs on this connection"),
    UnknownTenantError: Problem("unknown-tenant", 404, "There is no such tenant"),
    TenantUnavailableError: TENANT_UNAVAILABLE,
    BrokenObjectError: TENANT_UNAVAILABLE,
    InvalidTenantError: TENANT_UNAVAILABLE,
    RegistryUnavailableError: TENANT_UNAVAILABLE,
    ObjectsUnavailableError: REGISTRY_UNAVAILABLE,
    SecretMissingError: TENANT_UNAVAILABLE,
    SecretsUnavailableError: TENANT_UNAVAILABLE,
    TenantExistsError: Problem("tenant-exists", 409, "There is such a tenant already"),
    WorkingFormError: Problem(
        "tenant-in-working-form", 409, "The tenant was never published, so publish it first"
    ),
    OffboardingError: Problem("tenant-offboarding", 409, "The tenant is being deleted"),
    PublishConflictError: _publish_conflict,
    UnknownRevisionError: Problem("unknown-revision", 404, "There is no such revision"),
    UnknownKeyError: Problem("unknown-key", 404, "There is no such live key"),
    TooManyKeysError: Problem("too-many-keys", 409, "The tenant has too many live keys"),
    ContendedError: Problem(
        "registry-contended", 503, "Others wrote to the registry all the time"
    ).retried_after(5),
    UnannouncedError: Problem(
        "change-unannounced", 503, "The change is made, and in force within minutes"
    ).retried_after(5),
    NotFoundError: _not_found,
    ThreadBusyError: _thread_busy,
    KeyUsedError: _key_used,
    DuplicateError: lambda error: Problem(
        "already-exists", 409, f"Such a {error.kind} is there already"
    ),
    FenceLostError: lambda error: RUN_ENDED.extended(run_id=error.run_id),
    StoreUnavailableError: STORE_UNAVAILABLE,
    EngineError: _of_engine,
    IdempotencyMismatchError: Problem(
        "idempotency-mismatch", 422, "The Idempotency-Key was used for another body"
    ),
    TenantLeavingError: Problem(
        "tenant-leaving", 503, "The tenant's threads are being deleted"
    ).retried_after(5),
    DrainingError: Problem("draining", 503, "The gateway is stopping").retried_after(5),
    RunEndedError: _run_ended,
    EventsExpiredError: Problem("events-expired", 410, "The run's events are kept no longer"),
}
_SLUGS: Mapping[int, str] = {
    400: "invalid-input",
    404: "not-found",
    405: "method-not-allowed",
    406: "not-acceptable",
    413: "body-too-large",
    415: "unsupported-media-type",
}


def problem_of(error: BaseException) -> Problem:
    """The problem of any error; ours alone say more than that the gateway failed."""
    if isinstance(error, HTTPException):
        return _of_status(error.status_code, error.headers)
    entry = next((_TABLE[kind] for kind in type(error).__mro__ if kind in _TABLE), INTERNAL)
    return entry if isinstance(entry, Problem) else entry(error)


def problem_reply(problem: Problem, scope: Scope) -> Reply:
    """The problem as a whole answer."""
    found = entrance(scope)
    body = problem.encode(found.correlation_id, found.path)
    return Reply(problem.status, body, _CONTENT_TYPE, problem.headers)


def answer_error(request: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
    """Answer any error of a handler."""
    return answer_problem(request, error, problem_of(error))


def answer_problem(
    request: Request[Any, Any, Any], error: Exception, problem: Problem
) -> Response[bytes]:
    """Answer an error by its problem; one that is our fault is logged with its traceback."""
    if problem.status == _SERVER_ERROR:
        _log.error("request_failed", exc_info=error, method=request.method)
    reply = problem_reply(problem, request.scope)
    return Response(
        reply.body, status_code=reply.status, media_type=_CONTENT_TYPE, headers=dict(reply.headers)
    )


def error_frame(
    problem: Problem, correlation_id: str, now: datetime | None = None
) -> dict[str, Any]:
    """The problem as a flat event of the conversation's streams, SSE and WebSocket alike.

    Args:
        problem: what went wrong.
        correlation_id: of the turn.
        now: with its zone; None: this moment.
    """
    code = problem.code or problem.slug.replace("-", "_")
    return {
        "event": "error",
        "error": problem.detail or f"{problem.title}.",
        "error_type": problem.slug,
        "error_code": code,
        "type": problem.type,
        "code": code,
        "correlation_id": correlation_id,
        "timestamp": (now or datetime.now(UTC)).isoformat(),
        **problem.members(),
    }


def _of_status(status: int, headers: Mapping[str, str] | None) -> Problem:
    if status >= _SERVER_ERROR:
        return INTERNAL
    title = HTTPStatus(status).phrase
    slug = _SLUGS.get(status, title.lower().replace(" ", "-"))
    return Problem(slug, status, title, headers=headers or {})


def _of_ending(ending: RunEnded) -> Problem:
    match ending.status:
        case "cancelled":
            return Problem("run-cancelled", 409, "The run was cancelled")
        case "expired":
            return Problem("run-expired", 504, "The run took too long")
        case _ if ending.cause is not None:
            return CAUSES[Cause(ending.cause)].retried_after(ending.retry_after_seconds)
        case _:
            return Problem("run-failed", 503, "The run failed").retried_after(5)
