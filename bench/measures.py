"""What is measured while a warm server works: CPU, throughput, delay."""

from bench.figures import Figure
from bench.jobs import Job, Report
from bench.peers import Peer
from bench.percentiles import percentile
from bench.processes import cpu_seconds
from bench.prompts import WORDS
from bench.running import Running, load
from bench.workshop import Workshop, job

_CLIENTS = 16
_BURST_CLIENTS = 8
_BURST_DELTAS = 108
_PACED_STREAMS = 20
_PACED_MS = 10
_FEW_DELTAS = 8


def json_turns(workshop: Workshop, peer: Peer) -> dict[Figure, float]:
    """Unstreamed turns of 100 words, each on a new thread."""
    server = workshop.serving(peer)
    turns = workshop.scale.turns
    cpu, report = _costed(server, job(server, total=turns, connections=_CLIENTS, words=WORDS))
    return {
        Figure.JSON_CPU: cpu / turns * 1e3,
        Figure.JSON_PER_CPU: turns / cpu,
        Figure.JSON_RATE: turns / report.seconds,
    }


def burst(workshop: Workshop, peer: Peer) -> dict[Figure, float]:
    """Streams whose events leave the upstream in one write."""
    server = workshop.serving(peer)
    streams = workshop.scale.bursts
    work = job(server, total=streams, connections=_BURST_CLIENTS, deltas=_BURST_DELTAS)
    cpu, _ = _costed(server, work)
    return {Figure.BURST_CPU: cpu / (streams * _BURST_DELTAS) * 1e6}


def paced(workshop: Workshop, peer: Peer) -> dict[Figure, float]:
    """Twenty streams with a delta every 10 ms."""
    server = workshop.serving(peer)
    deltas = workshop.scale.paced_deltas
    work = job(
        server, total=_PACED_STREAMS, connections=_PACED_STREAMS, deltas=deltas, delay=_PACED_MS
    )
    cpu, _ = _costed(server, work)
    return {Figure.PACED_CPU: cpu / (_PACED_STREAMS * deltas) * 1e6}


def first_event(workshop: Workshop, peer: Peer) -> dict[Figure, float]:
    """One stream after the other: from the request to the first byte of the body."""
    server = workshop.serving(peer)
    report = load(
        server, job(server, total=workshop.scale.first_events, connections=1, deltas=_FEW_DELTAS)
    )
    return {
        Figure.FIRST_P50: percentile(report.first_ms, 50),
        Figure.FIRST_P99: percentile(report.first_ms, 99),
    }


def _costed(server: Running, work: Job) -> tuple[float, Report]:
    """The CPU seconds that a server needs for a job."""
    before = cpu_seconds(server.pid)
    report = load(server, work)
    return cpu_seconds(server.pid) - before, report
