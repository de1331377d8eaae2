"""The simulator's Responses wire, read by the official SDK over HTTP and held to its types."""

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openai.types.responses import Response, ResponseStreamEvent
from pydantic import TypeAdapter

pytest_plugins = ("tests.fakes.simulator_fixtures",)

EVENT = TypeAdapter(ResponseStreamEvent)
WEATHER = {
    "type": "function",
    "name": "get_weather",
    "description": "The current weather of a city.",
    "parameters": {
        "type": "object",
        "properties": {"city": {"type": "string"}},
        "required": ["city"],
        "additionalProperties": False,
    },
    "strict": True,
}
PERSON = {
    "type": "object",
    "properties": {"name": {"type": "string"}, "age": {"type": "integer"}},
    "required": ["name", "age"],
}


def ask(message, **fields):
    """A request's body."""
    return {"model": "sim-1", "input": message, **fields}


def events_of(body):
    """The events of a stream, each checked for its framing and against the SDK's types."""
    blocks = body.decode().split("\n\n")
    assert blocks.pop() == ""
    events = []
    for block in blocks:
        name, data = block.split("\n")
        event = msgspec.json.decode(data.removeprefix("data: "))
        assert name == f"event: {event['type']}"
        EVENT.validate_json(data.removeprefix("data: "))
        events.append(event)
    assert [event["sequence_number"] for event in events] == list(range(len(events)))
    return events


async def stream(http, body):
    """The checked events of a streamed answer."""
    answer = await http.post("/responses", json={**body, "stream": True})
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/event-stream")
    return events_of(answer.content)


SCENES = {
    "plain": ask("hello there", instructions="You are a gardener. Be kind."),
    "empty": ask(""),
    "items": ask(
        [
            {"role": "developer", "content": "Be brief."},
            {
                "type": "message",
                "role": "user",
                "content": [
                    {"type": "input_text", "text": "look"},
                    {"type": "input_image", "image_url": "https://x.example/a.png"},
                ],
            },
        ]
    ),
    "one call": ask("weather in Paris", tools=[WEATHER]),
    "parallel calls": ask("weather in Paris and Rome", tools=[WEATHER]),
    "named function": ask(
        "hello", tools=[WEATHER], tool_choice={"type": "function", "name": "get_weather"}
    ),
    "allowed function": ask(
        "hello",
        tools=[WEATHER],
        tool_choice={
            "type": "allowed_tools",
            "mode": "required",
            "tools": [{"type": "function", "name": "get_weather"}],
        },
    ),
    "bare function": ask("weather in Paris", tools=[{"type": "function", "name": "get_weather"}]),
    "hosted tool": ask("hello", tools=[{"type": "web_search"}], tool_choice="auto"),
    "refusal": ask("[[refusal]] hello"),
    "reasoning": ask("hello", model="o-sim", reasoning={"effort": "low", "summary": "auto"}),
    "encrypted reasoning": ask(
        "weather in Paris",
        model="sim-reasoning",
        tools=[WEATHER],
        include=["reasoning.encrypted_content"],
        store=False,
    ),
    "out of tokens": ask("[[words=100]] hello", max_output_tokens=16),
    "incomplete": ask("[[incomplete=max_output_tokens]] hello"),
    "filtered": ask("[[incomplete=content_filter]] hello"),
    "failed": ask("[[failed=server_error]] hello"),
    "burst": ask("[[deltas=108]] hello"),
    "burst by name": ask("hello", model="sim-burst-108"),
    "paced": ask("[[deltas=5 delay=1ms]] hello"),
    "chunked": ask("[[chunk=7]] Grüße aus Zürich"),
    "structured": ask(
        "Ada is 36",
        text={"format": {"type": "json_schema", "name": "person", "schema": PERSON}},
    ),
    "any object": ask("hello", text={"format": {"type": "json_object"}}),
    "every field": ask(
        "hello",
        temperature=0.2,
        top_p=0.5,
        metadata={"a": "b"},
        prompt_cache_key="acme",
        safety_identifier="u1",
        user="u1",
        truncation="auto",
        parallel_tool_calls=False,
        service_tier="flex",
        some_new_field={"x": 1},
    ),
    "nulls": ask(
        "hello",
        instructions=None,
        tools=None,
        tool_choice=None,
        include=None,
        metadata=None,
        text=None,
        reasoning=None,
        temperature=None,
        store=None,
        parallel_tool_calls=None,
        max_output_tokens=None,
    ),
}
each_scene = pytest.mark.parametrize("body", SCENES.values(), ids=SCENES)


@each_scene
async def test_every_streamed_event_is_of_the_sdks_types(http, body):
    """Each event validates, numbers are without gaps, and one terminal event comes last."""
    events = await stream(http, body)

    terminal = ("response.completed", "response.incomplete", "response.failed")
    assert [event["type"] for event in events[:2]] == ["response.created", "response.in_progress"]
    assert [event["type"] in terminal for event in events] == [False] * (len(events) - 1) + [True]


@each_scene
async def test_every_response_object_is_of_the_sdks_type(http, body):
    """An unstreamed answer validates as a ``Response``."""
    answer = await http.post("/responses", json=body)

    assert answer.status_code == 200
    Response.model_validate_json(answer.content, strict=True)


@each_scene
async def test_deltas_add_up_to_the_final_items(http, body):
    """The deltas of an item that is done are its text, refusal, arguments or summary."""
    events = await stream(http, body)

    told = {}
    for event in events:
        if event["type"].endswith(".delta"):
            told[event["item_id"]] = told.get(event["item_id"], "") + event["delta"]
    done = [event["item"] for event in events if event["type"] == "response.output_item.done"]
    assert {item["id"]: said_by(item) for item in done if said_by(item)} == {
        item["id"]: told.get(item["id"], "") for item in done if said_by(item)
    }
    assert done == events[-1]["response"]["output"]


def said_by(item):
    """What an item says, whatever its type."""
    match item["type"]:
        case "function_call":
            return item["arguments"]
        case "reasoning":
            return item["summary"][0]["text"]
    part = item["content"][0]
    return part.get("text") or part.get("refusal")


@each_scene
async def test_the_sdks_stream_helper_reads_it(sdk, body):
    """``responses.stream()``, which is strict, reads the whole stream."""
    known = {name: value for name, value in body.items() if name != "some_new_field"}
    fields = {name: value for name, value in known.items() if value is not None}
    finished = False

    async with sdk.responses.stream(**fields) as events:
        async for event in events:
            finished |= event.type in ("response.completed", "response.incomplete")
            finished |= event.type == "response.failed"

    assert finished


async def test_an_answer_shows_the_instructions_and_the_message(sdk):
    """Two tenants' instructions give two different answers to one message."""
    message = "I like tulips"

    texts = [
        (await sdk.responses.create(model="sim-1", input=message, instructions=who)).output_text
        for who in ("You are a gardener. Be kind.", "Answer as a pirate would.")
    ]

    assert all("I like tulips" in text for text in texts)
    assert "gardener" in texts[0]
    assert "pirate" in texts[1]
    assert "gardener" not in texts[1]


async def test_the_same_request_gets_the_same_words(sdk):
    """Text and usage of an answer depend on the request alone."""
    one, two = [await sdk.responses.create(model="o1", input="tell me") for _ in range(2)]

    assert (one.output_text, one.usage) == (two.output_text, two.usage)
    assert one.id != two.id


async def test_a_number_of_words_is_exact(sdk):
    """``words=100`` is an answer of exactly a hundred words."""
    answer = await sdk.responses.create(model="sim-1", input="[[words=100]] hello")

    assert len(answer.output_text.split()) == 100


async def test_a_number_of_deltas_is_exact(http):
    """``deltas=108`` is exactly that many deltas, and ``words`` spreads over ``deltas``."""
    many = await stream(http, ask("[[deltas=108]] hello"))
    spread = await stream(http, ask("[[words=100 deltas=7]] hello"))

    kinds = [event["type"] for event in many]
    deltas = [event["delta"] for event in spread if event["type"].endswith("text.delta")]
    assert kinds.count("response.output_text.delta") == 108
    assert len(deltas) == 7
    assert len("".join(deltas).split()) == 100


async def test_a_tool_round_is_answered_from_its_results(sdk):
    """Called, answered by a function and sent back, the results are in the answer."""
    conversation = [{"role": "user", "content": "weather in Paris and Rome"}]
    first = await sdk.responses.create(model="sim-1", input=conversation, tools=[WEATHER])
    temperatures = iter((18, 25))
    conversation += [call.model_dump(exclude={"id"}, exclude_none=True) for call in first.output]
    for call in first.output:
        output = f'{{"temperature": {next(temperatures)}}}'
        conversation.append(
            {"type": "function_call_output", "call_id": call.call_id, "output": output}
        )

    second = await sdk.responses.create(model="sim-1", input=conversation, tools=[WEATHER])

    assert [call.arguments for call in first.output] == ['{"city":"Paris"}', '{"city":"Rome"}']
    assert "Paris: temperature 18." in second.output_text
    assert "Rome: temperature 25." in second.output_text


async def test_earlier_messages_are_remembered(sdk):
    """Asked what was said first or before, the model quotes the thread."""
    thread = [
        {"role": "user", "content": "I have a red bike"},
        {"role": "assistant", "content": "Good."},
        {"role": "user", "content": "It is fast"},
        {"role": "assistant", "content": "Good."},
    ]

    first, before, new = [
        (await sdk.responses.create(model="sim-1", input=given)).output_text
        for given in (
            [*thread, {"role": "user", "content": "What did I say first?"}],
            [*thread, {"role": "user", "content": "What did I say before?"}],
            "What did I say first?",
        )
    ]

    assert "I have a red bike" in first
    assert "It is fast" not in first
    assert "I have a red bike" in before
    assert "It is fast" in before
    assert "first thing" in new


async def test_reasoning_comes_back_with_what_follows_it(sdk):
    """A reasoning item is encrypted when asked for, and accepted again with its call."""
    wish = {"include": ["reasoning.encrypted_content"], "tools": [WEATHER], "store": False}
    conversation = [{"role": "user", "content": "weather in Paris"}]
    first = await sdk.responses.create(model="o1", input=conversation, **wish)
    items = [item.model_dump(exclude={"id"}, exclude_none=True) for item in first.output]
    output = {
        "type": "function_call_output",
        "call_id": first.output[1].call_id,
        "output": "sunny",
    }

    second = await sdk.responses.create(model="o1", input=[*conversation, *items, output], **wish)

    assert [item["type"] for item in items] == ["reasoning", "function_call"]
    assert "sunny" in second.output_text
    assert second.usage.output_tokens_details.reasoning_tokens > 0


async def test_encrypted_content_is_sent_only_when_asked_for(sdk):
    """Without ``include`` a reasoning item has a summary and nothing encrypted."""
    answer = await sdk.responses.create(model="o1", input="hello")

    assert answer.output[0].encrypted_content is None
    assert answer.output[0].summary


texts = st.text() | st.text(
    alphabet="[]=deltascuwor 0123.,'\"PR\u00fc\u4e16\n and in for", max_size=80
)


@given(message=texts, instructions=st.none() | texts, model=st.sampled_from(["sim-1", "o1"]))
@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
async def test_any_text_gets_a_valid_stream(http, message, instructions, model):
    """No text of a user or a tenant leads to an error, and every stream is valid."""
    body = ask([{"role": "user", "content": message}], instructions=instructions, model=model)
    body["tools"] = [WEATHER]

    events = await stream(http, body)

    assert events[-1]["type"] == "response.completed"
