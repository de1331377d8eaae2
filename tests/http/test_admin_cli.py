"""`tenantctl` against the operator's API of a running gateway, each in a process of its own."""

import asyncio
import json

import pytest

from tests.fakes.admin_client import ADMIN_KEY
from tests.fakes.tenantctl import run

pytest_plugins = ("tests.fakes.admin_fixtures",)


@pytest.fixture
def tenantctl(admin_environ, operated, tmp_path):
    """Runs a command, and gives what it says in JSON."""
    environ = {
        name: admin_environ[name]
        for name in ("GATEWAY_TENANTS", "STORAGE_EMULATOR_HOST")
        if name in admin_environ
    }

    async def ask(*arguments, code=0, key=ADMIN_KEY):
        result = await asyncio.to_thread(
            run,
            *(*arguments, "--gateway", operated.url, "--json"),
            environ={**environ, "GATEWAY_ADMIN_KEY": key},
            folder=tmp_path,
        )
        assert result.returncode == code, result.stderr
        return json.loads(result.stdout)

    return ask


async def enters(http, operated, key):
    """What the tenant's start answers to a key."""
    headers = {"X-API-Key": key}
    async with http.get(f"{operated.url}/t/acme/start", headers=headers) as answer:
        return answer.status


async def test_keys_list_tells_when_they_were_used(admin, http, operated, tenantctl):
    """Of a key that was never used it tells so."""
    key = (await admin.create(key={}))["key"]
    other = await admin.post("/tenants/acme/keys", 201)
    while await enters(http, operated, key["key"]) != 200:
        pass

    found = {each["id"]: each for each in await tenantctl("keys", "list", "acme")}

    assert found[key["id"]]["last_used_at"] >= key["created_at"]
    assert found[other["id"]]["last_used_at"] is None


async def test_offboard_leaves_nothing_behind(admin, http, operated, tenantctl):
    """Neither in the registry nor in the store; once more, there is nothing to do."""
    key = (await admin.create(key={}))["key"]["key"]
    while await enters(http, operated, key) != 200:
        pass

    gone = await tenantctl("offboard", "acme", "--yes", "--no-export")
    again = await tenantctl("offboard", "acme", "--yes", "--no-export")

    assert gone["threads_deleted"]
    assert again["threads_deleted"]
    assert await enters(http, operated, key) == 404
    assert (await admin.delete("/tenants/acme/data"))["threads_deleted"] == 0
    await admin.get("/tenants/acme", 404)


async def test_a_wrong_key_is_told_before_anything_is_deleted(admin, tenantctl):
    """Exit 1, the gateway's own words, and the tenant is still there."""
    await admin.create()

    said = await tenantctl("offboard", "acme", "--yes", "--no-export", code=1, key="wrong")

    assert "401" in json.dumps(said)
    assert "wrong" not in json.dumps(said)
    await admin.get("/tenants/acme")
