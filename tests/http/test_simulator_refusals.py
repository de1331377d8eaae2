"""What the simulator refuses, and what else it serves, in OpenAI's words."""

import httpx2
import openai
import pytest
from openai.types.model import Model

pytest_plugins = ("tests.fakes.simulator_fixtures",)


def ask(message, **fields):
    """A request's body."""
    return {"model": "sim-1", "input": message, **fields}


CALL = {"type": "function_call", "call_id": "call_1", "name": "f", "arguments": "{}"}
OUTPUT = {"type": "function_call_output", "call_id": "call_1", "output": "x"}
SAID = {"role": "user", "content": "hi"}
THOUGHT = {"type": "reasoning", "summary": [], "encrypted_content": "gAAAAABsim00"}
REFUSALS = {
    "call without output": (
        ask([SAID, CALL]),
        400,
        None,
        "No tool output found for function call call_1.",
    ),
    "output without call": (
        ask([SAID, OUTPUT]),
        400,
        None,
        "No tool call found for function call output with call_id call_1.",
    ),
    "output before its call": (ask([OUTPUT, CALL]), 400, None, "No tool call found"),
    "our id": (
        ask([{**SAID, "id": "msg_1", "type": "message"}]),
        404,
        None,
        "Item with id 'msg_1' not found. Items are not persisted when `store` is set to false.",
    ),
    "id of a call": (ask([SAID, {**CALL, "id": "fc_1"}, OUTPUT]), 404, None, "'fc_1' not found"),
    "id of reasoning": (ask([{**THOUGHT, "id": "rs_1"}, CALL, OUTPUT]), 404, None, "'rs_1'"),
    "reference": (ask([{"type": "item_reference", "id": "x_1"}]), 404, None, "'x_1' not found"),
    "reasoning at the end": (
        ask([SAID, THOUGHT]),
        400,
        None,
        "was provided without its required following item",
    ),
    "reasoning before a user": (
        ask([THOUGHT, SAID]),
        400,
        None,
        "was provided without its required following item",
    ),
    "reasoning in the clear": (
        ask([{"type": "reasoning", "summary": []}, CALL, OUTPUT]),
        400,
        None,
        "without encrypted content",
    ),
    "another's reasoning": (
        ask([{**THOUGHT, "encrypted_content": "gAAAAABother"}, CALL, OUTPUT]),
        400,
        "invalid_encrypted_content",
        "could not be verified",
    ),
    "previous response": (
        ask("hi", previous_response_id="resp_1"),
        400,
        "previous_response_not_found",
        "Previous response with id 'resp_1' not found.",
    ),
    "no model": ({"input": "hi"}, 400, "missing_required_parameter", "'model'"),
    "wrong type": (ask("hi", temperature="hot"), 400, "invalid_type", "'temperature'"),
    "too few tokens": (
        ask("hi", max_output_tokens=5),
        400,
        "integer_below_min_value",
        "Expected a value >= 16, but got 5",
    ),
    "unknown item": (ask([{"type": "dream"}]), 400, "invalid_value", "'dream'"),
    "unknown role": (ask([{**SAID, "role": "cat"}]), 400, "invalid_value", "'cat'"),
    "unknown function": (
        ask("hi", tool_choice={"type": "function", "name": "f"}),
        400,
        None,
        "Tool choice 'f' not found in 'tools' parameter.",
    ),
    "unnamed function": (
        ask("hi", tools=[{"type": "function"}]),
        400,
        "missing_required_parameter",
        "tools[0].name",
    ),
}


@pytest.mark.parametrize(("body", "status", "code", "words"), REFUSALS.values(), ids=REFUSALS)
async def test_bad_requests_are_refused_in_openais_words(sdk, body, status, code, words):
    """Each broken rule is refused with OpenAI's status, code and message."""
    with pytest.raises(openai.APIStatusError) as refused:
        await sdk.post("/responses", body=body, cast_to=object)

    assert refused.value.status_code == status
    assert refused.value.code == code
    assert words in refused.value.body["message"]
    assert refused.value.type == "invalid_request_error"
    assert refused.value.request_id.startswith("req_")


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'"x"', b"\xff", b"[" * 100_000])
async def test_what_is_not_a_request_is_a_400(http, body):
    """Bodies that are no JSON object of a request are the client's fault."""
    answer = await http.post("/responses", content=body)

    assert answer.status_code == 400
    assert set(answer.json()["error"]) == {"message", "type", "param", "code"}


@pytest.mark.parametrize("headers", [{}, {"authorization": "Basic x"}, {"authorization": "Bearer"}])
async def test_a_bearer_is_demanded(simulator, headers):
    """Without a bearer the answer is a 401 in OpenAI's form."""
    async with httpx2.AsyncClient(base_url=simulator.base_url, headers=headers) as http:
        answer = await http.post("/responses", json=ask("hi"))

    assert answer.status_code == 401
    assert answer.json()["error"]["code"] == "invalid_api_key"


async def test_one_bearer_is_never_good(sdk):
    """``sk-invalid`` is refused as a revoked key is."""
    with pytest.raises(openai.AuthenticationError) as refused:
        await sdk.with_options(api_key="sk-invalid").models.list()

    assert refused.value.code == "invalid_api_key"


async def test_models_are_listed_and_found(sdk):
    """The list of models and one of them are of the SDK's type."""
    models = (await sdk.models.list()).data
    one = await sdk.models.retrieve("sim-burst-108")

    assert {model.id for model in models} >= {"sim-1", "sim-reasoning"}
    assert Model.model_validate(one.to_dict(), strict=True).id == "sim-burst-108"


async def test_health_needs_no_key(simulator):
    """``/health`` answers beside ``/v1``, without a key."""
    async with httpx2.AsyncClient() as http:
        answer = await http.get(simulator.base_url.removesuffix("/v1") + "/health")

    assert answer.json() == {"status": "ok"}


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/responses", 405), ("GET", "/responses/resp_1", 404), ("POST", "/nothing", 404)],
)
async def test_other_routes_are_refused(http, method, path, status):
    """What is not served answers in OpenAI's form too."""
    answer = await http.request(method, path)

    assert answer.status_code == status
    assert answer.json()["error"]["type"] == "invalid_request_error"
