"""A gateway with two tenants, before a simulator."""

from pathlib import Path

import aiohttp
import pytest

from tests.fakes.conversation import Talker
from tests.fakes.gateway import serving, write_tenant
from tests.fakes.simulator import RecordingSimulator

WEATHER = '''
def get_weather(city: str) -> dict:
    """The weather in a city."""
    return {"city": city, "sky": "sunny"}

TOOL_MAP = {"get_weather": get_weather}
'''


@pytest.fixture
async def upstream():
    """A simulator that remembers what it was asked."""
    async with RecordingSimulator() as simulator:
        yield simulator


@pytest.fixture
def environ(tmp_path: Path, upstream):
    """The variables of the gateway under test."""
    tenants = tmp_path / "tenants"
    write_tenant(tenants, "acme", instructions="You are Acme.", tools=WEATHER)
    write_tenant(tenants, "globex", instructions="You are Globex.")
    return {
        "GATEWAY_TENANTS": f"dir:{tenants}",
        "GATEWAY_STORE": f"sqlite:{tmp_path / 'gateway.db'}",
        "OPENAI_BASE_URL": upstream.base_url,
        "OPENAI_API_KEY": "sk-operator-planted",
    }


@pytest.fixture
async def gateway(environ):
    """A running gateway."""
    async with serving(environ) as running:
        yield running


@pytest.fixture
async def session(gateway):
    """HTTP to it."""
    async with aiohttp.ClientSession(gateway.url) as opened:
        yield opened


@pytest.fixture
def acme(session):
    """A client of the first tenant."""
    return Talker(session, "acme")


@pytest.fixture
def globex(session):
    """A client of the second tenant."""
    return Talker(session, "globex")
