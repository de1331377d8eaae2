"""What is said of a failure: to the model little, to the log all."""

from gateway.tools.errors import TookTooLongError, UnknownFunctionError
from gateway.tools.jobs import Outcome
from gateway.tools.outputs import bounded
from tenants.functions import ArgumentsError

_LONGEST_ERROR = 2000


def failure(error: BaseException, correlation_id: str) -> Outcome:
    """The outcome of a call that ended in this error."""
    return Outcome(bounded(f"{_reply(error)} Reference: {correlation_id}."), _said(error))


def _reply(error: BaseException) -> str:
    """What the model may know: of its own mistakes all, of the function's none."""
    match error:
        case ArgumentsError():
            return f"The arguments do not fit the function: {error}."
        case UnknownFunctionError(known):
            return f"There is no such function; there are: {', '.join(known) or 'none'}."
        case TookTooLongError(timeout_seconds):
            return f"The function took over {timeout_seconds:g} s and was given up."
        case _:
            return "The function failed."


def _said(error: BaseException) -> str:
    name = type(error).__name__
    try:
        text = f"{name}: {error}"
    except Exception:  # noqa: BLE001  (its ``__str__`` is the tenant's)
        text = name
    return bounded(text[:_LONGEST_ERROR])
