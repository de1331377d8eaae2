"""A gateway with the operator's API, before a directory or a bucket, for ``pytest_plugins``."""

import aiohttp
import pytest

from tenants.registry.files import FileObjects
from tenants.registry.gcs import GcsObjects
from tests.fakes.admin_client import ADMIN_KEY, SECOND_KEY, AdminClient, Place
from tests.fakes.gateway import RunningGateway, serving
from tests.fakes.gcs import fake_gcs
from tests.fakes.simulator import RecordingSimulator


@pytest.fixture(params=["directory", "bucket"])
def place(request, tmp_path):
    """An empty registry, in a directory and in a bucket."""
    if request.param == "directory":
        root = tmp_path / "tenants"
        root.mkdir()
        yield Place({"GATEWAY_TENANTS": f"dir:{root}"}, FileObjects(root))
        return
    with fake_gcs("tenants") as gcs:
        environ = {
            "GATEWAY_TENANTS": "gs://tenants/production",
            "GATEWAY_TENANTS_COPIES": str(tmp_path / "copies"),
            "STORAGE_EMULATOR_HOST": gcs.url,
        }
        yield Place(environ, GcsObjects("tenants", "production", emulator=gcs.url), gcs)


@pytest.fixture
async def admin_upstream():
    """The simulator."""
    async with RecordingSimulator() as simulator:
        yield simulator


@pytest.fixture
def admin_environ(tmp_path, place, admin_upstream):
    """The variables of a gateway that demands keys."""
    return {
        **place.environ,
        "GATEWAY_STORE": f"sqlite:{tmp_path / 'gateway.db'}",
        "GATEWAY_REQUIRE_KEYS": "true",
        "GATEWAY_ADMIN_KEY": f"{ADMIN_KEY}, {SECOND_KEY}",
        "OPENAI_BASE_URL": admin_upstream.base_url,
        "OPENAI_API_KEY": "sk-operator-planted",
    }


@pytest.fixture
async def operated(admin_environ):
    """A running gateway with the operator's API."""
    async with serving(admin_environ) as running:
        yield running


@pytest.fixture
async def http():
    """HTTP to anywhere."""
    async with aiohttp.ClientSession() as opened:
        yield opened


@pytest.fixture
def admin(http: aiohttp.ClientSession, operated: RunningGateway):
    """A client with the first of the operator's keys."""
    return AdminClient(http, operated.internal_url)
