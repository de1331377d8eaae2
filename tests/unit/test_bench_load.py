"""The load generator asks as often as it is told, and says what was wrong."""

import asyncio
import time

import pytest

from bench.jobs import Answer, Job
from bench.load import run
from bench.prompts import WORDS, message, responses_answer, responses_request
from gateway.simulator.server import Simulator


@pytest.fixture
async def simulator():
    """A simulator's port."""
    async with Simulator() as server:
        yield int(server.base_url.removesuffix("/v1").rpartition(":")[2])


def job(port, *, stream=0, total=6, connections=2, per_second=0.0, **script):
    """A job of Responses requests."""
    if stream:
        script["deltas"] = stream
    return Job(
        port=port,
        requests=[responses_request(message(**script), stream=bool(stream))],
        answer=responses_answer(stream),
        total=total,
        connections=connections,
        per_second=per_second,
    )


async def test_every_right_answer_is_timed(simulator):
    """Turns and streams are made as often as asked, each with its times."""
    turns = await run(job(simulator, words=WORDS))
    streams = await run(job(simulator, stream=108))

    for report in (turns, streams):
        assert report.wrong == []
        assert len(report.first_ms) == len(report.whole_ms) == 6
        assert all(
            0 < first <= whole <= report.seconds * 1000
            for first, whole in zip(report.first_ms, report.whole_ms, strict=True)
        )


async def test_first_event_is_timed_before_the_deltas(simulator):
    """A stream's first event is not waited for until its paced deltas come."""
    report = await run(job(simulator, stream=4, delay="50ms"))

    assert max(report.first_ms) < 150 < min(report.whole_ms)


@pytest.mark.parametrize(
    ("script", "wrong"),
    [
        ({"words": WORDS - 1}, "99 words, not 100"),
        ({"words": WORDS, "status": 500}, "status 500"),
        ({"stream": 8, "cut": "after=6"}, "the connection was lost"),
        ({"stream": 8, "failed": "server_error"}, "4 deltas, not 8"),
    ],
)
async def test_wrong_answers_are_told_and_not_timed(simulator, script, wrong):
    """A wrong answer is in no figure, and the next request is made on a new connection."""
    report = await run(job(simulator, **script))

    assert len(report.wrong) == 6
    assert all(each.startswith(wrong) for each in report.wrong)
    assert report.first_ms == []


async def test_streams_are_opened_on_time(simulator):
    """Streams on connections of their own are opened by the clock while the others go on."""
    began = time.perf_counter()

    work = job(simulator, stream=4, delay="60ms", total=10, connections=0, per_second=100)
    report = await run(work)

    assert report.wrong == []
    assert 0.09 + 0.24 <= time.perf_counter() - began < 10 * 0.24
    assert min(report.whole_ms) >= 240


async def test_server_that_closes_is_connected_to_again():
    """A server may close after each answer; the next request goes to a new connection."""
    body = b'{"responses":["one two"]}'
    head = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % len(body)

    async def answer(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(head + body)
        await writer.drain()
        writer.close()
        await writer.wait_closed()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        request = b"GET / HTTP/1.1\r\n\r\n"
        two_words = Answer(words=2)

        report = await run(Job(port, [request], two_words, total=5, connections=2))

    assert report.wrong == []
    assert len(report.whole_ms) == 5
