"""Clients that go away at any moment or do not read: the run ends and is stored all the same."""

import asyncio
import itertools
import json
import os

import pytest

from tests.fakes.raw_client import RawClient, RawWebSocket, frame, request, say, upgrade
from tests.fakes.scripted_gateway import GatedStream, call_reply, scripted_gateway
from tests.fakes.upstream import raw_reply, stream_reply, text_answer, text_stream

WS = "/t/acme/ws/chat"
CHUNKS = {"Transfer-Encoding": "chunked", "Content-Type": "application/json"}
HALVES = (
    b"POST /t/acme/ch",
    b"POST /t/acme/chat HTTP/1.1\r\nHost: x\r\nContent-",
    say("acme", "hello")[:-5],
    request("POST", "/t/acme/chat", headers=CHUNKS) + b'5\r\n{"mes\r\n',
    upgrade(WS)[:-5],
    upgrade(WS) + frame(b'{"message":"hello"}')[:-5],
    upgrade(WS) + frame(b'{"message":', final=False),
)
JSON = (
    b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\n\r\n",
    text_answer("at last").parts[0],
)
STREAM = (
    b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n",
    text_stream("at ", "last"),
)
DELTAS = ("Hel", "lo, ", "wor", "ld")
BLOCKING = '''
def wait_for_test() -> str:
    """Opens a pipe, and answers with what is written into it."""
    with open({pipe!r}) as pipe:
        return pipe.read()

TOOL_MAP = {{"wait_for_test": wait_for_test}}
'''


@pytest.fixture
async def house(tmp_path, nothing_broke):  # noqa: ARG001 - it looks at the log once this is over
    """A gateway whose function waits for the test."""
    os.mkfifo(tmp_path / "pipe")
    tools = BLOCKING.format(pipe=str(tmp_path / "pipe"))
    async with scripted_gateway(tmp_path, tools) as running:
        yield running


def gated(house):
    """An answer that the upstream gives event by event; asked again, it gives another."""
    answer = GatedStream.of(*DELTAS)
    house.upstream.script(answer.reply)
    house.upstream.usual = text_answer("asked again")
    return answer


async def asked(house, surface, message, thread_id):
    """A turn that was asked for, of whose answer nothing was read."""
    if surface == "websocket":
        client = await RawWebSocket(house.url, WS).__aenter__()
        await client.say(message, thread_id)
        return client
    client = await RawClient(house.url).__aenter__()
    if surface == "sse":
        await client.send(say("acme", message, thread_id))
    else:
        body = json.dumps({"message": message, "thread_id": thread_id}).encode()
        await client.send(request("POST", "/t/acme/chat", body))
    return client


@pytest.mark.parametrize("reset", [False, True])
async def test_gone_during_the_request(house, reset):
    """Half a request starts nothing, and harms nobody."""
    for sent in HALVES:
        async with RawClient(house.url) as client:
            await client.send(sent)
            client.vanish(reset=reset)
    house.upstream.usual = text_answer("whole")

    assert (await house.acme.say("hi"))["responses"] == ["whole"]
    await house.quiet()
    assert len(house.upstream.requests) == 1


@pytest.mark.parametrize("surface", ["sse", "websocket", "json"])
async def test_gone_before_the_answer_begins(house, surface):
    """A turn whose client leaves before the upstream's head is answered and stored."""
    for number, reset in enumerate((False, True), 1):
        thread_id, held = await house.thread(), asyncio.Event()
        head, body = JSON if surface == "json" else STREAM
        house.upstream.script(raw_reply(held, head + body))
        client = await asked(house, surface, "hello", thread_id)
        await house.upstream.until(lambda upstream, n=number: len(upstream.requests) == n)

        client.vanish(reset=reset)
        held.set()
        await house.quiet()

        assert await house.stored(thread_id) == ("at last", "completed")


@pytest.mark.parametrize("surface", ["sse", "websocket"])
async def test_gone_after_any_event(house, surface):
    """Whichever event was the last, the run is stored, and the same message joins it."""
    for number, (count, reset) in enumerate(itertools.product(range(1, 8), (False, True)), 1):
        answer, thread_id = gated(house), await house.thread()
        client = await asked(house, surface, "hello", thread_id)
        answer.let(count)
        # The first three events of the upstream open a message; each delta follows with the next.
        await client.read_until(DELTAS[count - 4].encode() if count > 3 else b"in_progress")

        client.vanish(reset=reset)
        answer.let()
        await house.quiet()
        again = await house.acme.say("hello", thread_id)

        assert await house.stored(thread_id) == ("Hello, world", "completed")
        assert again["responses"] == ["Hello, world"]
        assert len(house.upstream.requests) == number


@pytest.mark.parametrize("surface", ["sse", "websocket"])
async def test_gone_just_before_the_end(house, surface):
    """A client that has all but the end misses only that, and it can be read later."""
    answer, thread_id = gated(house), await house.thread()
    client = await asked(house, surface, "hello", thread_id)
    answer.let(len(answer.gates) - 1)
    await client.read_until(b"thread.message.completed")

    client.vanish()
    answer.let()
    await house.quiet()

    assert await house.stored(thread_id) == ("Hello, world", "completed")
    assert (await house.acme.say("hello", thread_id))["responses"] == ["Hello, world"]
    assert len(house.upstream.requests) == 1


@pytest.mark.parametrize("surface", ["sse", "websocket"])
async def test_gone_during_a_tool_round(house, tmp_path, surface):
    """The function is not interrupted, and what it gave reaches the model."""
    thread_id = await house.thread()
    house.upstream.script(call_reply("wait_for_test"), stream_reply(text_stream("done")))
    client = await asked(house, surface, "hello", thread_id)
    # Opening the pipe waits until the function has opened it.
    pipe = await asyncio.to_thread(os.open, tmp_path / "pipe", os.O_WRONLY)
    await client.read_until(b"thread.run.step")

    client.vanish()
    os.write(pipe, b"from the function")
    os.close(pipe)
    await house.quiet()

    assert await house.stored(thread_id) == ("done", "completed")
    assert house.upstream.requests[1].json["input"][-1]["output"] == "from the function"
