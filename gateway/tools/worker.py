"""The worker: a process beside the gateway that runs tenants' functions and nothing else.

The gateway starts it and talks to it over a socket that it inherits; see ``gateway.tools.frames``.
It ends with the gateway: when the socket closes, or by a signal where a function blocks the loop.
"""

import asyncio
import ctypes
import os
import resource
import signal
import socket
import sys
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import cast

import uvloop

from gateway.tools.errors import ModuleMissingError
from gateway.tools.executor import InlineExecutor
from gateway.tools.frames import (
    LONGEST_COMMAND_BYTES,
    Alive,
    Call,
    Cancel,
    Command,
    Done,
    Frames,
    Missing,
    Ping,
    Report,
    frame,
)
from gateway.tools.jobs import Job

_PR_SET_PDEATHSIG = 1  # linux/prctl.h


class Worker(asyncio.Protocol):
    """Runs what the gateway asks for."""

    _transport: asyncio.WriteTransport

    def __init__(self, executor: InlineExecutor) -> None:
        self._executor = executor
        self._frames: Frames[Command] = Frames(Command, LONGEST_COMMAND_BYTES)
        self._tasks: dict[int, asyncio.Task[None]] = {}
        self._exit_code = os.EX_OK

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Say that calls may come."""
        self._transport = cast("asyncio.WriteTransport", transport)
        self._send(Alive())

    def data_received(self, data: bytes) -> None:
        """Do what is asked for."""
        for command in self._frames.feed(data):
            match command:
                case Call(number, job):
                    task = asyncio.create_task(self._answer(number, job))
                    self._tasks[number] = task
                    task.add_done_callback(partial(self._forget, number))
                case Cancel(number):
                    if number in self._tasks:
                        self._tasks[number].cancel()
                case Ping():
                    self._send(Alive())

    def connection_lost(self, _: Exception | None) -> None:
        """End at once, whatever still runs on threads."""
        os._exit(self._exit_code)

    async def _answer(self, number: int, job: Job) -> None:
        try:
            self._send(Done(number, await self._executor.run(job)))
        except ModuleMissingError:
            self._send(Missing(number))
        if self._executor.exhausted:
            self._retire()

    def _retire(self) -> None:
        """End, once what was sent has arrived: a new worker has threads again."""
        self._exit_code = os.EX_TEMPFAIL
        self._transport.close()

    def _forget(self, number: int, _: object) -> None:
        del self._tasks[number]

    def _send(self, report: Report) -> None:
        self._transport.write(frame(report))


def main() -> None:
    """Work until the gateway closes the socket whose descriptor is the only argument."""
    _end_with_parent()
    _end_before_parent()
    descriptor = int(sys.argv[1])
    _close_all_but(descriptor)
    connection = socket.socket(fileno=descriptor)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_work(connection))


async def _work(connection: socket.socket) -> None:
    loop = asyncio.get_running_loop()
    await loop.create_unix_connection(lambda: Worker(InlineExecutor()), sock=connection)
    await loop.create_future()


def _close_all_but(descriptor: int) -> None:
    """Let go of what the gateway itself inherited, which not every event loop keeps back."""
    os.closerange(3, descriptor)
    os.closerange(descriptor + 1, resource.getrlimit(resource.RLIMIT_NOFILE)[1])


def _end_with_parent() -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def _end_before_parent() -> None:
    """Where memory runs out, the kernel shall end this process and not the gateway."""
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000")


if __name__ == "__main__":
    main()
