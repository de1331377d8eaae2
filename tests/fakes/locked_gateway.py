"""The fixtures of a gateway that demands keys, for ``pytest_plugins``."""

import aiohttp
import pytest

from tests.fakes.api_keys import KeyFile
from tests.fakes.credential_client import SECRET, Client
from tests.fakes.gateway import serving, write_tenant
from tests.fakes.simulator import RecordingSimulator


@pytest.fixture
async def upstream():
    """The simulator."""
    async with RecordingSimulator() as simulator:
        yield simulator


@pytest.fixture
def root(tmp_path):
    """A registry of two tenants."""
    write_tenant(tmp_path / "tenants", "acme", instructions="You are Acme.")
    write_tenant(tmp_path / "tenants", "globex", instructions="You are Globex.")
    return tmp_path / "tenants"


@pytest.fixture
def locked_environ(tmp_path, root, upstream):
    """The variables of a gateway that demands keys."""
    return {
        "GATEWAY_TENANTS": f"dir:{root}",
        "GATEWAY_STORE": f"sqlite:{tmp_path / 'gateway.db'}",
        "GATEWAY_REQUIRE_KEYS": "true",
        "GATEWAY_SESSION_SECRET": SECRET,
        "OPENAI_BASE_URL": upstream.base_url,
        "OPENAI_API_KEY": "sk-operator-planted",
    }


@pytest.fixture
async def locked(locked_environ):
    """A running gateway."""
    async with serving(locked_environ) as running:
        yield running


@pytest.fixture
def keys(root, locked):
    """The keys of ``acme``."""
    return KeyFile(root, "acme", locked)


@pytest.fixture
def their_keys(root, locked):
    """The keys of ``globex``."""
    return KeyFile(root, "globex", locked)


@pytest.fixture
async def client(locked):
    """A client of ``acme`` without a credential."""
    async with aiohttp.ClientSession(locked.url) as session:
        yield Client(session)
