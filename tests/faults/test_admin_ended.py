"""An operator's change under way: its client goes away, or the process is told to stop."""

import asyncio
import json
import os

import aiohttp
import pytest

from tenants.registry.files import FileObjects
from tenants.releases.pointers import find
from tests.fakes.admin_client import ADMIN_KEY, AdminClient, files_of
from tests.fakes.gateway_process import gateway_process
from tests.fakes.raw_client import RawClient, request
from tests.fakes.tenants import until

INLINE = '[tools]\nmodule = "tools.py"\nisolation = "inline"\n'
HELD = '''
import pathlib
import time

pathlib.Path({reached!r}).touch()
while not pathlib.Path({released!r}).exists():
    time.sleep(0.01)


def add(a: int, b: int) -> int:
    """Add two numbers."""
    return a + b


TOOL_MAP = {{"add": add}}
'''


@pytest.fixture
def root(tmp_path):
    """Of a directory registry."""
    root = tmp_path / "tenants"
    root.mkdir()
    return root


@pytest.fixture
def registry(root):
    """It, read beside the gateway."""
    return FileObjects(root)


@pytest.fixture
async def served(root, tmp_path):
    """A gateway in a process of its own."""
    environ = {
        "GATEWAY_TENANTS": f"dir:{root}",
        "GATEWAY_STORE": f"sqlite:{tmp_path / 'gateway.db'}",
        "GATEWAY_ADMIN_KEY": ADMIN_KEY,
        "OPENAI_API_KEY": "sk-planted",
    }
    async with gateway_process(environ, tmp_path) as served:
        yield served


@pytest.fixture
def held(tmp_path):
    """What creates a tenant whose tools are imported as long as the test wants."""
    paths = {name: os.fspath(tmp_path / name) for name in ("reached", "released")}
    files = files_of("acme", more=INLINE) | {"tools.py": HELD.format(**paths)}
    return {"id": "acme", "files": files}


async def test_a_publish_goes_on_without_its_client(served, registry, held, tmp_path):
    """Who hangs up finds it in force all the same."""
    body, headers = json.dumps(held).encode(), {"Authorization": f"Bearer {ADMIN_KEY}"}
    async with RawClient(served.url) as client:
        await client.send(request("POST", "/admin/api/tenants", body, headers))
        await until((tmp_path / "reached").exists)
    assert find(registry, "acme") is None
    (tmp_path / "released").touch()

    await until(lambda: find(registry, "acme") is not None)


async def test_a_publish_is_waited_for_at_the_end_of_the_process(served, registry, held, tmp_path):
    """Its client is answered, and what it was told is so."""
    async with aiohttp.ClientSession() as session:
        admin = AdminClient(session, served.url)
        made = asyncio.create_task(admin.post("/tenants", 201, **held))
        await until((tmp_path / "reached").exists)

        served.process.terminate()
        (tmp_path / "released").touch()
        published = await made
        await served.process.wait()

    found = find(registry, "acme")
    assert found is not None
    assert found.pointer.sha256 == published["sha256"]


async def test_a_publish_that_takes_too_long_has_not_begun(served, registry, held, tmp_path):
    """The process ends without it, and the tenant can be created as if nothing had been."""
    async with aiohttp.ClientSession() as session:
        url = f"{served.url}/admin/api/tenants"
        headers = {"Authorization": f"Bearer {ADMIN_KEY}"}
        made = asyncio.create_task(session.post(url, json=held, headers=headers))
        await until((tmp_path / "reached").exists)

        await served.terminate()
        (answered,) = await asyncio.gather(made, return_exceptions=True)

    assert isinstance(answered, aiohttp.ClientError) or answered.status >= 500
    assert [*registry.list("**")] == []
