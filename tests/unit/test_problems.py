"""Every error of ours becomes a problem that says enough and nothing more."""

import inspect
import json
from datetime import UTC, datetime
from types import ModuleType

import pytest
from litestar.exceptions import MethodNotAllowedException, NotFoundException

import gateway.engines.errors
import gateway.http.errors
import gateway.http.websocket.frames
import gateway.identity.errors
import gateway.runs.errors
import gateway.store.errors
import tenants.errors
import tenants.releases.errors
from gateway.engines.errors import Cause, EngineError
from gateway.http.errors import BadInputError, RunUnsuccessfulError
from gateway.http.problems import (
    CAUSES,
    INTERNAL,
    Problem,
    error_frame,
    problem_of,
)
from gateway.http.websocket.frames import FrameError
from gateway.runs.lifecycle import RunCreated, RunEnded
from gateway.store.errors import NotFoundError, StoreUnavailableError, ThreadBusyError
from tenants.errors import Fault, InvalidTenantError, SecretMissingError, UnknownTenantError

PACKAGES = [
    gateway.engines.errors,
    gateway.http.errors,
    gateway.http.websocket.frames,
    gateway.identity.errors,
    gateway.runs.errors,
    gateway.store.errors,
    tenants.errors,
    tenants.releases.errors,
]
HEAD = RunCreated("run_1", "thread_1", "asst_1", "m", "c", 0)


def errors_of(module: ModuleType):
    """The errors that a module defines and somebody raises: all but its root."""
    return [
        value
        for value in vars(module).values()
        if inspect.isclass(value)
        and issubclass(value, Exception)
        and value.__module__ == module.__name__
        and not value.__subclasses__()
    ]


def any_of(kind):
    """An instance of an error, its arguments filled by name and kind."""
    filled = {
        "cause": Cause.BROKEN,
        "faults": (("field", "is wrong"),),
        "head": HEAD,
        "ending": RunEnded("failed"),
        "retry_after_seconds": 3,
    }
    names = [
        name
        for name, parameter in inspect.signature(kind).parameters.items()
        if parameter.default is inspect.Parameter.empty
    ]
    return kind(**{name: filled.get(name, "planted") for name in names})


@pytest.mark.parametrize(
    "kind",
    [kind for module in PACKAGES for kind in errors_of(module)],
    ids=lambda kind: kind.__name__,
)
def test_no_error_of_ours_is_missing(kind):
    """Each error class has a problem of its own, never the blank one."""
    assert problem_of(any_of(kind)) != INTERNAL


def test_every_cause_of_an_upstream_failure_has_a_problem():
    """An upstream's failures are told apart by type, with the contract's statuses."""
    assert {cause: problem.status for cause, problem in CAUSES.items()} == {
        Cause.RATE_LIMITED: 429,
        Cause.QUOTA_SPENT: 429,
        Cause.REJECTED: 502,
        Cause.UNAUTHORIZED: 502,
        Cause.UNAVAILABLE: 502,
        Cause.TIMED_OUT: 504,
        Cause.BROKEN: 502,
    }
    assert len({problem.slug for problem in CAUSES.values()}) == len(Cause)


def test_an_upstreams_words_stay_inside():
    """What the upstream said is for the log alone."""
    problem = problem_of(EngineError(Cause.REJECTED, 400, detail="planted: your key sk-1"))

    assert b"planted" not in problem.encode("c", "/chat")
    assert "planted" not in json.dumps(error_frame(problem, "c"))


def test_a_busy_upstream_says_when_to_return():
    """The upstream's wish to be left alone becomes whole seconds of Retry-After, rounded up."""
    problem = problem_of(EngineError(Cause.RATE_LIMITED, 429, retry_after_seconds=6.2))

    assert problem.headers == {"Retry-After": "7"}


def test_a_spent_quota_asks_nobody_to_return():
    """Where coming back does not help, there is no Retry-After."""
    assert problem_of(EngineError(Cause.QUOTA_SPENT, 429)).headers == {}


def test_a_document_has_the_members_of_rfc_9457_and_ours():
    """Bad input names every fault, beside type, title, status, detail, instance, correlation id."""
    problem = problem_of(BadInputError((("message", "Too long."), ("thread_id", "No id."))))

    assert json.loads(problem.encode("corr-1", "/chat")) == {
        "type": "urn:agw:invalid-input",
        "title": "The input cannot be used",
        "status": 400,
        "detail": "message: Too long. thread_id: No id.",
        "instance": "/chat",
        "correlation_id": "corr-1",
        "errors": [
            {"field": "message", "message": "Too long."},
            {"field": "thread_id", "message": "No id."},
        ],
    }


@pytest.mark.parametrize(
    ("error", "status", "slug"),
    [
        (UnknownTenantError("planted"), 404, "unknown-tenant"),
        (NotFoundError("thread", "planted"), 404, "unknown-thread"),
        (NotFoundError("run", "planted"), 404, "unknown-run"),
        (StoreUnavailableError("planted"), 503, "store-unavailable"),
        (SecretMissingError("planted", "planted"), 503, "tenant-unavailable"),
        (InvalidTenantError("planted", (Fault("f", "", "planted"),)), 503, "tenant-unavailable"),
        (NotFoundException("planted"), 404, "not-found"),
        (MethodNotAllowedException("planted"), 405, "method-not-allowed"),
        (ValueError("planted"), 500, "internal-error"),
        (TimeoutError(), 500, "internal-error"),
    ],
)
def test_a_problem_says_its_kind_and_no_more(error, status, slug):
    """Ids, tenants' names and texts of errors do not reach the client."""
    problem = problem_of(error)

    assert (problem.status, problem.type) == (status, f"urn:agw:{slug}")
    assert b"planted" not in problem.encode("c", "/")
    assert status != 503 or int(problem.headers["Retry-After"]) > 0


def test_a_busy_thread_names_its_run():
    """A client that met a busy thread can join the run that works on it."""
    document = json.loads(problem_of(ThreadBusyError("thread_1", "run_1")).encode("c", "/chat"))

    assert (document["status"], document["run_id"]) == (409, "run_1")


@pytest.mark.parametrize(
    ("ending", "status"),
    [
        (RunEnded("cancelled"), 409),
        (RunEnded("expired"), 504),
        (RunEnded("failed", cause="rate_limited", retry_after_seconds=3), 429),
        (RunEnded("failed", cause="timed_out"), 504),
        (RunEnded("failed", cause="broken"), 502),
        (RunEnded("failed"), 503),
    ],
)
def test_a_run_without_an_answer_is_a_problem_that_names_it(ending, status):
    """Failed, expired and cancelled runs answer by cause and carry run, thread and status."""
    document = json.loads(problem_of(RunUnsuccessfulError(HEAD, ending)).encode("c", "/chat"))

    assert document["status"] == status
    assert (document["run_id"], document["thread_id"]) == ("run_1", "thread_1")
    assert document["run_status"] == ending.status


def test_a_frame_says_the_same_flat():
    """Streams carry the problem under the names that older and newer clients read."""
    problem = Problem("thread-busy", 409, "A run works on this thread").extended(run_id="run_1")

    frame = error_frame(problem, "corr-1", datetime(2026, 1, 2, tzinfo=UTC))

    assert frame == {
        "event": "error",
        "error": "A run works on this thread.",
        "error_type": "thread-busy",
        "error_code": "thread_busy",
        "type": "urn:agw:thread-busy",
        "code": "thread_busy",
        "correlation_id": "corr-1",
        "timestamp": "2026-01-02T00:00:00+00:00",
        "run_id": "run_1",
    }


def test_a_bad_frame_keeps_its_own_code():
    """The WebSocket's codes for bad frames are the contract's, whatever HTTP calls them."""
    frame = error_frame(problem_of(FrameError("missing_fields", (("message", "Needed."),))), "c")

    assert frame["error_code"] == "missing_fields"
    assert frame["errors"] == [{"field": "message", "message": "Needed."}]
