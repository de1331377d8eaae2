"""Error statuses and bodies become causes."""

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.engines.errors import Cause
from gateway.engines.refusals import refusal, retry_after_seconds

KEY = "sk-planted-secret"


def refused(status, code=None, headers=None, kind=None):
    """The error for OpenAI's form of a refusal."""
    body = json.dumps({"error": {"message": "no", "code": code, "type": kind}}).encode()
    return refusal(status, headers or {}, body, KEY)


@pytest.mark.parametrize(
    ("status", "code", "cause", "retryable"),
    [
        (302, None, Cause.BROKEN, False),
        (400, "invalid_prompt", Cause.REJECTED, False),
        (400, "billing_hard_limit_reached", Cause.QUOTA_SPENT, False),
        (401, "invalid_api_key", Cause.UNAUTHORIZED, False),
        (402, None, Cause.QUOTA_SPENT, False),
        (403, None, Cause.UNAUTHORIZED, False),
        (404, "model_not_found", Cause.REJECTED, False),
        (408, None, Cause.TIMED_OUT, True),
        (409, None, Cause.UNAVAILABLE, True),
        (413, None, Cause.REJECTED, False),
        (422, None, Cause.REJECTED, False),
        (429, "rate_limit_exceeded", Cause.RATE_LIMITED, True),
        (429, None, Cause.RATE_LIMITED, True),
        (429, "insufficient_quota", Cause.QUOTA_SPENT, False),
        (429, "credit_balance_exhausted", Cause.QUOTA_SPENT, False),
        (500, None, Cause.UNAVAILABLE, True),
        (503, "slow_down", Cause.RATE_LIMITED, True),
        (503, "server_is_overloaded", Cause.UNAVAILABLE, True),
    ],
)
def test_causes(status, code, cause, retryable):
    """Status and code decide the cause and whether the call may be sent again."""
    error = refused(status, code)

    assert (error.status, error.cause, error.retryable) == (status, cause, retryable)


def test_the_type_counts_where_there_is_no_code():
    """Some upstreams name spent quota in ``type`` alone."""
    assert refused(429, kind="insufficient_quota").cause is Cause.QUOTA_SPENT


@pytest.mark.parametrize(
    ("status", "code", "asked", "retryable"),
    [
        (500, None, "false", False),
        (400, None, "true", True),
        (500, None, "perhaps", True),
        (429, "insufficient_quota", "true", False),
    ],
)
def test_the_upstream_may_say_whether_to_retry(status, code, asked, retryable):
    """``x-should-retry`` is obeyed, but for spent quota."""
    assert refused(status, code, {"x-should-retry": asked}).retryable is retryable


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": "7"}, 7.0),
        ({"retry-after": "1.5"}, 1.5),
        ({"retry-after": "7", "retry-after-ms": "250"}, 0.25),
        ({"retry-after": "7", "retry-after-ms": "soon"}, 7.0),
        ({"retry-after": "Thu, 01 Jan 1970 00:16:50 GMT"}, 10.0),
        ({"retry-after": "Thu, 01 Jan 1970 00:16:30 GMT"}, 0.0),
        ({"retry-after": "-3"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "inf"}, None),
        ({"retry-after": "tomorrow"}, None),
    ],
)
def test_when_to_come_back(headers, seconds):
    """Milliseconds, seconds and dates are understood; nonsense is as if nothing was said."""
    assert retry_after_seconds(headers, now=1000.0) == seconds


@given(st.text(max_size=40), st.text(max_size=10))
def test_any_retry_after_is_survived(after, milliseconds):
    """Whatever the headers say, it is a wait that can be slept, or none."""
    headers = {"retry-after": after, "retry-after-ms": milliseconds}

    seconds = retry_after_seconds(headers, now=1000.0)

    assert seconds is None or (math.isfinite(seconds) and seconds >= 0)


@given(st.binary(max_size=200), st.integers(300, 599))
def test_any_body_is_survived(body, status):
    """No body of an error makes another error."""
    assert refusal(status, {}, body, KEY).status == status


@pytest.mark.parametrize(
    "body",
    [
        b'{"error": "no"}',
        b'{"error": {"message": {"a": 1}, "code": 7}}',
        b'{"detail": "no"}',
        b"[1]",
        b"5",
        b"[" * 100_000,
        b"",
    ],
)
def test_other_forms_of_errors_are_survived(body):
    """Upstreams that are not OpenAI say it otherwise."""
    assert refusal(500, {}, body, KEY).cause is Cause.UNAVAILABLE


@pytest.mark.parametrize("before", ["", "x" * 490, "x" * 2000])
def test_the_detail_is_short_and_holds_no_key(before):
    """An upstream that repeats our key does not bring it into the log, not even in part."""
    body = json.dumps({"error": {"message": f"{before}wrong key {KEY}"}}).encode()

    detail = refusal(401, {"x-request-id": f"req_{KEY}"}, body, KEY).detail

    assert len(detail) <= 500
    assert "sk-" not in detail


def test_the_detail_names_the_upstreams_request():
    """Support of an upstream asks for its request id."""
    assert "req_7" in refused(500, headers={"x-request-id": "req_7"}).detail
