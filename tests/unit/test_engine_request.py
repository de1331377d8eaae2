"""The body of a call: what an upstream is asked."""

import gc
import json

import pytest
from openai.types.responses.response_create_params import ResponseCreateParamsStreaming
from pydantic import TypeAdapter
from structlog.testing import capture_logs

from gateway.engines.responses_request import Preambles, body, headers, preamble_of, reasons
from tests.fakes.calls import QUESTION, make_assistant, make_call

FUNCTION = {
    "type": "function",
    "name": "get_weather",
    "description": "Tell the weather.",
    "parameters": {"type": "object", "properties": {}, "additionalProperties": False},
    "strict": True,
}


def sent(**changes):
    """The body of a call, decoded."""
    call = make_call("https://api.openai.com/v1", **changes)
    return json.loads(body(preamble_of(call.assistant), call))


def with_tools(*tools, **changes):
    """An assistant that has these tools."""
    return make_assistant(tools=json.dumps(tools).encode(), **changes)


def test_a_plain_streamed_call():
    """A plain assistant's call is stateless and says no more than it must."""
    assert sent() == {
        "model": "gpt-4o",
        "instructions": "Be brief.",
        "store": False,
        "truncation": "auto",
        "stream": True,
        "stream_options": {"include_obfuscation": False},
        "prompt_cache_key": "acme",
        "input": [json.loads(QUESTION)],
    }


def test_an_unstreamed_call_asks_for_no_stream():
    """Without streaming neither of its fields is there."""
    assert not {"stream", "stream_options"} & sent(stream=False).keys()


def test_tools():
    """Tools go out as they were encoded, and may be called at the same time."""
    request = sent(assistant=with_tools(FUNCTION))

    assert request["tools"] == [FUNCTION]
    assert request["parallel_tool_calls"] is True
    assert "tool_choice" not in request


@pytest.mark.parametrize(("tools", "choice"), [([FUNCTION], "none"), ([], None)])
def test_calls_may_be_forbidden(tools, choice):
    """Forbidding calls is said where there is something to forbid."""
    assert sent(assistant=with_tools(*tools), tools_allowed=False).get("tool_choice") == choice


@pytest.mark.parametrize(
    ("model", "answer"),
    [
        ("gpt-6-luna", True),
        ("gpt-5", True),
        ("gpt-5.1-mini", True),
        ("gpt-12", True),
        ("o3-mini", True),
        ("o1", True),
        ("openai/gpt-6-sol", True),
        ("ft:o4-mini:acme::1", True),
        ("GPT-6-Sol", True),
        ("gpt-5-chat-latest", False),
        ("gpt-4o", False),
        ("gpt-4.1", False),
        ("gpt-oss-120b", False),
        ("llama-4", False),
        ("olmo-2", False),
        ("my-gpt-6", False),
    ],
)
def test_reasoning_models_are_told_by_name(model, answer):
    """OpenAI's reasoning models are known by their names."""
    assert reasons(model) is answer


def test_reasoning_is_asked_for_in_the_form_that_can_be_sent_back():
    """A reasoning model encrypts its reasoning, and is sent no temperature, which it refuses."""
    with capture_logs() as logs:
        request = sent(assistant=make_assistant(model="gpt-6-luna", temperature=0.2))

    assert request["include"] == ["reasoning.encrypted_content"]
    assert "temperature" not in request
    assert [log["event"] for log in logs] == ["temperature_left_out"]


def test_temperature():
    """Other models get the assistant's temperature, zero too."""
    assert sent(assistant=make_assistant(temperature=0.0))["temperature"] == 0.0


def test_hosted_tools_bring_their_results():
    """A hosted tool's results are asked for, and nothing where there is none."""
    request = sent(assistant=with_tools({"type": "file_search", "vector_store_ids": ["vs_1"]}))

    assert request["include"] == ["file_search_call.results"]
    assert "include" not in sent(assistant=with_tools(FUNCTION))


def test_texts_are_escaped():
    """Quotes, line breaks and other scripts in instructions and keys survive."""
    text = 'Say "hi"\n\u2028\x00 привет 🙂'

    request = sent(assistant=make_assistant(instructions=text), prompt_cache_key=text)

    assert (request["instructions"], request["prompt_cache_key"]) == (text, text)


def test_nothing_said_yet():
    """A call without input or instructions is still a body."""
    request = sent(assistant=make_assistant(instructions=""), input=())

    assert request["input"] == []
    assert "instructions" not in request


def test_the_body_is_what_the_sdk_knows():
    """The fullest body has no field that OpenAI's own parameters lack or type otherwise."""
    assistant = with_tools(FUNCTION, {"type": "web_search"}, model="gpt-6-luna")
    request = sent(assistant=assistant, tools_allowed=False)

    TypeAdapter(ResponseCreateParamsStreaming).validate_python(request, strict=False)

    known = ResponseCreateParamsStreaming.__required_keys__
    known |= ResponseCreateParamsStreaming.__optional_keys__
    assert request.keys() <= known


def test_headers():
    """The credential, the forms and the correlation id ride on each call."""
    fields = headers(make_call("https://api.openai.com/v1"))

    assert fields == {
        "Authorization": "Bearer sk-planted-secret",
        "Content-Type": "application/json",
        "Accept": "text/event-stream",
        "X-Correlation-ID": "corr-1",
        "X-Client-Request-Id": "corr-1",
    }


def test_a_revision_is_encoded_once_and_forgotten_with_it():
    """A preamble is made at the first call and goes when its assistant goes."""
    preambles = Preambles()
    assistant = make_assistant()

    assert preambles.of(assistant) is preambles.of(assistant)
    assert len(preambles._known) == 1

    del assistant
    gc.collect()
    assert len(preambles._known) == 0
