"""The WebSocket's door: accepted first, since a refusal before that loses its code."""

from typing import Any

from litestar import WebSocket, websocket
from litestar.exceptions import WebSocketDisconnect

from gateway.http.surface import Surface
from gateway.http.websocket.closing import close
from gateway.http.websocket.turns import Turns

AnySocket = WebSocket[Any, Any, Any]


@websocket(["/ws/chat", "/stream"])
async def converse(socket: AnySocket) -> None:
    """Several turns on one connection."""
    await socket.accept()
    try:
        surface = Surface.of(socket)
        try:
            visit = await surface.door.enter(socket.scope, "chat")
        except Exception as error:  # noqa: BLE001 - whatever it is, the client hears why, then a code
            await close(socket, error)
            return
        with surface.metrics.streaming("websocket"):
            await Turns(surface, visit, socket).serve()
    except WebSocketDisconnect:
        return
