"""The simulator's Chat Completions wire, read by the official SDK and held to its types."""

import msgspec
import openai
import pytest
from openai.types.chat import ChatCompletion, ChatCompletionChunk

pytest_plugins = ("tests.fakes.simulator_fixtures",)

WEATHER = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "The current weather of a city.",
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string"}},
            "required": ["city"],
        },
    },
}


def ask(message, **fields):
    """A request's body."""
    return {"model": "sim-1", "messages": [{"role": "user", "content": message}], **fields}


SCENES = {
    "plain": ask("hello there"),
    "parts": ask(
        [
            {"type": "text", "text": "look"},
            {"type": "image_url", "image_url": {"url": "https://x.example/a.png"}},
        ]
    ),
    "one call": ask("weather in Paris", tools=[WEATHER]),
    "parallel calls": ask("weather in Paris and Rome", tools=[WEATHER]),
    "named function": ask(
        "hello",
        tools=[WEATHER],
        tool_choice={"type": "function", "function": {"name": "get_weather"}},
    ),
    "refusal": ask("[[refusal]] hello"),
    "reasoning": ask("hello", model="o-sim"),
    "out of tokens": ask("[[words=100]] hello", max_completion_tokens=16),
    "filtered": ask("[[incomplete=content_filter]] hello"),
    "burst": ask("[[deltas=108]] hello"),
    "paced": ask("[[deltas=3 delay=1ms]] hello"),
    "unknown fields": ask("[[unknown-events]] hello"),
    "any object": ask("hello", response_format={"type": "json_object"}),
}
REASONS = {
    "one call": "tool_calls",
    "parallel calls": "tool_calls",
    "named function": "tool_calls",
    "out of tokens": "length",
    "filtered": "content_filter",
}
each_scene = pytest.mark.parametrize("scene", SCENES)


async def chunks_of(http, body):
    """The chunks of a stream, each validated, without its terminator."""
    answer = await http.post("/chat/completions", json={**body, "stream": True})
    blocks = answer.text.split("\n\n")
    assert blocks[-2:] == ["data: [DONE]", ""]
    datas = [block.removeprefix("data: ") for block in blocks[:-2]]
    for data in datas:
        ChatCompletionChunk.model_validate_json(data, strict=True)
    return [msgspec.json.decode(data) for data in datas]


@each_scene
async def test_every_chunk_is_of_the_sdks_type(http, scene):
    """Chunks share their head, open with the role, and the last choice says why it ends."""
    chunks = await chunks_of(http, SCENES[scene])

    heads = {(chunk["id"], chunk["created"], chunk["model"]) for chunk in chunks}
    last = chunks[-1]["choices"][0]
    assert len(heads) == 1
    assert chunks[0]["choices"][0]["delta"]["role"] == "assistant"
    assert (last["delta"], last["finish_reason"]) == ({}, REASONS.get(scene, "stop"))
    assert all("usage" not in chunk for chunk in chunks)


@each_scene
async def test_usage_comes_last_when_it_is_asked_for(http, scene):
    """With ``include_usage`` each chunk has a null usage, but for one more without choices."""
    body = {**SCENES[scene], "stream_options": {"include_usage": True}}

    *chunks, last = await chunks_of(http, body)

    assert [chunk["usage"] for chunk in chunks] == [None] * len(chunks)
    assert last["choices"] == []
    assert last["usage"]["total_tokens"] > 0


@each_scene
async def test_every_completion_is_of_the_sdks_type(http, scene):
    """An unstreamed answer validates and ends for the same reason as the stream."""
    answer = await http.post("/chat/completions", json=SCENES[scene])

    completion = ChatCompletion.model_validate_json(answer.content, strict=True)
    assert completion.choices[0].finish_reason == REASONS.get(scene, "stop")


@pytest.mark.parametrize(
    "scene", [each for each in SCENES if REASONS.get(each) in (None, "tool_calls")]
)
async def test_the_sdks_stream_helper_adds_it_up_to_the_same(sdk, scene):
    """``chat.completions.stream()`` reads it all, and its sum is the unstreamed answer."""
    whole = (await sdk.chat.completions.create(**SCENES[scene])).choices[0].message

    async with sdk.chat.completions.stream(**SCENES[scene]) as events:
        streamed = (await events.get_final_completion()).choices[0].message

    assert (streamed.content or None, streamed.refusal) == (whole.content or None, whole.refusal)
    assert [call.function.arguments for call in streamed.tool_calls or ()] == [
        call.function.arguments for call in whole.tool_calls or ()
    ]


async def test_a_tool_round_is_answered_from_its_results(sdk):
    """Called, answered by a function and sent back, the results are in the answer."""
    messages = [{"role": "user", "content": "weather in Paris and Rome"}]
    first = await sdk.chat.completions.create(model="sim-1", messages=messages, tools=[WEATHER])
    asked = first.choices[0].message
    messages.append(asked.model_dump(exclude_none=True))
    messages += [
        {"role": "tool", "tool_call_id": call.id, "content": f"{degrees} degrees"}
        for call, degrees in zip(asked.tool_calls, (18, 25), strict=True)
    ]

    second = await sdk.chat.completions.create(model="sim-1", messages=messages, tools=[WEATHER])

    assert "Paris: 18 degrees." in second.choices[0].message.content
    assert "Rome: 25 degrees." in second.choices[0].message.content


async def test_the_system_message_gives_the_voice(sdk):
    """The system message stands for the instructions."""
    messages = [
        {"role": "system", "content": "You are a gardener."},
        {"role": "user", "content": "I like tulips"},
    ]

    answer = await sdk.chat.completions.create(model="sim-1", messages=messages)

    assert "gardener" in answer.choices[0].message.content
    assert "I like tulips" in answer.choices[0].message.content


CALLS = {
    "role": "assistant",
    "tool_calls": [{"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}}],
}
RESULT = {"role": "tool", "tool_call_id": "c1", "content": "x"}
SAID = {"role": "user", "content": "hi"}


@pytest.mark.parametrize(
    ("messages", "words"),
    [
        ([SAID, CALLS], "must be followed by tool messages"),
        ([SAID, CALLS, SAID], "did not have response messages: c1"),
        ([SAID, RESULT], "must be a response to a preceeding message with 'tool_calls'"),
        ([SAID, CALLS, RESULT, RESULT], "must be a response to a preceeding message"),
        ([], "empty array"),
        ([{"role": "cat", "content": "x"}], "'cat'"),
    ],
)
async def test_bad_conversations_are_refused_in_openais_words(sdk, messages, words):
    """Calls without results, results without calls and unknown roles are refused."""
    with pytest.raises(openai.BadRequestError) as refused:
        await sdk.chat.completions.create(model="sim-1", messages=messages)

    assert words in refused.value.body["message"]


async def test_a_stream_that_fails_says_so_in_its_middle(sdk):
    """With ``error`` the SDK raises in mid-stream, after some text."""
    chunks = await sdk.chat.completions.create(**ask("[[error]] hello"), stream=True)
    opening, first = [await anext(chunks) for _ in range(2)]

    with pytest.raises(openai.APIError):
        [chunk async for chunk in chunks]

    assert opening.choices[0].delta.role == "assistant"
    assert first.choices[0].delta.content


async def test_an_unstreamed_failure_is_a_500(sdk):
    """A completion has no failed state, so a failure is an HTTP error."""
    with pytest.raises(openai.InternalServerError):
        await sdk.chat.completions.create(**ask("[[failed=server_error]] hello"))
