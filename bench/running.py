"""Starts servers, waits until they serve, has them loaded, ends them."""

import http.client
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import attrs
import msgspec

from bench.jobs import Job, Report
from bench.peers import Peer
from bench.site import Command, NotServingError, Site, WrongAnswerError

_PATIENCE_SECONDS = 120.0
_GRACE_SECONDS = 15.0
_LOOK_SECONDS = 0.005
_LOG_TAIL = 2000
# Settings of this shell would be settings of the gateway under test.
_OURS = ("GATEWAY_", "OPENAI_", "OTEL_", "SSE_", "ENVIRONMENT", "LOG_", "LOGGING_", "CLIENT_ID")


@attrs.frozen
class Running:
    """A server that serves.

    Args:
        pid: of its first process.
        ready_seconds: from its start until it was ready.
    """

    peer: Peer
    pid: int
    port: int
    ready_seconds: float


@contextmanager
def running(peer: Peer, site: Site, command: Command | None = None) -> Iterator[Running]:
    """Start a server and end it afterwards.

    Args:
        peer: which one.
        site: where.
        command: instead of the peer's own.

    Raises:
        MissingPeerError: it is not on this machine.
        NotServingError: it ended, or was not ready in two minutes.
    """
    command = command or peer.prepare(site)
    log = site.folder / "server.log"
    with log.open("wb") as output:
        started = time.perf_counter()
        process = subprocess.Popen(
            command.arguments,
            env=_environment(command.environment),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        try:
            _wait_until_ready(process, peer, site.port, log)
            yield Running(peer, process.pid, site.port, time.perf_counter() - started)
        finally:
            _end(process)


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


def load(server: Running, job: Job, watch: Callable[[], object] | None = None) -> Report:
    """Have the load generator do a job.

    Args:
        server: named where an answer is wrong.
        job: for the port of a server.
        watch: called about every quarter of a second meanwhile.

    Raises:
        NotServingError: the server takes no connections.
        WrongAnswerError: not every answer was right.
    """
    command = [sys.executable, "-m", "bench.load"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as generator:
        assert generator.stdin is not None  # noqa: S101 -- a pipe was asked for
        generator.stdin.write(msgspec.json.encode(job))
        generator.stdin.close()
        generator.stdin = None
        output = _output(generator, watch or (lambda: None))
    if generator.returncode:
        raise NotServingError(server.peer.name, "The load generator gave up, as it says above.")
    report = msgspec.json.decode(output, type=Report)
    if report.wrong:
        raise WrongAnswerError(server.peer.name, len(report.wrong), job.total, report.wrong[0])
    return report


def _output(generator: subprocess.Popen[bytes], watch: Callable[[], object]) -> bytes:
    while True:
        try:
            return generator.communicate(timeout=0.25)[0]
        except subprocess.TimeoutExpired:
            watch()


def status(port: int, path: str) -> int:
    """The HTTP status of a GET; 0 where nobody listens."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request("GET", path, headers={"Accept": "application/json"})
        return connection.getresponse().status
    except OSError:
        return 0
    finally:
        connection.close()


def _wait_until_ready(process: subprocess.Popen[bytes], peer: Peer, port: int, log: Path) -> None:
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while status(port, peer.ready) != http.client.OK:
        if process.poll() is not None or time.monotonic() > deadline:
            raise NotServingError(peer.name, log.read_text(errors="replace")[-_LOG_TAIL:])
        time.sleep(_LOOK_SECONDS)


def _environment(more: Mapping[str, str]) -> dict[str, str]:
    kept = {name: text for name, text in os.environ.items() if not name.startswith(_OURS)}
    return {**kept, **more}


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(_GRACE_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
