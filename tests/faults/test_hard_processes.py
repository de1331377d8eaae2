"""The command under hard clients, and when it is killed: memory, descriptors, what is kept."""

import aiohttp
import pytest

from tests.fakes.conversation import Talker, next_event
from tests.fakes.raw_client import RawClient, RawWebSocket, request
from tests.fakes.scripted_gateway import GatedStream
from tests.fakes.served_process import served_process
from tests.fakes.two_tenants import two_tenants
from tests.fakes.upstream import Upstream, stream_reply, text_answer, text_stream

FLOOD = stream_reply(text_stream(*["x" * 4000] * 1000))  # 4 MB in deltas, 20 MB in all
READERS = 40


@pytest.fixture
async def upstream():
    """An upstream that plays a script."""
    async with Upstream(text_answer("well")) as running:
        yield running


async def test_readers_that_do_not_read_cost_little_memory(tmp_path, upstream):
    """Forty clients who leave a long run unread cost what their buffers hold, not forty runs."""
    upstream.script(FLOOD)
    environ = two_tenants(tmp_path, upstream.base_url)
    async with (
        served_process(tmp_path, environ) as process,
        aiohttp.ClientSession(process.url) as session,
    ):
        acme = Talker(session)
        first = await RawClient(process.url, receive_buffer=2048).__aenter__()
        body = b'{"message":"flood","thread_id":null}'
        await first.send(request("POST", "/t/acme/chat", body, {"Accept": "text/event-stream"}))
        await first.read_until(b"\r\nid: ")
        run_id = (await first.read_until(b"-1\n")).decode().removesuffix("-1\n")
        while (await acme.ask("GET", f"/runs/{run_id}"))[1]["status"] != "completed":
            pass
        before = process.descriptors
        # The first ones have the log unpacked; it is there for all the others too.
        clients = [await _join(process, number, run_id) for number in range(2)]
        memory = process.resident_bytes
        clients += [await _join(process, number, run_id) for number in range(READERS)]
        grown = process.resident_bytes - memory
        for client in [*clients, first]:
            client.vanish()
        while process.descriptors >= before:
            await acme.ask("GET", "/")

    # A reader holds the batches around its place; the whole run takes 17 MB.
    assert grown < READERS * 5_000_000


async def _join(process, number, run_id):
    """A client of either kind that has seen the run begin, and reads no further."""
    if number % 2:
        client = await RawClient(process.url, receive_buffer=2048).__aenter__()
        await client.send(request("GET", f"/t/acme/runs/{run_id}/events"))
    else:
        client = await RawWebSocket(process.url, "/t/acme/ws/chat", 2048).__aenter__()
        await client.send_frame(f'{{"type":"resume","run_id":"{run_id}"}}'.encode())
    await client.read_until(b"thread.run.created")
    return client


async def test_what_was_told_survives_a_kill(tmp_path, upstream):
    """After a kill what ended is there, what worked has failed, and both threads go on."""
    environ = two_tenants(tmp_path, upstream.base_url)
    gated = GatedStream.of("never ", "told")
    async with (
        served_process(tmp_path, environ) as process,
        aiohttp.ClientSession(process.url) as session,
    ):
        acme = Talker(session)
        ended = await acme.say("hello")
        upstream.script(gated.reply)
        gated.let(5)
        async with acme.open("hello", (await acme.ask("GET", "/start"))[1]["thread_id"]) as stream:
            working = (await next_event(stream)).object
            await process.kill()
    async with (
        served_process(tmp_path, environ) as process,
        aiohttp.ClientSession(process.url) as session,
    ):
        acme = Talker(session)
        runs = [
            (await acme.ask("GET", f"/runs/{run_id}"))[1]
            for run_id in (ended["run_id"], working["id"])
        ]
        _, page = await acme.ask("GET", f"/threads/{ended['thread_id']}/messages")
        again = [
            await acme.say("and now?", thread_id)
            for thread_id in (ended["thread_id"], working["thread_id"])
        ]
        rest = await acme.events(working["id"])

    assert [run["status"] for run in runs] == ["completed", "failed"]
    assert [message["role"] for message in page["data"]] == ["assistant", "user"]
    assert [each["responses"] for each in again] == [["well"], ["well"]]
    assert b"thread.run.failed" in rest
