"""The engine's port on the Responses engine, against a real server."""

import asyncio
import gzip
import json
from collections import Counter
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openai.types.responses import Response, ResponseOutputItemDoneEvent
from openai.types.responses.response_completed_event import ResponseCompletedEvent
from openai.types.responses.response_created_event import ResponseCreatedEvent

from gateway.engines.errors import EngineError
from gateway.engines.events import Delta, ItemChanged, ResponseGoesOn
from gateway.engines.exchange import Limits
from gateway.engines.proxies import Proxies
from gateway.engines.responses import ResponsesEngine
from gateway.engines.responses_answer import events_of
from gateway.engines.retrying import Retrying
from gateway.engines.transport import Transport
from tests.fakes.calls import make_assistant, make_call, read_all
from tests.fakes.upstream import (
    Ending,
    Upstream,
    error_reply,
    head,
    json_reply,
    raw_reply,
    response,
    sse,
    stream_reply,
    text_answer,
    text_stream,
    whole_stream_reply,
)


@pytest.fixture
async def upstream():
    """A scriptable upstream."""
    async with Upstream() as server:
        yield server


@pytest.fixture
async def transport():
    """A transport that goes to this machine without proxies."""
    async with Transport(Limits(release_seconds=0.05)) as opened:
        yield opened


@pytest.fixture
def engine(transport):
    """The engine under test, which never sleeps between attempts."""
    return ResponsesEngine(transport, Retrying(sleep=lambda _: asyncio.sleep(0)))


def texts(events):
    """What the deltas of some events say."""
    return "".join(event.body.delta for event in events if isinstance(event.body, Delta))


async def test_a_stream_comes_whole(engine, upstream):
    """Every event of a stream comes in order, as it was sent."""
    stream = text_stream("Hel", "lo ", "wörld 🙂")
    upstream.script(stream_reply(stream))

    events = await read_all(await engine.open(make_call(upstream.base_url)))

    assert [event.raw for event in events] == [
        line.removeprefix(b"data: ") for line in stream.split(b"\n") if line.startswith(b"data")
    ]
    assert texts(events) == "Hello wörld 🙂"
    assert events[-1].body.response.usage["total_tokens"] == 5


async def test_the_request_reaches_the_upstream(engine, upstream):
    """The call goes to ``/responses`` under the tenant's key, with the turn's correlation id."""
    upstream.script(stream_reply(text_stream("hi")))

    await read_all(await engine.open(make_call(upstream.base_url)))

    request = upstream.requests[0]
    assert (request.method, request.target) == ("POST", "/v1/responses")
    assert request.headers["authorization"] == "Bearer sk-planted-secret"
    assert request.headers["x-correlation-id"] == "corr-1"
    assert request.json["input"] == [{"type": "message", "role": "user", "content": "hi"}]


async def test_a_body_of_megabytes_is_sent(engine, upstream):
    """A conversation of several megabytes goes out whole."""
    upstream.script(text_answer("long"))
    item = json.dumps({"role": "user", "content": "x" * 3_000_000}).encode()

    await read_all(
        await engine.open(make_call(upstream.base_url, stream=False, input=(item, item)))
    )

    assert len(upstream.requests[0].json["input"][1]["content"]) == 3_000_000


def sizes(recording):
    """How a recording is cut for the upstream to write: bytes for small ones."""
    return 1 if len(recording) < 8_000 else 997


async def test_recordings_cut_at_odd_bytes(engine, upstream, shared_folder):
    """Real streams, written in odd pieces, come whole and in order."""
    for path in sorted((shared_folder / "recordings").glob("*.sse")):
        recording = path.read_bytes()
        size = sizes(recording)
        pieces = [recording[at : at + size] for at in range(0, len(recording), size)]
        upstream.script(stream_reply(*pieces))

        events = await read_all(await engine.open(make_call(upstream.base_url)))

        sent = [line[6:] for line in recording.split(b"\n") if line.startswith(b"data: ")]
        assert [event.raw for event in events] == sent


@given(cuts=st.lists(st.integers(1, 31_000), max_size=8))
@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
async def test_recordings_cut_anywhere(shared_folder, cuts):
    """Wherever a real stream is cut on its way, it comes whole."""
    name = "openai_responses_model_web_search_tool_stream.0.sse"
    recording = (shared_folder / "recordings" / name).read_bytes()
    places = sorted({0, len(recording), *cuts})
    pieces = [recording[start:end] for start, end in pairwise(places)]
    async with Upstream(stream_reply(*pieces)) as upstream, Transport() as transport:
        answer = await ResponsesEngine(transport).open(make_call(upstream.base_url))

        events = await read_all(answer)

    sent = [line[6:] for line in recording.split(b"\n") if line.startswith(b"data: ")]
    assert [event.raw for event in events] == sent


async def test_a_burst_is_read_together(engine, upstream):
    """A hundred events of one write come in a few batches, not one by one."""
    stream = text_stream(*["word "] * 100)
    upstream.script(stream_reply(stream))
    answer = await engine.open(make_call(upstream.base_url))

    batches = []
    while batch := await answer.read():
        batches.append(len(batch))

    assert sum(batches) == 107
    assert len(batches) <= 3


async def test_what_came_with_the_head_is_there(engine, upstream):
    """A stream that came whole with its response head is read without waiting, and is over."""
    upstream.script(whole_stream_reply(text_stream("Hello")))
    answer = await engine.open(make_call(upstream.base_url))

    came = answer.arrived()

    assert texts(came) == "Hello"
    assert came[-1].type == "response.completed"
    assert (answer.arrived(), await read_all(answer)) == ([], [])


async def test_nothing_has_come_yet(engine, upstream):
    """Of a stream whose first event is still to come, nothing is there; reading waits for it."""
    gate = asyncio.Event()
    upstream.script(stream_reply(gate, text_stream("Hello")))
    answer = await engine.open(make_call(upstream.base_url))

    came = answer.arrived()
    gate.set()

    assert came == []
    assert texts(await read_all(answer)) == "Hello"


@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize("separators", [(",", ":"), (", ", ": ")])
async def test_the_tenants_own_instructions_are_not_kept(engine, upstream, stream, separators):
    """What an upstream repeats of them becomes null, and nothing else changes, quotes of it least.

    A model may repeat them in its text; and an upstream may say that it was given others.
    """
    text = 'Be "brief", schön.'
    told = {"instructions": text, "metadata": {"said": f'"instructions":"{text}"'}}
    output = [{"type": "message", "role": "assistant", "content": []}]
    states = [
        {"type": "response.created", "response": response("in_progress", **told)},
        {"type": "response.in_progress", "response": response("in_progress", instructions="Else")},
        {"type": "response.completed", "response": response("completed", output=output, **told)},
    ]
    document = json.dumps(states[-1]["response"], ensure_ascii=False, separators=separators)
    events = [json.dumps(state, ensure_ascii=False, separators=separators) for state in states]
    body = "".join(f"data: {event}\n\n" for event in events)
    upstream.script(stream_reply(body.encode()) if stream else json_reply(document.encode()))
    assistant = make_assistant(instructions=text)

    kept = await read_all(
        await engine.open(make_call(upstream.base_url, assistant=assistant, stream=stream))
    )

    begun, ended = (json.loads(kept[index].raw)["response"] for index in (0, -1))
    assert (begun["instructions"], ended["instructions"]) == (None, None)
    assert ended == {**states[-1]["response"], "instructions": None}
    if stream:
        assert json.loads(kept[1].raw) == states[1]


async def test_events_come_while_the_stream_goes_on(engine, upstream):
    """The first events are there before the upstream has written the last."""
    stream, gate = text_stream("Hel", "lo"), asyncio.Event()
    upstream.script(stream_reply(stream[:2000], gate, stream[2000:]))
    answer = await engine.open(make_call(upstream.base_url))

    first = await answer.read()
    gate.set()
    rest = await read_all(answer)

    assert first[0].type == "response.created"
    assert rest[-1].type == "response.completed"


async def test_unknown_events_pass_through(engine, upstream):
    """An event of a type that nobody knows yet is carried with its bytes."""
    known = text_stream("hi")
    unknown = b'event: response.brand_new\ndata: {"type":"response.brand_new","x":[1, 2]}\n\n'
    upstream.script(stream_reply(unknown + known))

    events = await read_all(await engine.open(make_call(upstream.base_url)))

    assert (events[0].type, events[0].raw) == (
        "response.brand_new",
        b'{"type":"response.brand_new","x":[1, 2]}',
    )


@pytest.mark.parametrize(
    "framed",
    [
        b'data: {"type":"response.output_text.delta","delta":"a"}\n\n',
        b'event: message\ndata: {"type":"response.output_text.delta","delta":"a"}\n\n',
        b'event: response.output_text.delta\ndata: {"delta":"a"}\n\n',
    ],
)
async def test_the_type_is_in_the_event(engine, upstream, framed):
    """Whatever the framing says or leaves out, an event's bytes alone tell its type."""
    upstream.script(stream_reply(framed + text_stream()))

    events = await read_all(await engine.open(make_call(upstream.base_url)))

    assert texts(events) == "a"
    assert json.loads(events[0].raw)["type"] == events[0].type == "response.output_text.delta"


async def test_an_event_of_many_lines_becomes_one(engine, upstream):
    """JSON spread over several ``data:`` lines holds no line break that would cut our own SSE."""
    spread = (
        b"event: response.completed\n"
        b'data: {"type": "response.completed",\n'
        b'data:  "response": {"status": "completed", "output": []}}\n\n'
    )
    upstream.script(stream_reply(spread))

    events = await read_all(await engine.open(make_call(upstream.base_url)))

    assert b"\n" not in events[0].raw
    assert json.loads(events[0].raw)["response"]["output"] == []


@pytest.mark.parametrize(
    "name", ["response.completed", "response.incomplete", "response.failed", "error"]
)
async def test_the_terminal_event_ends_the_answer(engine, upstream, name):
    """Reading ends at the terminal event, though the upstream keeps the stream open."""
    ending = sse({"type": name, "response": response(name.removeprefix("response."))})
    late = sse({"type": "response.output_text.delta", "delta": "too late"})
    upstream.script(stream_reply(ending + late, ending=Ending.STALL))

    async with asyncio.timeout(5):
        events = await read_all(await engine.open(make_call(upstream.base_url)))
        await upstream.until(lambda server: server.open_connections == 0)

    assert [event.type for event in events] == [name]


async def test_connections_are_used_again(engine, upstream):
    """Streams, whole answers and refusals leave their connection to the next call."""
    replies = {True: stream_reply(text_stream("a")), False: text_answer("b")}
    for stream in (True, False, True):
        upstream.script(error_reply(400), replies[stream])
        with pytest.raises(EngineError):
            await engine.open(make_call(upstream.base_url, stream=stream))
        await read_all(await engine.open(make_call(upstream.base_url, stream=stream)))

    assert (len(upstream.requests), upstream.connections) == (6, 1)


async def test_a_late_end_of_the_body_frees_the_connection(transport, upstream):
    """When the body ends a little after the terminal event, its connection is used again."""
    gate = asyncio.Event()
    upstream.script(stream_reply(text_stream("a"), gate), stream_reply(text_stream("b")))
    engine = ResponsesEngine(transport)
    await read_all(await engine.open(make_call(upstream.base_url)))

    gate.set()
    async with asyncio.timeout(5):
        while not transport._pool.free:  # noqa: ASYNC110 - the pool tells nobody
            await asyncio.sleep(0)
    await read_all(await engine.open(make_call(upstream.base_url)))

    assert upstream.connections == 1


async def test_a_hundred_calls_at_once(engine, upstream):
    """Calls of many tenants at once do not wait for each other, nor mix."""
    gate = asyncio.Event()
    upstream.usual = stream_reply(text_stream("a"), gate)
    answers = await asyncio.gather(
        *(engine.open(make_call(upstream.base_url, prompt_cache_key=f"t{n}")) for n in range(100))
    )
    assert upstream.open_connections == 100

    gate.set()
    events = await asyncio.gather(*(read_all(answer) for answer in answers))

    assert {texts(one) for one in events} == {"a"}
    keys = Counter(request.json["prompt_cache_key"] for request in upstream.requests)
    assert keys == Counter(f"t{n}" for n in range(100))


async def test_an_unstreamed_answer_becomes_events(engine, upstream):
    """One JSON answer is read as the few events that it stands for, numbered without gaps."""
    upstream.script(text_answer("Hello."))

    events = await read_all(await engine.open(make_call(upstream.base_url, stream=False)))

    assert [event.type for event in events] == [
        "response.created",
        "response.output_item.done",
        "response.completed",
    ]
    assert [json.loads(event.raw)["sequence_number"] for event in events] == [0, 1, 2]
    created, item, completed = (event.body for event in events)
    assert isinstance(created, ResponseGoesOn)
    assert created.response.status == "in_progress"
    assert json.loads(events[0].raw)["response"]["output"] == []
    assert isinstance(item, ItemChanged)
    assert json.loads(bytes(item.item))["content"][0]["text"] == "Hello."
    assert completed.response.usage["total_tokens"] == 5


@pytest.mark.parametrize("status", ["completed", "incomplete", "failed", "cancelled"])
def test_an_unstreamed_answer_ends_by_its_status(status):
    """The last event is that of the response's own status."""
    events = events_of(json.dumps(response(status)).encode())

    assert [event.type for event in events] == ["response.created", f"response.{status}"]


def test_an_unstreamed_answers_events_are_the_sdks():
    """What the events are made of validates against the official SDK, item order kept."""
    items = [
        {
            "id": f"fc_{n}",
            "type": "function_call",
            "call_id": f"call_{n}",
            "name": "get_weather",
            "arguments": '{"city":"Zürich"}',
            "status": "completed",
        }
        for n in range(3)
    ]
    usage = {
        "input_tokens": 3,
        "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
        "output_tokens": 2,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": 5,
    }
    whole = response(
        "completed", output=items, usage=usage, completed_at=2, parallel_tool_calls=True,
        tool_choice="auto", tools=[], error=None, incomplete_details=None,
    )  # fmt: skip
    Response.model_validate(whole)

    events = events_of(json.dumps(whole, indent=2).encode())

    created = ResponseCreatedEvent.model_validate_json(events[0].raw)
    dones = [ResponseOutputItemDoneEvent.model_validate_json(e.raw) for e in events[1:-1]]
    completed = ResponseCompletedEvent.model_validate_json(events[-1].raw)
    assert (created.response.usage, created.response.output) == (None, [])
    assert [(done.output_index, done.item.call_id) for done in dones] == [
        (0, "call_0"), (1, "call_1"), (2, "call_2"),
    ]  # fmt: skip
    assert json.loads(events[-1].raw)["response"] == whole
    assert completed.sequence_number == 4
    assert not any(b"\n" in event.raw for event in events)


async def test_an_upstream_that_never_streams(engine, upstream):
    """A JSON answer to a streamed call is read as the whole answer that it is."""
    upstream.script(text_answer("Hello."))

    events = await read_all(await engine.open(make_call(upstream.base_url, stream=True)))

    assert events[-1].type == "response.completed"


async def test_an_upstream_that_always_streams(engine, upstream):
    """A stream that answers an unstreamed call is read as the stream that it is."""
    upstream.script(stream_reply(text_stream("Hello.")))

    events = await read_all(await engine.open(make_call(upstream.base_url, stream=False)))

    assert texts(events) == "Hello."


async def test_a_stream_without_a_content_type(engine, upstream):
    """Where an upstream does not say what it sends, it is what was asked for."""
    upstream.script(raw_reply(head(), text_stream("Hello.")))

    events = await read_all(await engine.open(make_call(upstream.base_url)))

    assert texts(events) == "Hello."


async def test_a_compressed_answer(engine, upstream):
    """Answers are asked for uncompressed, and read where an upstream compresses all the same."""
    packed = gzip.compress(json.dumps(response("completed")).encode())
    upstream.script(json_reply(packed, headers={"content-encoding": "gzip"}))

    events = await read_all(await engine.open(make_call(upstream.base_url, stream=False)))

    assert events[-1].type == "response.completed"
    assert upstream.requests[0].headers["accept-encoding"] == "identity"


async def test_a_failed_attempt_is_repeated(engine, upstream):
    """A passing refusal is not seen by the caller; the same body is sent again."""
    upstream.script(error_reply(500), error_reply(429, headers={"retry-after-ms": "5"}))
    upstream.script(stream_reply(text_stream("hi")))

    events = await read_all(await engine.open(make_call(upstream.base_url)))

    assert texts(events) == "hi"
    assert len(upstream.requests) == 3
    assert len({request.body for request in upstream.requests}) == 1


async def test_reading_after_the_end(engine, upstream):
    """An ended or closed answer gives no more events, as often as it is asked."""
    upstream.script(stream_reply(text_stream("hi")), text_answer("hi"))
    for stream in (True, False):
        answer = await engine.open(make_call(upstream.base_url, stream=stream))
        await read_all(answer)
        await answer.close()

        assert await answer.read() == []
        assert await answer.read() == []


async def test_proxies_are_honoured(upstream):
    """An upstream is asked through its proxy, but this machine never is."""
    upstream.usual = text_answer("hi")
    proxy = upstream.base_url.removesuffix("/v1")
    proxies = Proxies({"http": proxy, "no": "direct.invalid"})
    async with Transport(proxies=proxies) as transport:
        engine = ResponsesEngine(transport, Retrying(sleep=lambda _: asyncio.sleep(0)))

        await read_all(await engine.open(make_call("http://far.invalid/v1", stream=False)))
        await read_all(await engine.open(make_call(upstream.base_url, stream=False)))

    targets = [request.target for request in upstream.requests]
    assert targets == ["http://far.invalid/v1/responses", "/v1/responses"]
