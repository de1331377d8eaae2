"""Where measurements are made: one simulator, the servers in front of it, a folder for each."""

import itertools
import tempfile
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

import attrs

from bench.jobs import Job
from bench.peers import Peer
from bench.processes import calm
from bench.prompts import WORDS, message
from bench.running import Running, free_port, load, running
from bench.site import Command, Site
from gateway.simulator.server import spawn


@attrs.frozen
class Scale:
    """How much is asked in one round of each measure.

    Args:
        streams: held open at once for the memory of a stream.
        tenants: loaded at once for the memory of a tenant.
        registry: tenants in the directory when the time to ready is taken.
    """

    turns: int = 1500
    bursts: int = 200
    paced_deltas: int = 200
    first_events: int = 200
    streams: int = 1000
    tenants: int = 10_000
    registry: int = 1000


QUICK = Scale(
    turns=300,
    bursts=50,
    paced_deltas=100,
    first_events=50,
    streams=100,
    tenants=500,
    registry=200,
)


class Workshop:
    """Servers that live as long as it does, and fresh ones; a context manager."""

    def __init__(self, scale: Scale) -> None:
        self.scale = scale
        self._stack = ExitStack()
        self._serving: dict[str, Running] = {}
        self._numbers = itertools.count(1)

    def __enter__(self) -> Self:
        self._folder = Path(self._stack.enter_context(tempfile.TemporaryDirectory()))
        process, self._upstream = spawn()
        self._stack.enter_context(process)
        self._stack.callback(process.terminate)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End every server."""
        self._stack.close()

    def site(self) -> Site:
        """A new place for a server."""
        folder = self._folder / str(next(self._numbers))
        folder.mkdir()
        return Site(folder, self._upstream, free_port())

    def serving(self, peer: Peer) -> Running:
        """A server that is warm and stays up; started when it is asked for first."""
        if peer.name not in self._serving:
            server = self._stack.enter_context(running(peer, self.site()))
            warm(server)
            self._serving[peer.name] = server
        return self._serving[peer.name]

    def fresh(
        self, peer: Peer, site: Site | None = None, command: Command | None = None
    ) -> AbstractContextManager[Running]:
        """A server of its own for one measurement; see ``running``."""
        return running(peer, site or self.site(), command)


def job(
    server: Running, *, total: int, connections: int = 0, per_second: float = 0.0, **script: int
) -> Job:
    """A job for a server; with ``deltas`` in the script its answers are streams."""
    deltas = script.get("deltas", 0)
    directives: dict[str, str | int] = dict(script)
    if "delay" in directives:
        directives["delay"] = f"{directives['delay']}ms"
    return Job(
        port=server.port,
        requests=server.peer.requests(message(**directives), bool(deltas)),
        answer=server.peer.answer(deltas),
        total=total,
        connections=connections,
        per_second=per_second,
    )


def warm(server: Running) -> None:
    """Have a server do some of everything, and come to rest."""
    load(server, job(server, total=100, connections=8, words=WORDS))
    load(server, job(server, total=40, connections=8, deltas=20))
    calm(server.pid)
