"""Servers that speak the protocol oddly, and models that do not stop."""

import asyncio
import json

import aiohttp
import pytest

from tests.fakes.conversation import Talker, parse_all
from tests.fakes.gateway import serving, write_tenant
from tests.fakes.two_tenants import WEATHER
from tests.fakes.upstream import (
    Upstream,
    json_reply,
    response,
    sse,
    stream_reply,
    text_answer,
    text_stream,
)


@pytest.fixture
async def upstream():
    """An upstream that says what it is told to."""
    async with Upstream(text_answer("sure")) as server:
        yield server


@pytest.fixture
async def acme(tmp_path, upstream):
    """A client of a gateway before it."""
    limits = "timeout_seconds = 5\nmax_rounds = 2\n"
    folder = write_tenant(tmp_path / "tenants", "acme", tools=WEATHER)
    document = folder / "tenant.toml"
    document.write_text(document.read_text() + limits)
    environ = {
        "GATEWAY_TENANTS": f"dir:{tmp_path / 'tenants'}",
        "GATEWAY_STORE": f"sqlite:{tmp_path / 'gateway.db'}",
        "OPENAI_BASE_URL": upstream.base_url,
        "OPENAI_API_KEY": "sk-x",
    }
    async with serving(environ) as gateway, aiohttp.ClientSession(gateway.url) as session:
        yield Talker(session)


def whole(*items, **fields):
    """An unstreamed answer."""
    return json_reply(response("completed", output=list(items), **fields))


def message(content):
    """A message of any content."""
    return {"type": "message", "id": "m1", "role": "assistant", "content": content}


def call(**fields):
    """A call of the weather."""
    return {
        "type": "function_call",
        "name": "get_weather",
        "arguments": '{"city":"Paris"}',
        **fields,
    }


@pytest.mark.parametrize("content", ["text", 7, {"a": 1}, [3, "x", None], None])
async def test_odd_content_ends_its_run_and_frees_the_thread(acme, upstream, content):
    """Content of another shape than parts is read as far as it goes, and the thread goes on."""
    upstream.script(whole(message(content)), whole(message([])))

    first = await acme.say("hi")
    second = await acme.say("again", first["thread_id"])

    assert first["responses"] == (["text"] if content == "text" else [])
    assert second["status"] == "completed"


@pytest.mark.parametrize("surface", ["json", "sse"])
async def test_a_number_out_of_range_fails_the_run_and_nothing_else(acme, upstream, surface):
    """JSON that nobody can read ends the run as failed, with its terminal event."""
    item = '{"type":"message","id":"m","content":[],"n":1e999}'
    event = b'data: {"type":"response.output_item.done","output_index":0,"item":' + item.encode()
    upstream.script(stream_reply(sse({"type": "response.created"}), event + b"}\n\n"))

    if surface == "sse":
        events = await acme.stream("hi")
        assert events[-2].name == "thread.run.failed"
    else:
        status, problem = await acme.ask("POST", "/chat", json={"message": "hi"})
        assert (status, problem["type"]) == (502, "urn:agw:upstream-broken")


async def test_arguments_as_an_object_are_arguments(acme, upstream):
    """Some servers do not encode them; a call without an id gets one that fits its output."""
    upstream.script(whole(call(arguments={"city": "Rome"})), whole(message("done")))

    assert (await acme.say("weather?"))["responses"] == ["done"]

    sent, output = upstream.requests[-1].json["input"][-2:]
    assert json.loads(sent["arguments"]) == {"city": "Rome"}
    assert sent["call_id"] == output["call_id"] != ""
    assert json.loads(output["output"])["city"] == "Rome"


async def test_a_model_that_calls_for_ever_fails(acme, upstream):
    """After the last round, in which it may call nothing, a further call is no success."""
    upstream.script(*(whole(call(call_id=f"c{number}")) for number in range(4)))

    status, problem = await acme.ask("POST", "/chat", json={"message": "loop"})

    assert (status, problem["run_status"]) == (502, "failed")
    assert [request.json.get("tool_choice") for request in upstream.requests][-1] == "none"
    assert len(upstream.requests) == 3


async def test_nonsense_counts_of_tokens_are_none(acme, upstream):
    """Negative and absurd counts are not added up."""
    usage = {"input_tokens": -5, "output_tokens": 10**30, "total_tokens": True}
    upstream.script(whole(message("hi"), usage=usage))

    answer = await acme.say("hi")

    assert set(answer["usage"].values()) == {0}


async def test_the_same_words_after_a_read_end_are_a_new_message(acme, upstream):
    """A cut that was made good by resuming does not swallow the next message of the same words."""
    thread_id = (await acme.say("hello"))["thread_id"]
    body, rest = text_stream("one ", "two"), asyncio.Event()
    half = body.index(b"two")
    upstream.script(stream_reply(body[:half], rest, body[half:]))
    async with acme.open("yes", thread_id) as stream:
        await stream.content.readline()
        stream.close()
    asked = {"message": "yes", "thread_id": thread_id}
    joining = asyncio.ensure_future(acme.ask("POST", "/chat", json=asked))
    rest.set()
    status, first = await joining
    again = await acme.say("yes", thread_id)

    assert status == 200
    assert again["run_id"] != first["run_id"]


async def test_resuming_a_run_that_was_told_to_its_end_says_so(acme):
    """Over the WebSocket an error frame stands for HTTP's 204; a cancel without a turn too."""
    events = parse_all(await acme.events((await acme.say("hello"))["run_id"]))
    async with acme.session.ws_connect(acme.path("/ws/chat")) as socket:
        run_id, last = events[-1].data["run_id"], events[-1].number
        await socket.send_json({"type": "resume", "run_id": run_id, "after": last})
        ended = await socket.receive_json(timeout=5)
        await socket.send_json({"type": "cancel"})
        idle = await socket.receive_json(timeout=5)

    assert (ended["error_code"], idle["error_code"]) == ("run_ended", "no_turn")
