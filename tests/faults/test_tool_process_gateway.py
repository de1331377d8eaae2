"""A whole gateway, one of whose tenants has a function that ends its process."""

import asyncio
import os

import aiohttp
import pytest

from tests.fakes.conversation import Talker
from tests.fakes.gateway import serving, write_tenant
from tests.fakes.simulator import RecordingSimulator
from tests.fakes.tenants import until

ESCAPE = '''
import os

def escape() -> str:
    """Leave."""
    open({started!r}, "w").close()
    open({gate!r}).close()
    os._exit(9)

TOOL_MAP = {{"escape": escape}}
'''
WHERE = '''
import os

def whereabouts() -> int:
    """Say where."""
    return os.getpid()

TOOL_MAP = {"whereabouts": whereabouts}
'''


@pytest.fixture
async def simulator():
    """An upstream that remembers what it was asked."""
    async with RecordingSimulator() as running:
        yield running


@pytest.fixture
async def gateway(tmp_path, simulator):
    """It serves a tenant whose function waits at ``gate`` and then ends its process."""
    places = {name: str(tmp_path / name) for name in ("started", "gate")}
    os.mkfifo(places["gate"])
    write_tenant(tmp_path / "tenants", "acme", tools=ESCAPE.format(**places))
    write_tenant(tmp_path / "tenants", "globex", tools=WHERE)
    environ = {
        "GATEWAY_TENANTS": f"dir:{tmp_path / 'tenants'}",
        "GATEWAY_STORE": f"sqlite:{tmp_path / 'gateway.db'}",
        "OPENAI_BASE_URL": simulator.base_url,
        "OPENAI_API_KEY": "sk-operator-planted",
    }
    async with serving(environ) as running:
        yield running


def outputs(simulator):
    """What the model was told of its calls, newest last."""
    return [
        item["output"]
        for request in simulator.requests
        for item in request.json["input"]
        if item.get("type") == "function_call_output"
    ]


async def test_function_that_ends_its_process_ends_no_turn(gateway, simulator, tmp_path):
    """Its own run goes on with a neutral message, and another tenant's turns are answered."""
    async with aiohttp.ClientSession(gateway.url) as session:
        acme, globex = Talker(session, "acme"), Talker(session, "globex")
        escaping = asyncio.create_task(acme.say("call escape"))
        await until((tmp_path / "started").exists)

        during = await globex.say("Hello")
        (tmp_path / "gate").write_text("")
        escaped = await escaping
        after = await globex.say("call whereabouts")

    assert {turn["status"] for turn in (during, escaped, after)} == {"completed"}
    failed, answered = outputs(simulator)
    assert failed == f"The function failed. Reference: {escaped['correlation_id']}."
    assert answered.isdigit()
    assert answered != str(os.getpid())
    assert b"agw_tool_worker_deaths_total 1.0" in gateway.app.metrics.render()
