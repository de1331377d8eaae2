"""The faults that the simulator plays when a directive asks for them, as a client meets them."""

import asyncio

import httpx2
import msgspec
import openai
import pytest


@pytest.fixture
async def http(upstream):
    """A plain HTTP client of it."""
    async with httpx2.AsyncClient(
        base_url=upstream.base_url, headers={"authorization": "Bearer sk-any"}
    ) as http:
        yield http


def ask(message, **fields):
    """A Responses request; streamed unless it says otherwise."""
    return {"model": "sim-1", "input": message, "stream": True, **fields}


async def read(http, message, **fields):
    """The bytes of an answer, and whether its body ended as it should."""
    received = b""
    async with http.stream("POST", "/responses", json=ask(message, **fields)) as answer:
        assert answer.status_code == 200
        try:
            async for part in answer.aiter_bytes():
                received += part
        except httpx2.RemoteProtocolError:
            return received, False
    return received, True


def types_of(received):
    """The types of the whole events."""
    blocks = received.split(b"\n\n")[:-1]
    return [block.split(b"\n")[0].removeprefix(b"event: ").decode() for block in blocks]


async def test_a_status_carries_when_to_return(http):
    """``status=429 retry-after=7`` is a 429 in OpenAI's form with ``Retry-After: 7``."""
    answer = await http.post("/responses", json=ask("[[status=429 retry-after=7]] hi"))

    assert answer.status_code == 429
    assert answer.headers["retry-after"] == "7"
    assert answer.headers["x-request-id"].startswith("req_")
    assert answer.json()["error"]["code"] == "rate_limit_exceeded"


@pytest.mark.parametrize(
    ("directive", "status", "kind", "code"),
    [
        ("[[status=500]]", 500, "server_error", None),
        ("[[status=503 code=server_is_overloaded]]", 503, "server_error", "server_is_overloaded"),
        ("[[status=429 code=insufficient_quota]]", 429, "insufficient_quota", "insufficient_quota"),
        ("[[status=404 code=model_not_found]]", 404, "invalid_request_error", "model_not_found"),
    ],
)
async def test_a_status_has_its_type_and_code(http, directive, status, kind, code):
    """A scripted status carries OpenAI's type for it, and the code that was asked for."""
    answer = await http.post("/responses", json=ask(f"{directive} hi"))

    assert answer.status_code == status
    assert (answer.json()["error"]["type"], answer.json()["error"]["code"]) == (kind, code)


async def test_a_fault_heals_after_its_times(http):
    """``times=2`` fails twice and then answers well."""
    body = ask("[[status=500 times=2]] hi", stream=False)

    statuses = [(await http.post("/responses", json=body)).status_code for _ in range(4)]

    assert statuses == [500, 500, 200, 200]


@pytest.mark.parametrize(
    ("directive", "events"), [("before-first", 0), ("after=3", 3), ("mid-event", 4)]
)
async def test_a_cut_breaks_the_connection_where_it_says(http, directive, events):
    """The events up to the cut arrive, and the body does not end as it should."""
    received, whole = await read(http, f"[[cut={directive}]] hi")

    assert not whole
    assert len(types_of(received)) == events
    assert received.endswith(b"\n\n") == (directive == "after=3")


async def test_a_cut_can_fall_within_a_character(http):
    """``cut=mid-character`` leaves bytes that are no UTF-8."""
    received, whole = await read(http, "[[cut=mid-character]] hi")

    assert not whole
    with pytest.raises(UnicodeDecodeError, match="unexpected end"):
        received.decode()


async def test_a_stream_can_end_early_without_a_broken_connection(http):
    """With ``clean`` the body ends as it should, but no terminal event came."""
    received, whole = await read(http, "[[cut=after=5 clean]] hi")

    assert whole
    assert len(types_of(received)) == 5


async def test_an_unstreamed_answer_can_be_cut(http):
    """A cut of an unstreamed answer breaks off within its body."""
    received, whole = await read(http, "[[cut=mid-event]] hi", stream=False)

    assert not whole
    with pytest.raises(msgspec.DecodeError):
        msgspec.json.decode(received)


async def test_silence_sends_a_head_and_then_nothing(http, upstream):
    """With ``silence`` the head comes, no byte follows, and the client's leaving is noticed."""
    async with http.stream("POST", "/responses", json=ask("[[silence]] hi")) as answer:
        parts = answer.aiter_bytes()
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(anext(parts), 0.05)

    await asyncio.wait_for(upstream.requests[0].done.wait(), 5)
    assert answer.status_code == 200
    assert upstream.requests[0].abandoned


async def test_silence_can_follow_some_events(http):
    """``silence=after=3`` sends three events and then nothing."""
    async with http.stream("POST", "/responses", json=ask("[[silence=after=3]] hi")) as answer:
        parts = answer.aiter_bytes()
        received = await anext(parts)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(anext(parts), 0.05)

    assert len(types_of(received)) == 3


async def test_hanging_sends_no_head(http, upstream):
    """With ``hang`` not even the response head comes."""
    with pytest.raises(httpx2.ReadTimeout):
        await http.post("/responses", json=ask("[[hang]] hi"), timeout=0.05)

    await asyncio.wait_for(upstream.requests[0].done.wait(), 5)
    assert upstream.requests[0].abandoned


@pytest.mark.parametrize("streamed", [True, False])
async def test_an_endless_answer_goes_on_until_the_client_leaves(http, upstream, streamed):
    """With ``endless`` bytes keep coming, and end when nobody reads them."""
    body = ask("[[endless]] hi", stream=streamed)
    received = 0

    async with http.stream("POST", "/responses", json=body) as answer:
        async for part in answer.aiter_bytes():
            received += len(part)
            if received > 3000 * streamed + 30:
                break

    await asyncio.wait_for(upstream.requests[0].done.wait(), 5)
    assert upstream.requests[0].abandoned


async def test_an_endless_stream_is_numbered_without_gaps(http):
    """With ``endless`` the deltas go on counting where the events before them ended."""
    received = b""

    async with http.stream("POST", "/responses", json=ask("[[endless]] hi")) as answer:
        async for part in answer.aiter_bytes():
            received += part
            if len(types_of(received)) > 8:
                break

    datas = [block.split(b"\ndata: ")[1] for block in received.split(b"\n\n")[:-1]]
    numbers = [msgspec.json.decode(data)["sequence_number"] for data in datas]
    assert numbers == list(range(len(numbers)))


async def test_unknown_events_ride_along(http):
    """With ``unknown-events`` there are events and fields that no SDK knows, numbered in line."""
    received, _ = await read(http, "[[unknown-events]] hi")

    datas = [block.split(b"\ndata: ")[1] for block in received.split(b"\n\n")[:-1]]
    events = [msgspec.json.decode(data) for data in datas]
    assert [event["sequence_number"] for event in events] == list(range(len(events)))
    assert types_of(received).count("response.simulator.weather") == 2
    assert any("weather" in event for event in events if event["type"].endswith(".delta"))


async def test_garbage_is_not_json(http):
    """With ``garbage`` one frame, or the unstreamed body, is not JSON."""
    received, _ = await read(http, "[[garbage]] hi")
    body, _ = await read(http, "[[garbage]] hi", stream=False)

    broken = 0
    for block in received.split(b"\n\n")[:-1]:
        try:
            msgspec.json.decode(block.split(b"data: ")[1])
        except msgspec.DecodeError:
            broken += 1
    assert broken == 1
    with pytest.raises(msgspec.DecodeError):
        msgspec.json.decode(body)


async def test_an_event_can_be_big(http):
    """``big-event=1MB`` is one delta of exactly that many characters."""
    received, whole = await read(http, "[[big-event=1MB]] hi")

    deltas = [
        block for block in received.split(b"\n\n") if b"event: response.output_text.delta" in block
    ]
    assert whole
    assert len(deltas) == 1
    assert len(msgspec.json.decode(deltas[0].split(b"\ndata: ")[1])["delta"]) == 1024 * 1024


async def test_an_error_event_ends_the_stream(http):
    """With ``error`` some text comes, then the flat ``error`` event, and nothing after it."""
    received, whole = await read(http, "[[error=rate_limit_exceeded]] hi")

    last = msgspec.json.decode(received.split(b"\n\n")[-2].split(b"\ndata: ")[1])
    assert whole
    assert "response.output_text.delta" in types_of(received)
    assert "response.output_text.done" not in types_of(received)
    assert (last["type"], last["code"]) == ("error", "rate_limit_exceeded")


async def test_a_failed_response_ends_the_stream(http):
    """With ``failed`` the item that was begun is not done, and the response carries the code."""
    received, _ = await read(http, "[[failed=invalid_prompt]] hi")

    last = msgspec.json.decode(received.split(b"\n\n")[-2].split(b"\ndata: ")[1])
    assert last["type"] == "response.failed"
    assert last["response"]["status"] == "failed"
    assert last["response"]["error"]["code"] == "invalid_prompt"
    assert "response.output_item.done" not in types_of(received)


async def test_an_incomplete_response_says_why(http):
    """With ``incomplete`` half of the text comes, and the reason with it."""
    answer = await http.post(
        "/responses", json=ask("[[incomplete=content_filter words=10]] hi", stream=False)
    )

    response = answer.json()
    assert response["status"] == "incomplete"
    assert response["incomplete_details"] == {"reason": "content_filter"}
    assert len(response["output"][0]["content"][0]["text"].split()) == 5


async def test_a_burst_is_one_write(upstream):
    """Without a delay a stream of 108 deltas leaves in one body message."""
    writes = await writes_of(upstream, "[[deltas=108]] hi")

    assert [len(write) > 0 for write in writes] == [True, False]
    assert writes[0].count(b"output_text.delta\n") == 108


async def test_a_paced_stream_is_a_write_a_delta(upstream):
    """With a delay each delta is a write of its own."""
    writes = await writes_of(upstream, "[[deltas=5 delay=1ms]] hi")

    counts = [write.count(b"event: response.output_text.delta\n") for write in writes]
    assert counts == [0, 1, 1, 1, 1, 1, 0, 0]


async def test_a_paced_stream_can_be_cut(upstream):
    """Faults keep the pace: a cut after six events leaves two deltas, each a write."""
    writes = await writes_of(upstream, "[[deltas=5 delay=1ms cut=after=6 garbage]] hi")

    counts = [write.count(b"event: response.output_text.delta\n") for write in writes]
    assert counts == [0, 1, 1]


async def writes_of(upstream, message):
    """The bodies that the application sends for a message, asked without a network."""
    body = msgspec.json.encode(ask(message))
    sent = []
    stay = asyncio.Event()
    given = iter([{"type": "http.request", "body": body, "more_body": False}])

    async def receive():
        event = next(given, None)
        if event is None:
            await stay.wait()
        return event

    async def send(event):
        sent.append(event)

    headers = [(b"authorization", b"Bearer x")]
    scope = {"type": "http", "method": "POST", "path": "/v1/responses", "headers": headers}
    await upstream.app(scope, receive, send)
    return [event["body"] for event in sent[1:]]


async def test_the_sdk_meets_the_faults_as_its_own_errors(upstream):
    """The official client raises its own errors for a cut stream and for a spent quota."""
    async with openai.AsyncOpenAI(
        base_url=upstream.base_url, api_key="sk-any", max_retries=0
    ) as client:
        with pytest.raises(openai.APIConnectionError):
            async for _ in await client.responses.create(**ask("[[cut=mid-event]] hi")):
                pass
        with pytest.raises(openai.RateLimitError) as spent:
            await client.responses.create(**ask("[[status=429 code=insufficient_quota]] hi"))

    assert spent.value.code == "insufficient_quota"


async def test_requests_are_recorded(http, upstream):
    """The fake keeps what was asked: path, headers and body."""
    await http.post("/responses", json=ask("hi"), headers={"x-correlation-id": "c1"})

    recorded = await upstream.arrived(1)
    assert recorded.path == "/v1/responses"
    assert recorded.headers["x-correlation-id"] == "c1"
    assert recorded.json["input"] == "hi"
    assert not recorded.abandoned
