"""The WebSocket's door: accepted first, since a refusal before that loses its code."""

from typing import Any

import msgspec
from litestar import WebSocket, websocket
from litestar.exceptions import WebSocketDisconnect

from gateway.http.access import Visit, origin_allowed
from gateway.http.entrance import entrance
from gateway.http.errors import TenantMismatchError, TenantRequiredError
from gateway.http.problems import error_frame, problem_of
from gateway.http.surface import Surface
from gateway.http.turns import Turns
from tenants.errors import UnknownTenantError

_POLICY, _FAULT, _UNKNOWN_TENANT = 1008, 1011, 4404

AnySocket = WebSocket[Any, Any, Any]


@websocket(["/ws/chat", "/stream"])
async def converse(socket: AnySocket) -> None:
    """Several turns on one connection."""
    await socket.accept()
    try:
        surface = Surface.of(socket)
        visit = await _enter(socket, surface)
        if visit is not None:
            with surface.metrics.streaming("websocket"):
                await Turns(surface, visit, socket).serve()
    except WebSocketDisconnect:
        return


async def _enter(socket: AnySocket, surface: Surface) -> Visit | None:
    """Pass the door, or close with the reason."""
    try:
        visit = await surface.door.enter(socket.scope)
    except Exception as error:  # noqa: BLE001 - whatever it is, the client hears why, then a code
        problem = problem_of(error)
        frame = error_frame(problem, entrance(socket.scope).correlation_id)
        await socket.send_data(msgspec.json.encode(frame).decode())
        await socket.close(_code(error), problem.title)
        return None
    if not origin_allowed(visit, socket.headers.get("origin"), socket.headers.get("host")):
        await socket.close(_POLICY, "This origin is not allowed.")
        return None
    return visit


def _code(error: Exception) -> int:
    match error:
        case UnknownTenantError():
            return _UNKNOWN_TENANT
        case TenantRequiredError() | TenantMismatchError():
            return _POLICY
        case _:
            return _FAULT
