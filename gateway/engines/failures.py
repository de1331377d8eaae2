"""aiohttp's errors as ours."""

import aiohttp

from gateway.engines.errors import Cause, EngineError


def failure_to_answer(error: Exception) -> EngineError:
    """The error for a call whose response head did not come."""
    cause, retryable = next(
        (cause, retryable) for kinds, cause, retryable in _FAILURES if isinstance(error, kinds)
    )
    return EngineError(cause, detail=_describe(error), retryable=retryable)


def failure_of_body(error: Exception) -> EngineError:
    """The error for a body that broke off or fell silent."""
    cause = Cause.TIMED_OUT if isinstance(error, TimeoutError) else Cause.BROKEN
    return EngineError(cause, detail=_describe(error))


def _describe(error: Exception) -> str:
    """What went wrong; what the upstream sent is not quoted, since it may echo the credential."""
    name = type(error).__name__
    return f"{name}: {error}"[:500] if isinstance(error, OSError) else name


# The first line that fits. Whatever the upstream may already be working on for long, such as an
# answer whose head is late, is not asked for twice.
_FAILURES: tuple[tuple[tuple[type[Exception], ...], Cause, bool], ...] = (
    ((aiohttp.ConnectionTimeoutError,), Cause.TIMED_OUT, True),
    ((TimeoutError,), Cause.TIMED_OUT, False),
    (
        (aiohttp.ClientConnectorCertificateError, aiohttp.ClientConnectorSSLError),
        Cause.UNAVAILABLE,
        False,
    ),
    (
        (aiohttp.ClientHttpProxyError, aiohttp.ServerDisconnectedError, OSError),
        Cause.UNAVAILABLE,
        True,
    ),
    ((aiohttp.InvalidURL, aiohttp.NonHttpUrlClientError), Cause.UNAVAILABLE, False),
    ((ValueError,), Cause.UNAUTHORIZED, False),  # a credential that no header can carry
    ((Exception,), Cause.BROKEN, False),
)
