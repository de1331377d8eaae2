"""What goes wrong on a connection, as our errors."""

import ssl

from gateway.engines.errors import Cause, EngineError


def failure_to_connect(error: OSError) -> EngineError:
    """The error for a connection that could not be made."""
    if isinstance(error, TimeoutError):
        return EngineError(Cause.TIMED_OUT, detail=_describe(error), retryable=True)
    return failure_to_answer(error)


def failure_to_answer(error: Exception) -> EngineError:
    """The error for a call whose response head did not come.

    Whatever the upstream may already be working on for long, such as an answer whose head is
    late, is not asked for twice.
    """
    if isinstance(error, EngineError):
        return error
    cause = Cause.TIMED_OUT if isinstance(error, TimeoutError) else Cause.UNAVAILABLE
    retryable = not isinstance(error, TimeoutError | ssl.SSLError)
    return EngineError(cause, detail=_describe(error), retryable=retryable)


def failure_of_body(error: Exception) -> EngineError:
    """The error for a body that broke off or fell silent."""
    if isinstance(error, EngineError):
        return error
    cause = Cause.TIMED_OUT if isinstance(error, TimeoutError) else Cause.BROKEN
    return EngineError(cause, detail=_describe(error))


def _describe(error: Exception) -> str:
    """What went wrong; these errors are the system's own and quote nothing that was sent."""
    return f"{type(error).__name__}: {error}"[:500]
