"""What is measured on fresh servers: memory, and the time to ready."""

from collections.abc import Iterator
from contextlib import contextmanager

import attrs

from bench.figures import Figure
from bench.jobs import Answer, Job
from bench.onboarding import tenant_id, write_tenants
from bench.peers import FEW_TENANTS, GATEWAY, Peer
from bench.percentiles import percentile
from bench.processes import Memory, calm, cpu_seconds, memory
from bench.prompts import http_get
from bench.running import Running, load
from bench.workshop import Workshop, job, warm

_OPENED_PER_SECOND = 100
_EVENT_MS = 1000
_HELD_SECONDS = 4
_TENANT_CLIENTS = 4


@attrs.define
class _Peak:
    """The most memory that a process has held."""

    pid: int
    most: Memory = attrs.field(factory=Memory)

    def look(self) -> None:
        now = memory(self.pid)
        self.most = Memory(max(now.rss, self.most.rss), max(now.pss, self.most.pss))


def open_streams(workshop: Workshop, peer: Peer) -> dict[Figure, float]:
    """Streams of one event a second, opened at 100 a second and all open at once."""
    streams = workshop.scale.streams
    deltas = streams // _OPENED_PER_SECOND + _HELD_SECONDS
    with workshop.fresh(peer) as server:
        warm(server)
        idle = memory(server.pid)
        peak = _Peak(server.pid)
        work = job(
            server, total=streams, per_second=_OPENED_PER_SECOND, deltas=deltas, delay=_EVENT_MS
        )
        report = load(server, work, peak.look)
    grown = peak.most - idle
    return {
        Figure.STREAMS_P99: percentile(report.first_ms, 99),
        Figure.STREAMS_RSS: grown.rss,
        Figure.STREAMS_PSS: grown.pss,
    }


def many_tenants(workshop: Workshop, peer: Peer) -> dict[Figure, float]:
    """A process that has loaded every tenant, against an idle one that has few."""
    with _serving(workshop, peer, FEW_TENANTS) as server:
        calm(server.pid)
        idle = memory(server.pid)
    count = workshop.scale.tenants
    with _serving(workshop, peer, count) as server:
        calm(server.pid)
        before = cpu_seconds(server.pid)
        _visit(server, count)
        cpu = cpu_seconds(server.pid) - before
        calm(server.pid)
        grown = memory(server.pid) - idle
    return {
        Figure.TENANTS_RSS: grown.rss,
        Figure.TENANTS_PSS: grown.pss,
        Figure.TENANT_CPU: cpu / count * 1e3,
    }


def start(workshop: Workshop, peer: Peer) -> dict[Figure, float]:
    """The time to ready and the memory of an idle process, the gateway with many tenants."""
    tenants = workshop.scale.registry if peer is GATEWAY else 0
    with _serving(workshop, peer, tenants) as server:
        ready = server.ready_seconds
        calm(server.pid)
        idle = memory(server.pid)
    return {Figure.READY: ready, Figure.IDLE_RSS: idle.rss, Figure.IDLE_PSS: idle.pss}


@contextmanager
def _serving(workshop: Workshop, peer: Peer, tenants: int) -> Iterator[Running]:
    """A fresh server; the gateway with so many tenants that have functions."""
    site = workshop.site()
    if tenants:
        write_tenants(site.folder / "tenants", tenants, tools=True)
    with workshop.fresh(peer, site) as server:
        yield server


def _visit(server: Running, tenants: int) -> None:
    """Have each tenant loaded by a request of its own."""
    requests = [http_get(f"/t/{tenant_id(index)}/") for index in range(tenants)]
    answer = Answer(end=b'"tenant_id"')
    load(server, Job(server.port, requests, answer, tenants, connections=_TENANT_CLIENTS))
