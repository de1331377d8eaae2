"""A conversation with a gateway over one WebSocket."""

import json
from collections.abc import AsyncIterator
from typing import Any

import aiohttp

from tenants.cli.chat_errors import UnreachableError
from tenants.cli.chat_http import Gateway, follow
from tenants.cli.chat_turn import Event, Turn

_LARGEST_FRAME_BYTES = 64 * 2**20
_HANDSHAKE_SECONDS = 10


class WebSocketConversation:
    """Answers as they are made; the connection lasts over several turns."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self._socket: aiohttp.ClientWebSocketResponse | None = None

    def say(self, turn: Turn) -> AsyncIterator[Event]:
        """See ``Conversation.say``."""
        return follow(turn, self._events, self._gateway.address)

    async def cancel(self, turn: Turn) -> None:
        """See ``Conversation.cancel``."""
        if turn.status is None and self._socket is not None:
            await self._socket.send_json({"type": "cancel"})

    async def _events(self, turn: Turn) -> AsyncIterator[Event]:
        """A message that is sent again on its thread joins the run that it started."""
        socket = await self._opened()
        await socket.send_json(
            {"thread_id": turn.thread_id, "message": turn.message}
            if turn.run_id is None
            else {"type": "resume", "run_id": turn.run_id, "after": turn.last}
        )
        async for frame in socket:
            event = _event(json.loads(frame.data))
            yield event
            if event.name == "metadata":
                return

    async def _opened(self) -> aiohttp.ClientWebSocketResponse:
        if self._socket is None or self._socket.closed:
            try:
                self._socket = await self._gateway.session.ws_connect(
                    self._gateway.url + "/ws/chat",
                    max_msg_size=_LARGEST_FRAME_BYTES,
                    timeout=aiohttp.ClientWSTimeout(ws_close=_HANDSHAKE_SECONDS),
                )
            except aiohttp.ClientConnectorError:
                raise UnreachableError(self._gateway.address) from None
        return self._socket


def _event(frame: dict[str, Any]) -> Event:
    """An ``error`` is flat."""
    return Event(frame["event"], frame.get("data", frame), frame.get("id"))
