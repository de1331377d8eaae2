"""How a run ended, in words that clients may read. The upstream's own words stay in the log."""

from collections.abc import Mapping

from gateway.engines.errors import Cause, EngineError
from gateway.runs.leg import Leg
from gateway.runs.lifecycle import RunEnded

_MESSAGES: Mapping[Cause, str] = {
    Cause.RATE_LIMITED: "The model's provider is busy. Try again later.",
    Cause.QUOTA_SPENT: "The model's provider refused the request for lack of quota.",
    Cause.REJECTED: "The model's provider refused this input.",
    Cause.UNAUTHORIZED: "The model's provider refused the gateway's credential.",
    Cause.UNAVAILABLE: "The model's provider failed to answer.",
    Cause.TIMED_OUT: "The model's provider took too long to answer.",
    Cause.BROKEN: "The model's answer ended before it was whole.",
}
_CODES: Mapping[Cause, str] = {
    Cause.RATE_LIMITED: "rate_limit_exceeded",
    Cause.QUOTA_SPENT: "rate_limit_exceeded",
    Cause.REJECTED: "invalid_prompt",
}
_CAUSES: Mapping[str, Cause] = {
    "rate_limit_exceeded": Cause.RATE_LIMITED,
    "insufficient_quota": Cause.QUOTA_SPENT,
    "invalid_prompt": Cause.REJECTED,
    "bio_policy": Cause.REJECTED,
    "misalignment_policy_violation": Cause.REJECTED,
}
_INCOMPLETE = {"max_output_tokens", "content_filter"}
MESSAGE_REASONS: Mapping[str, str] = {
    "cancelled": "run_cancelled",
    "expired": "run_expired",
    "failed": "run_failed",
}


def failed(error: EngineError) -> RunEnded:
    """The end of a run whose upstream failed."""
    return RunEnded(
        status="failed",
        code=_CODES.get(error.cause, "server_error"),
        message=_MESSAGES[error.cause],
        cause=error.cause.value,
        retry_after_seconds=error.retry_after_seconds,
    )


def endless() -> RunEnded:
    """The end of a run whose model calls functions though its rounds are used up."""
    return RunEnded(
        status="failed",
        code="server_error",
        message="The model called functions for too many rounds.",
        cause=Cause.BROKEN.value,
    )


def broken() -> RunEnded:
    """The end of a run that failed by our fault."""
    return RunEnded(status="failed", code="server_error", message="The gateway failed.")


def stopped(reason: str | None) -> RunEnded:
    """The end of a run that was interrupted."""
    if reason == "cancelled":
        return RunEnded(status="cancelled")
    return RunEnded(
        status="failed", code="server_error", message="The gateway was stopped. Try again."
    )


def lost() -> RunEnded:
    """The end of a run whose process died."""
    return RunEnded(
        status="failed", code="server_error", message="The gateway was restarted.", lost=True
    )


def answered(leg: Leg) -> RunEnded:
    """The end of a run whose last response ended on its own."""
    if leg.status == "completed":
        return RunEnded(status="completed")
    if leg.status == "incomplete":
        reason = (leg.response.incomplete_details or {}).get("reason")
        return RunEnded(
            status="incomplete", reason=reason if reason in _INCOMPLETE else "max_output_tokens"
        )
    return failed(EngineError(_CAUSES.get(_error_code(leg), Cause.UNAVAILABLE)))


def message_reason(ending: RunEnded) -> str:
    """Why a message of that run is incomplete, in the Assistants API's words."""
    if ending.status == "incomplete":
        return "content_filter" if ending.reason == "content_filter" else "max_tokens"
    return MESSAGE_REASONS.get(ending.status, "run_failed")


def _error_code(leg: Leg) -> str:
    if leg.error is not None:
        return leg.error.code or ""
    code = (leg.response.error or {}).get("code")
    return code if isinstance(code, str) else ""
