"""The turns of one WebSocket connection: the same events, ids and order as over SSE."""

import asyncio
from collections.abc import Sequence
from itertools import starmap
from typing import Any, cast

import msgspec
from litestar import WebSocket
from litestar.exceptions import WebSocketDisconnect

from gateway.engines.events import Event
from gateway.http.door.door import Visit
from gateway.http.entrance import entrance
from gateway.http.errors import CredentialRefusedError
from gateway.http.problems import error_frame, problem_of
from gateway.http.pulse import Pulse
from gateway.http.surface import Surface
from gateway.http.websocket.closing import close
from gateway.http.websocket.frames import (
    Cancel,
    ClientFrame,
    NoTurnError,
    Ping,
    Resume,
    TurnInProgressError,
    read_frame,
)
from gateway.http.wire import ChatRequest
from gateway.runs.errors import RunEndedError
from gateway.runs.log import Reader
from gateway.runs.orchestrator import Joined
from gateway.runs.projections.conversation import ConversationProjection
from gateway.runs.projections.conversation_ws import encode
from tenants.errors import UnknownTenantError

_LAST_WORDS_SECONDS = 1.0
_PONG = '{"event":"pong"}'
_json = msgspec.json.Encoder()


class Turns:
    """Reads frames while at most one turn sends its events."""

    def __init__(self, surface: Surface, visit: Visit, socket: "WebSocket[Any, Any, Any]") -> None:
        self._surface = surface
        self._visit = visit
        self._socket = socket
        self._turn: asyncio.Task[None] | None = None
        self._joined: Joined | None = None
        self._reader: Reader | None = None
        self._gone = False
        self._stuck = False
        self._cancel_asked = False

    async def serve(self) -> None:
        """Until the client goes away."""
        watching = self._surface.connections.watching(self._visit, self._end)
        async with asyncio.TaskGroup() as group:
            with watching:
                while (message := await self._socket.receive())["type"] != "websocket.disconnect":
                    await self._read(cast("str | None", message.get("text")), group)
            self._gone = True
            if self._reader is not None:
                self._reader.stop()

    async def _read(self, text: str | None, group: asyncio.TaskGroup) -> None:
        """Take a frame of somebody who may still be here."""
        try:
            self._visit = await self._surface.door.renewed(self._visit)
        except (CredentialRefusedError, UnknownTenantError) as error:
            await self._end(error)
            return
        try:
            await self._take(read_frame(text), group)
        except Exception as error:  # noqa: BLE001 - it is the client's answer
            await self._refuse(error)

    async def _end(self, error: Exception) -> None:
        """Send nothing more, and close; the turn's run goes on."""
        if self._gone:
            return
        self._gone = True
        if self._reader is not None:
            self._reader.stop()
        try:
            async with asyncio.timeout(_LAST_WORDS_SECONDS):
                await close(self._socket, error)
        except TimeoutError:  # the client does not read
            entrance(self._socket.scope).abort()
        except (OSError, RuntimeError, WebSocketDisconnect):
            return

    async def _take(self, frame: ClientFrame, group: asyncio.TaskGroup) -> None:
        match frame:
            case Ping():
                await self._send(_PONG)
            case Cancel():
                await self._cancel()
            case ChatRequest() | Resume():
                if self._turn is not None:
                    raise TurnInProgressError
                self._turn = group.create_task(self._serve_turn(frame))

    async def _cancel(self) -> None:
        if self._turn is None:
            raise NoTurnError
        self._cancel_asked = True
        if self._joined is not None:
            await self._surface.orchestrator.cancel(self._visit.context, self._joined.head.run_id)

    async def _serve_turn(self, frame: ChatRequest | Resume) -> None:
        try:
            after = frame.after if isinstance(frame, Resume) else 0
            self._joined = joined = await self._join(frame, after)
            if self._cancel_asked:
                await self._cancel()
            await self._guarded(joined, after)
        except Exception as error:  # noqa: BLE001 - it is the client's answer
            await self._refuse(error)
        finally:
            self._turn = self._joined = self._reader = None
            self._cancel_asked = False

    async def _join(self, frame: ChatRequest | Resume, after: int) -> Joined:
        """The run that a frame starts or resumes; one that was told to its end is over."""
        if isinstance(frame, ChatRequest):
            return await self._surface.say(self._visit, frame, "websocket", stream=True)
        joined = await self._surface.find(self._visit, frame.run_id)
        if joined.log.closed and self._surface.ends.told(joined, after):
            raise RunEndedError(frame.run_id, "ended")
        return joined

    async def _guarded(self, joined: Joined, after: int) -> None:
        """Send a run's frames, and drop a client that does not read."""
        task = asyncio.current_task()
        with Reader(joined.log) as reader:
            self._reader = reader
            with Pulse(
                self._surface.streams.pulse, reader.wake, lambda: self._detach(task)
            ) as pulse:
                try:
                    await self._pump(joined, after, reader, pulse)
                except asyncio.CancelledError:
                    if not self._stuck or task is None:
                        raise
                    task.uncancel()
        whole = not (self._gone or self._stuck)
        self._surface.orchestrator.left(self._visit.context, joined, whole=whole)

    def _detach(self, task: "asyncio.Task[Any] | None") -> None:
        self._stuck = True
        self._surface.metrics.client_detached()
        entrance(self._socket.scope).abort()
        if task is not None:
            task.cancel()

    async def _pump(self, joined: Joined, after: int, reader: Reader, pulse: Pulse) -> None:
        projection = ConversationProjection(after)

        def shown(at: int, events: Sequence[Event]) -> list[str]:
            return encode(joined.head.run_id, projection.feed(at, events), after)

        while not (reader.at_end or self._gone):
            # No name refers to a batch while its frames are sent: that may take long.
            for texts in starmap(shown, reader.take()):
                for text in texts:
                    pulse.sending()
                    await self._send(text)
                    pulse.sent()
            await reader.wait()
        live = joined.live
        if live is not None and live.ended.error is not None:
            raise live.ended.error

    async def _send(self, text: str) -> None:
        """Send, unless the client is gone, which the server may know before ``receive`` tells."""
        if self._gone:
            return
        try:
            await self._socket.send_data(text)
        except (OSError, RuntimeError):  # the client went away; the server closed on it
            self._gone = True

    async def _refuse(self, error: Exception) -> None:
        frame = error_frame(problem_of(error), entrance(self._socket.scope).correlation_id)
        await self._send(_json.encode(frame).decode())
