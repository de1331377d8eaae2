"""``python -m bench.load``: the load generator, a process of its own.

A job comes in as JSON on the standard input, a report goes out on the standard output.
"""

import asyncio
import itertools
import sys
import time
from collections.abc import Iterator

import msgspec
import uvloop

from bench.connection import Connection, Outcome
from bench.jobs import Job, Report
from bench.machine import raise_open_files


async def run(job: Job) -> Report:
    """Do a job."""
    requests = itertools.islice(itertools.cycle(job.requests), job.total)
    started = time.perf_counter()
    outcomes = await (_in_turn(job, requests) if job.connections else _on_time(job, requests))
    return _report(time.perf_counter() - started, outcomes)


async def _in_turn(job: Job, requests: Iterator[bytes]) -> list[Outcome]:
    """Each connection sends the next request once its answer is there."""
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(_worker(job, requests)) for _ in range(job.connections)]
    return [outcome for task in tasks for outcome in task.result()]


async def _worker(job: Job, requests: Iterator[bytes]) -> list[Outcome]:
    outcomes: list[Outcome] = []
    connection = await _connect(job)
    for request in requests:
        if not connection.usable:
            connection = await _connect(job)
        outcomes.append(await connection.ask(request))
    connection.close()
    return outcomes


async def _on_time(job: Job, requests: Iterator[bytes]) -> list[Outcome]:
    """A new connection at each tick, whether or not the answers come."""
    loop = asyncio.get_running_loop()
    start = loop.time()
    async with asyncio.TaskGroup() as group:
        tasks: list[asyncio.Task[Outcome]] = []
        for index, request in enumerate(requests):
            await asyncio.sleep(start + index / job.per_second - loop.time())
            tasks.append(group.create_task(_once(job, request)))
    return [task.result() for task in tasks]


async def _once(job: Job, request: bytes) -> Outcome:
    connection = await _connect(job)
    outcome = await connection.ask(request)
    connection.close()
    return outcome


async def _connect(job: Job) -> Connection:
    loop = asyncio.get_running_loop()
    _, connection = await loop.create_connection(
        lambda: Connection(job.answer), "127.0.0.1", job.port
    )
    return connection


def _report(seconds: float, outcomes: list[Outcome]) -> Report:
    right = [outcome for outcome in outcomes if outcome.fault is None]
    wrong = [outcome.fault for outcome in outcomes if outcome.fault is not None]
    return Report(
        seconds=seconds,
        first_ms=[outcome.first_seconds * 1000 for outcome in right],
        whole_ms=[outcome.whole_seconds * 1000 for outcome in right],
        wrong=wrong,
    )


def main() -> None:
    """Read a job, do it, report."""
    raise_open_files()
    job = msgspec.json.decode(sys.stdin.buffer.read(), type=Job)
    sys.stdout.buffer.write(msgspec.json.encode(uvloop.run(run(job))))


if __name__ == "__main__":
    main()
