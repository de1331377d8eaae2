"""Why an upstream did not answer. Its own words stay in the log."""

import enum

import attrs


class Cause(enum.Enum):
    """What went wrong, as far as clients may know."""

    RATE_LIMITED = "rate_limited"  # 429: the upstream asks to come back later
    QUOTA_SPENT = "quota_spent"  # 429: the account has no credit left; coming back does not help
    REJECTED = "rejected"  # 400, 404, 422: the upstream refused this request
    UNAUTHORIZED = "unauthorized"  # 401, 403: our credential is not good
    UNAVAILABLE = "unavailable"  # 5xx, refused connections
    TIMED_OUT = "timed_out"  # connect, first byte or idle limit
    BROKEN = "broken"  # what came was not the protocol, or ended early


@attrs.frozen
class EngineError(Exception):
    """An upstream call failed.

    Args:
        cause: what clients may be told.
        status: the upstream's HTTP status, or None where there was none.
        retry_after_seconds: when the upstream asked to come back.
        detail: for the log alone; may quote the upstream, bounded to 500 characters.
        retryable: whether the same call may be sent again, since nothing was answered and the
            reason may pass.
    """

    cause: Cause
    status: int | None = None
    retry_after_seconds: float | None = None
    detail: str = ""
    retryable: bool = False
