"""How the simulator refuses a request: OpenAI's error object and its HTTP status."""

from http import HTTPStatus

import attrs

FAILED = "The server had an error while processing your request. Sorry about that!"


@attrs.frozen
class SimulatorError(Exception):
    """Root of the simulator's errors."""


@attrs.frozen
class RefusedError(SimulatorError):
    """A request that is answered with an error.

    Args:
        headers: further headers of the answer, lower case.
    """

    status: int
    message: str
    type: str = "invalid_request_error"
    code: str | None = None
    param: str | None = None
    headers: tuple[tuple[str, str], ...] = ()


@attrs.frozen
class NotStartedError(SimulatorError):
    """The simulator's process ended before it listened.

    Args:
        exit_code: what it ended with.
    """

    exit_code: int


def type_of(status: int) -> str:
    """The error type that OpenAI sends with a status."""
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        return "requests"
    is_ours = status >= HTTPStatus.INTERNAL_SERVER_ERROR
    return "server_error" if is_ours else "invalid_request_error"
