"""Clients that read slowly, not at all, or vanish in crowds: they cost nothing that stays."""

import asyncio
import gc
from pathlib import Path

import pytest

from gateway import serving
from gateway.runs.live import LiveRun
from gateway.runs.log import Reader
from tests.fakes.raw_client import PING, RawClient, RawWebSocket, say
from tests.fakes.scripted_gateway import scripted_gateway
from tests.fakes.upstream import raw_reply, stream_reply, text_stream

WS = "/t/acme/ws/chat"
# Far more than sockets and servers hold back for a client; each letter comes in five events.
LENGTH = 3_000_000
FLOOD = stream_reply(text_stream(*["x" * 4000] * (LENGTH // 4000)))
HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n"
DETACHED = b"agw_clients_detached_total 1.0"


@pytest.fixture
def house(tmp_path, nothing_broke):  # noqa: ARG001 - it looks at the log once this is over
    """Starts a gateway with these bounds."""

    def start(**bounds):
        return scripted_gateway(tmp_path, **bounds)

    return start


async def asked(house, surface, thread_id):
    """A client with the smallest of buffers who asked for a turn."""
    if surface == "websocket":
        client = await RawWebSocket(house.url, WS, receive_buffer=2048).__aenter__()
        await client.say("flood", thread_id)
    else:
        client = await RawClient(house.url, receive_buffer=2048).__aenter__()
        await client.send(say("acme", "flood", thread_id))
    await house.upstream.until(lambda upstream: len(upstream.requests) == 1)
    return client


@pytest.mark.parametrize("surface", ["sse", "websocket"])
async def test_who_reads_byte_by_byte_is_detached_and_may_come_back(house, surface):
    """A reader too slow for one send is let go of; its run ended long ago, and can be joined."""
    async with house(stuck_seconds=0.2) as running:
        running.upstream.script(FLOOD)
        thread_id = await running.thread()
        client = await asked(running, surface, thread_id)
        await running.until(b"agw_runs_active 0.0")
        while not running.counts(DETACHED):
            assert await client.take(1)
            await running.acme.ask("GET", "/")
        await running.quiet()
        client.vanish()
        again = await running.acme.say("flood", thread_id)

    assert len(again["responses"][0]) == LENGTH
    assert len(running.upstream.requests) == 1


@pytest.mark.parametrize("surface", ["sse", "websocket"])
async def test_who_never_reads_is_detached(house, surface):
    """A client that takes nothing is let go of, and the same message joins its run."""
    async with house(stuck_seconds=0.2) as running:
        running.upstream.script(FLOOD)
        thread_id = await running.thread()
        client = await asked(running, surface, thread_id)
        await running.until(DETACHED)
        await running.quiet()
        client.vanish()
        again = await running.acme.say("flood", thread_id)

    assert len(again["responses"][0]) == LENGTH
    assert len(running.upstream.requests) == 1


@pytest.mark.parametrize("reset", [False, True])
@pytest.mark.parametrize("surface", ["sse", "websocket"])
async def test_who_vanishes_while_the_server_waits_for_it(house, surface, reset):
    """Gone in the middle of a blocked send: nothing is left, and the same message joins."""
    async with house(stuck_seconds=20) as running:
        running.upstream.script(FLOOD)
        thread_id = await running.thread()
        client = await asked(running, surface, thread_id)
        await running.until(b"agw_runs_active 0.0")
        assert running.counts(f'agw_open_streams{{surface="{surface}"}} 1.0'.encode())

        client.vanish(reset=reset)
        await running.quiet()
        again = await running.acme.say("flood", thread_id)

    assert len(again["responses"][0]) == LENGTH
    assert len(running.upstream.requests) == 1


async def test_who_asks_and_never_reads_is_not_read_from(house):
    """Answers that nobody takes hold up further frames, so they do not pile up."""
    ping = b"\x81\x8f" + bytes(4) + b'{"type":"ping"}'
    async with house() as running, RawWebSocket(running.url, WS, receive_buffer=2048) as client:
        sending = asyncio.ensure_future(client.send(ping * 1_000_000))
        done, _ = await asyncio.wait([sending], timeout=0.5)
        client.vanish(reset=True)
        sending.cancel()
        await asyncio.gather(sending, return_exceptions=True)
        await running.quiet()

    assert not done


async def test_a_socket_whose_client_answers_no_ping_stays_open(house, monkeypatch):
    """Ping after ping is sent and none awaited; then a message on the connection is answered."""
    monkeypatch.setattr(serving, "_PING_SECONDS", 0.02)
    async with house() as running, RawWebSocket(running.url, WS) as client:
        # A server that waits for pongs sends the second ping only after the first pong.
        kinds = [(await client.next_frame())[0] for _ in range(10)]
        running.upstream.script(stream_reply(text_stream("still here")))
        await client.say("are you there?")
        names = []
        while not names or names[-1] != "metadata":
            names.append((await client.next_event())["event"])

    assert kinds == [PING] * 10
    assert names[-2] == "thread.run.completed"


async def test_two_hundred_who_vanish_leave_nothing(house):
    """After 200 clients gone at all moments: no task, descriptor, reader or run of theirs."""
    async with house() as running:
        await _crowd(running, 10)
        before = _held()

        await _crowd(running, 200)

        async with asyncio.timeout(20):
            while _held() > before:
                await running.acme.ask("GET", "/")
        assert (await running.acme.ask("GET", "/"))[0] == 200


async def _crowd(running, count):
    """Clients of both surfaces that vanish at different moments of their turns."""
    held = asyncio.Event()
    answer = text_stream(*["word "] * 20)
    running.upstream.usual = raw_reply(HEAD + answer[:2000], held, answer[2000:])
    async with asyncio.TaskGroup() as group:
        for number in range(count):
            group.create_task(_come_and_go(running, number))
    held.set()
    await running.quiet()


async def _come_and_go(running, number):
    if number % 2:
        client = await RawWebSocket(running.url, WS).__aenter__()
        await client.say(f"number {number}")
    else:
        client = await RawClient(running.url).__aenter__()
        await client.send(say("acme", f"number {number}"))
    marks = (None, b"created", b"in_progress", b"delta")
    if (mark := marks[number // 2 % 4]) is not None:
        await client.read_until(mark)
    client.vanish(reset=number % 3 == 0)


def _held():
    """Tasks, descriptors, and what is kept of streams and runs."""
    gc.collect()
    kept = sum(isinstance(thing, Reader | LiveRun) for thing in gc.get_objects())
    return kept, len(asyncio.all_tasks()), len(list(Path("/proc/self/fd").iterdir()))
