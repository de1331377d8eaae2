"""How a WebSocket is closed for an error: a frame that says why, then a code."""

from typing import Any

import msgspec
from litestar import WebSocket

from gateway.http.entrance import entrance
from gateway.http.errors import (
    CredentialRefusedError,
    InsufficientScopeError,
    OriginNotAllowedError,
    SeveralCredentialsError,
    TenantMismatchError,
    TenantRequiredError,
    TooManyAttemptsError,
)
from gateway.http.problems import error_frame, problem_of
from tenants.errors import UnknownTenantError

_POLICY, _FAULT, _CREDENTIAL, _UNKNOWN_TENANT = 1008, 1011, 4401, 4404


async def close(socket: "WebSocket[Any, Any, Any]", error: Exception) -> None:
    """Say why, and close an accepted connection."""
    problem = problem_of(error)
    frame = error_frame(problem, entrance(socket.scope).correlation_id)
    await socket.send_data(msgspec.json.encode(frame).decode())
    await socket.close(_code(error), problem.title)


def _code(error: Exception) -> int:
    match error:
        case UnknownTenantError():
            return _UNKNOWN_TENANT
        case CredentialRefusedError() | TooManyAttemptsError() | SeveralCredentialsError():
            return _CREDENTIAL
        case (
            TenantRequiredError()
            | TenantMismatchError()
            | OriginNotAllowedError()
            | InsufficientScopeError()
        ):
            return _POLICY
        case _:
            return _FAULT
