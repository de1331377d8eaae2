"""A terminal conversation from its greeting to its end."""

import asyncio
import contextlib
import signal
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping

import aiohttp
import attrs
import rich_click as click

from tenants.cli.chat_errors import ChatError
from tenants.cli.chat_http import Conversation, Gateway, JsonConversation, SseConversation
from tenants.cli.chat_turn import Turn
from tenants.cli.chat_view import View
from tenants.cli.chat_websocket import WebSocketConversation

with contextlib.suppress(ImportError):
    import readline  # noqa: F401 - gives `input` line editing, where the platform has it

PROTOCOLS: Mapping[str, Callable[[Gateway], Conversation]] = {
    "sse": SseConversation,
    "ws": WebSocketConversation,
    "json": JsonConversation,
}
_KEYS = "Ctrl-C stops an answer, /new starts anew, Ctrl-D or /quit leaves."


@attrs.frozen
class Choices:
    """What the command line says; its options' names.

    Args:
        gateway: without a trailing slash.
        message: None: messages are read from standard input.
    """

    tenant_id: str
    gateway: str
    protocol: str
    thread_id: str | None
    message: str | None
    headers: Mapping[str, str]
    as_json: bool


class Chat:
    """A conversation, turn by turn.

    Between turns nothing runs but the reading of a line, so that line editing works as ever.
    """

    def __init__(self, choices: Choices, view: View, runner: asyncio.Runner) -> None:
        self._choices = choices
        self._view = view
        self._runner = runner
        self._interactive = choices.message is None and sys.stdin.isatty()
        self._thread_id = choices.thread_id

    def hold(self) -> bool:
        """Talk from the greeting to the end; whether every answer was whole."""
        session = self._runner.run(_session(self._choices.headers))
        self._gateway = Gateway(session, self._choices.gateway, self._choices.tenant_id)
        self._conversation = PROTOCOLS[self._choices.protocol](self._gateway)
        try:
            if self._thread_id is None and not self._start():
                return False
            outcomes = [*self._turns()]
        finally:
            self._runner.run(session.close())
        if self._interactive and self._thread_id is not None:
            self._view.leave(self._thread_id)
        return all(outcomes) or self._interactive

    def _start(self) -> bool:
        try:
            self._thread_id, greeting = self._runner.run(self._gateway.start())
        except ChatError as error:
            self._view.fail(error)
            return False
        if self._choices.message is None:
            self._view.greet(greeting)
        return True

    def _turns(self) -> Iterator[bool]:
        """Each turn, and whether its answer was whole."""
        for line in self._lines():
            match line.strip():
                case "":
                    continue
                case "/quit":
                    return
                case "/new":
                    yield self._start()
                case message:
                    yield self._turn(Turn(message, self._thread_id))

    def _lines(self) -> Iterable[str]:
        message = self._choices.message
        return _typed(self._interactive) if message is None else (message,)

    def _turn(self, turn: Turn) -> bool:
        try:
            self._runner.run(self._answer(turn))
        except ChatError as error:
            self._view.fail(error)
        self._view.end(turn)
        self._thread_id = turn.thread_id
        return turn.status == "completed"

    async def _answer(self, turn: Turn) -> None:
        """Show a turn. Ctrl-C asks the gateway to end its run; a second one leaves at once."""
        loop, task = asyncio.get_running_loop(), asyncio.current_task()
        asked: list[asyncio.Task[None]] = []

        def interrupted() -> None:
            if asked and task is not None:
                task.cancel()
            else:
                asked.append(loop.create_task(self._cancel(turn)))

        loop.add_signal_handler(signal.SIGINT, interrupted)
        try:
            async for event in self._conversation.say(turn):
                self._view.show(event)
        except asyncio.CancelledError:
            raise click.Abort from None
        finally:
            loop.remove_signal_handler(signal.SIGINT)
            for request in asked:
                request.cancel()

    async def _cancel(self, turn: Turn) -> None:
        # Whether it could be asked or not, the turn's own events say how it ends.
        with contextlib.suppress(ChatError, aiohttp.ClientError):
            await self._conversation.cancel(turn)


async def _session(headers: Mapping[str, str]) -> aiohttp.ClientSession:
    return aiohttp.ClientSession(headers=headers)


def _typed(interactive: bool) -> Iterator[str]:  # noqa: FBT001 - it is the whole difference
    """What is typed, or comes through a pipe, a line each."""
    while True:
        try:
            yield input("\n> " if interactive else "")
        except EOFError:
            return
        except KeyboardInterrupt:
            click.echo(f"\n{_KEYS}", err=True)
