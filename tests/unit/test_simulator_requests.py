"""The simulator's application on requests that no client of good will sends."""

import asyncio

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.simulator.app import create_app

APP = create_app()


async def post(path, body):
    """The status and body of an answer, asked without a network."""
    sent = []

    async def receive():
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(event):
        sent.append(event)

    headers = [(b"authorization", b"Bearer x")]
    await APP({"type": "http", "method": "POST", "path": path, "headers": headers}, receive, send)
    return sent[0]["status"], b"".join(event["body"] for event in sent[1:])


WORDS = (
    "message function_call function_call_output reasoning item_reference function text user "
    "assistant tool input_text input_image c1 f auto required json_schema allowed_tools"
)
words = st.sampled_from(WORDS.split())
scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text() | words
NAMES = (
    "type role content text call_id name arguments output id summary encrypted_content tools "
    "function parameters properties required enum anyOf items format schema mode tool_calls "
    "tool_call_id description strict minimum default const"
)
names = st.sampled_from(NAMES.split())
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=5),
    max_leaves=12,
)
FIELDS = (
    "input messages instructions tools tool_choice text reasoning include metadata stream "
    "temperature max_output_tokens max_tokens response_format stream_options"
)
fields = st.sampled_from(FIELDS.split())


@given(
    st.dictionaries(fields, values, max_size=5), st.sampled_from(["responses", "chat/completions"])
)
def test_no_json_breaks_the_application(body, route):
    """Any JSON body is answered or refused as the client's fault; nothing is raised."""
    body = {"model": "sim-1", "input": "weather of f", "messages": [{"role": "user"}], **body}
    try:
        raw = msgspec.json.encode(body)
    except OverflowError:  # msgspec writes integers of at most 64 bits
        return

    status, answer = asyncio.run(post(f"/v1/{route}", raw))

    assert status in (200, 400, 404)
    assert answer


OFFER = b'{"model":"sim-1","input":"f","tools":[{"type":"function","name":"f","parameters":%b}]}'


@pytest.mark.parametrize(
    "body",
    [
        b'{"model":"sim-1","input":"\\ud800"}',
        b'{"model":"sim-1","input":' + b"[" * 5000 + b"]" * 5000 + b"}",
        b'{"model":"sim-1","input":[{"type":["message"]}]}',
        b'{"model":"sim-1","input":[{}]}',
        b'{"model":"sim-1","input":"x","tool_choice":{"type":["function"]}}',
        b'{"model":"sim-1","input":"x","temperature":1e999}',
        OFFER % b'{"properties":{"a":{"const":1000000000000000000000000000000}},"required":["a"]}',
        OFFER % b'{"properties":{"a":{"type":"integer","minimum":1e300}},"required":["a"]}',
        OFFER % (b'{"a":' * 5000 + b"1" + b"}" * 5000),
    ],
)
async def test_odd_bodies_are_answered_or_refused(body):
    """Lone surrogates, deep nesting, odd types and vast numbers never break the application."""
    status, _ = await post("/v1/responses", body)

    assert status in (200, 400)


async def test_deep_outputs_are_answered():
    """A function's arguments and output may be nested deeper than they can be read."""
    deep = "[" * 100_000
    call = {"type": "function_call", "call_id": "c", "name": "f", "arguments": deep}
    output = {"type": "function_call_output", "call_id": "c", "output": deep}

    status, answer = await post(
        "/v1/responses", msgspec.json.encode({"model": "sim-1", "input": [call, output]})
    )

    assert status == 200
    assert b"Here is what I found. f: [" in answer
