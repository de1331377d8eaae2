"""Secrets stay where they belong: not in logs, metrics, answers or the store, whatever happens."""

import base64
import json

import aiohttp
import pytest

from tests.fakes.conversation import EVENTS
from tests.fakes.gateway import write_tenant
from tests.fakes.scripted_gateway import call_reply
from tests.fakes.served_process import served_process
from tests.fakes.upstream import (
    Ending,
    Upstream,
    json_reply,
    raw_reply,
    response,
    sse,
    stream_reply,
    text_answer,
    text_stream,
)

# None of them has a form by which a secret could be told.
OPERATOR, TENANT = "operatorsPlantedWord", "tenantsPlantedWord"
BEARER, API_KEY, PASSWORD = "bearersPlantedWord", "headersPlantedWord", "passwordsPlantedWord"
TOKEN, OTHER = "tokensPlantedWord", "queriesPlantedWord"
SECRETS = (OPERATOR, TENANT, BEARER, API_KEY, PASSWORD, TOKEN, OTHER)
BODIES = ("what the user said", "what the operator wrote", "what the model said")
BASIC = base64.b64encode(f"x:{PASSWORD}".encode()).decode()
SENT = (
    {"Authorization": f"Bearer {BEARER}"},
    {"Authorization": f"Basic {BASIC}"},
    {"X-API-Key": API_KEY, "Cookie": f"session={TOKEN}"},
)
QUERY = f"?token={TOKEN}&access_token={TOKEN}&x={OTHER}"
UPSTREAM = """
[upstream]
base_url = "{base_url}"
api_key = "secret:openai-api-key"
"""
TOOLS = """
import os

def do_tell() -> str:
    '''Tells what it should not.'''
    raise RuntimeError(os.environ["AGW_GLOBEX__OPENAI_API_KEY"] + os.environ["OPENAI_API_KEY"])

TOOL_MAP = {"do_tell": do_tell}
"""
BEGUN = text_stream("so far").partition(b"event: response.output_text.done")[0]


def echoing(key):
    """Replies of all outcomes that repeat the key wherever an upstream may."""
    words = f"Incorrect API key provided: {key}"
    error = {"message": words, "type": key, "param": key, "code": key}
    echoed = {"x-request-id": key, "www-authenticate": words}
    failed = response("failed", error={"code": key, "message": words})
    return [
        json_reply({"error": error}, 401, echoed),
        json_reply({"error": error}, 400, echoed),
        json_reply({"error": error}, 429, echoed | {"retry-after": "99"}),
        json_reply(words.encode(), 503, echoed | {"retry-after": "99"}),
        json_reply(words.encode(), 302, echoed | {"location": f"http://{key}/"}),
        raw_reply(f"{words}\r\n\r\n".encode()),
        stream_reply(BEGUN, f"data: {words}\n\n".encode(), ending=Ending.CUT),
        stream_reply(BEGUN, sse({**error, "type": "error"})),
        stream_reply(BEGUN, sse({"type": "response.failed", "response": failed})),
        json_reply(failed),
        stream_reply(text_stream(BODIES[2])),
        text_answer(BODIES[2]),
    ]


@pytest.fixture
async def upstream():
    """An upstream that repeats keys."""
    async with Upstream(text_answer(BODIES[2])) as running:
        yield running


@pytest.fixture
def environ(tmp_path, upstream):
    """A gateway whose second tenant has an account of its own, with everything logged."""
    tenants = tmp_path / "tenants"
    write_tenant(tenants, "acme", instructions=BODIES[1], tools=TOOLS)
    own = UPSTREAM.format(base_url=upstream.base_url)
    write_tenant(tenants, "globex", instructions=BODIES[1], rest=own)
    return {
        "GATEWAY_TENANTS": f"dir:{tenants}",
        "GATEWAY_STORE": f"sqlite:{tmp_path / 'gateway.db'}",
        "GATEWAY_PRIVATE_UPSTREAMS": "127.0.0.1",
        "OPENAI_BASE_URL": upstream.base_url,
        "OPENAI_API_KEY": OPERATOR,
        "AGW_GLOBEX__OPENAI_API_KEY": TENANT,
        "LOGGING_LEVEL": "DEBUG",
        "LOG_FORMAT": "json",
    }


async def test_no_secret_is_told(tmp_path, upstream, environ):
    """Turns of all outcomes on all surfaces leave no secret where it could be read."""
    async with (
        served_process(tmp_path, environ) as process,
        aiohttp.ClientSession(process.url) as session,
    ):
        heard = [await _turns(session, upstream, "acme", OPERATOR)]
        heard.append(await _turns(session, upstream, "globex", TENANT))
        upstream.script(call_reply("do_tell"), stream_reply(text_stream(BODIES[2])))
        heard.append(await _post(session, "acme", EVENTS))
        async with session.get("/metrics") as answer:
            heard.append(f"{dict(answer.headers)}{await answer.text()}")
        keys = {asked.headers["authorization"] for asked in upstream.requests}
        stored = b"".join(file.read_bytes() for file in tmp_path.glob("gateway.db*"))
    logged = process.said.decode()
    tool_output = upstream.requests[-1].json["input"][-1]["output"]

    assert keys == {f"Bearer {OPERATOR}", f"Bearer {TENANT}"}
    assert b"so far" in stored
    assert logged.count("upstream_failed") > 10
    assert "tool_failed" in logged
    places = {"answers": "".join(heard), "log": logged, "store": stored.decode("latin-1")}
    places["the model's input"] = tool_output
    found = [(place, word) for place, text in places.items() for word in SECRETS if word in text]
    assert found == []
    assert [words for words in BODIES if words in logged] == []
    assert BASIC not in logged


async def _turns(session, upstream, tenant, key):
    """Everything that clients hear of turns of all outcomes, on every surface."""
    heard = []
    for number in range(len(echoing(key))):
        for ask in (_post, _stream, _converse):
            upstream.script(echoing(key)[number])
            heard.append(await ask(session, tenant, SENT[number % len(SENT)]))
    return "".join(heard)


async def _post(session, tenant, headers):
    body = {"message": BODIES[0]}
    path = f"/t/{tenant}/chat{QUERY}"
    async with session.post(path, json=body, headers=headers) as answer:
        return f"{dict(answer.headers)}{await answer.text()}"


async def _stream(session, tenant, headers):
    heard = await _post(session, tenant, headers | EVENTS)
    if '"run_id":"' not in heard:
        return heard
    run_id = heard.partition('"run_id":"')[2].partition('"')[0]
    for path in (f"/runs/{run_id}", f"/runs/{run_id}/events"):
        async with session.get(f"/t/{tenant}{path}{QUERY}", headers=headers) as answer:
            heard += f"{dict(answer.headers)}{await answer.text()}"
    return heard


async def _converse(session, tenant, headers):
    path = f"/t/{tenant}/ws/chat{QUERY}"
    heard = ""
    async with session.ws_connect(path, headers=headers) as socket:
        await socket.send_json({"message": BODIES[0]})
        event = ""
        while event not in {"metadata", "error"}:
            text = await socket.receive_str(timeout=10)
            event = json.loads(text)["event"]
            heard += text
    return heard
