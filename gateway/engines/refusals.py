"""What an upstream's error status and body mean."""

import email.utils
import math
import time
from collections.abc import Mapping
from typing import Any

import msgspec

from gateway.engines.errors import Cause, EngineError

_BY_CODE = {
    "insufficient_quota": Cause.QUOTA_SPENT,
    "credit_balance_exhausted": Cause.QUOTA_SPENT,
    "billing_hard_limit_reached": Cause.QUOTA_SPENT,
    "billing_not_active": Cause.QUOTA_SPENT,
    "slow_down": Cause.RATE_LIMITED,
    "rate_limit_exceeded": Cause.RATE_LIMITED,
    "server_is_overloaded": Cause.UNAVAILABLE,
}
_BY_STATUS = {
    401: Cause.UNAUTHORIZED,
    402: Cause.QUOTA_SPENT,
    403: Cause.UNAUTHORIZED,
    408: Cause.TIMED_OUT,
    409: Cause.UNAVAILABLE,
    429: Cause.RATE_LIMITED,
}
_PASSING = frozenset({408, 409, 429})
_FIRST_CLIENT_ERROR, _FIRST_SERVER_ERROR = 400, 500


def refusal(status: int, headers: Mapping[str, str], body: bytes, api_key: str) -> EngineError:
    """The error for a response head that is no success.

    Args:
        status: not 2xx.
        headers: by name in any case.
        body: as much of it as came.
        api_key: taken out of ``detail``, should the upstream repeat it.
    """
    error = _error_object(body)
    cause = _cause(status, error)
    text = f"{status} {error.get('code') or error.get('type') or ''}: {error.get('message') or ''}"
    if request_id := headers.get("x-request-id"):
        text = f"{request_id}: {text}"
    return EngineError(
        cause,
        status=status,
        retry_after_seconds=retry_after_seconds(headers, time.time()),
        detail=_without(api_key, text)[:500],
        retryable=cause is not Cause.QUOTA_SPENT and _may_pass(status, headers),
    )


def retry_after_seconds(headers: Mapping[str, str], now: float) -> float | None:
    """When the upstream asks to come back: ``retry-after-ms``, else ``retry-after``.

    Args:
        headers: by name in any case.
        now: Unix time in seconds, for a date in ``retry-after`` (RFC 9110, 10.2.3).
    """
    milliseconds = _number(headers.get("retry-after-ms"))
    if milliseconds is not None:
        return milliseconds / 1000
    after = headers.get("retry-after")
    seconds = _number(after)
    return _until(after, now) if seconds is None and after else seconds


def _cause(status: int, error: Mapping[str, Any]) -> Cause:
    for name in (error.get("code"), error.get("type")):
        if isinstance(name, str) and name in _BY_CODE:
            return _BY_CODE[name]
    if status >= _FIRST_SERVER_ERROR:
        return Cause.UNAVAILABLE
    # A redirect, which is never followed, is not the protocol.
    fallback = Cause.REJECTED if status >= _FIRST_CLIENT_ERROR else Cause.BROKEN
    return _BY_STATUS.get(status, fallback)


def _may_pass(status: int, headers: Mapping[str, str]) -> bool:
    asked = headers.get("x-should-retry")
    if asked in {"true", "false"}:
        return asked == "true"
    return status in _PASSING or status >= _FIRST_SERVER_ERROR


def _error_object(body: bytes) -> dict[str, Any]:
    """OpenAI's ``{"error": {…}}``, or what of it is there."""
    try:
        document = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return {"message": body[:500].decode(errors="replace")}
    error = document.get("error", document) if isinstance(document, dict) else document
    return error if isinstance(error, dict) else {"message": str(error)}


def _without(secret: str, text: str) -> str:
    return text.replace(secret, "[key]") if secret else text


def _number(text: str | None) -> float | None:
    try:
        number = float(text or "")
    except ValueError:
        return None
    return number if math.isfinite(number) and number >= 0 else None


def _until(date: str, now: float) -> float | None:
    try:
        return max(0.0, email.utils.parsedate_to_datetime(date).timestamp() - now)
    except (ValueError, OverflowError):
        return None
