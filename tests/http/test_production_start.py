"""Production from its first day: a bucket, Secret Manager, two tenants, keys, and no hand edit."""

import asyncio
import json
import re

import aiohttp
import pytest

from tests.fakes.gcs import fake_gcs
from tests.fakes.locked_upstream import LockedUpstream
from tests.fakes.secret_manager import PROJECT, SecretManager
from tests.fakes.served_process import served_process
from tests.fakes.tenantctl import run

OPERATORS_KEY = "sk-operator-planted"
ADMIN_KEY = "an-operator-s-key-0123456789"


@pytest.fixture
async def environ():
    """The variables of the gateway and of the operator alike."""
    with fake_gcs("acme-tenants") as gcs:
        async with SecretManager() as secrets, LockedUpstream(OPERATORS_KEY) as upstream:
            yield {
                **gcs.environ,
                "SECRET_MANAGER_EMULATOR_HOST": secrets.address,
                "ENVIRONMENT": "production",
                "BUCKET_ID": "acme-tenants",
                "PROJECT_ID": PROJECT,
                "OPENAI_API_KEY": OPERATORS_KEY,
                "OPENAI_BASE_URL": upstream.base_url,
                "GATEWAY_PRIVATE_UPSTREAMS": "127.0.0.1",
                "GATEWAY_INTERNAL_PORT": "0",
                "GATEWAY_ADMIN_KEY": ADMIN_KEY,
                "GATEWAY_DEFAULT_TENANT": "acme",
            }


@pytest.fixture
def ctl(environ, tmp_path):
    """Runs ``tenantctl`` in a process of its own; the object that it prints."""

    async def call(*arguments, **options):
        done = await asyncio.to_thread(
            run, *arguments, "--json", environ=environ, folder=tmp_path, **options
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return json.loads(done.stdout)

    return call


async def status(url, key=None):
    """What a tenant answers somebody with this key."""
    headers = {"authorization": f"Bearer {key}"} if key else {}
    async with (
        aiohttp.ClientSession(headers=headers) as session,
        session.post(url, json={"message": "Hello"}) as answer,
    ):
        return answer.status


async def metrics(url):
    """What is answered to somebody who asks for the metrics there."""
    async with aiohttp.ClientSession() as session, session.get(f"{url}/metrics") as answer:
        return answer.status


async def becomes(wanted, url, key):
    """Wait until it answers so; the contract's ten seconds."""
    async with asyncio.timeout(10):
        while await status(url, key) != wanted:  # noqa: ASYNC110  (nothing here is told of it)
            await asyncio.sleep(0.2)


async def test_the_first_day_of_production(environ, ctl, tmp_path):
    """Onboarded, served, cut off, and counted on the operator's port alone."""
    acme = await ctl("onboard", "acme")
    async with served_process(tmp_path, environ) as served:
        chat = f"{served.url}/t/acme/chat"
        internal = re.search(rb"(http://\S+)/metrics", served.said)[1].decode()
        answered = await status(chat, acme["key"])
        locked = await status(chat)

        own = ("--upstream-base-url", environ["OPENAI_BASE_URL"])
        globex = await ctl("onboard", "globex", *own, "--gateway", served.url)
        without_its_secret = await status(globex["urls"]["chat"], globex["key"])
        # What is piped is the value, and a newline that is no part of it.
        (tmp_path / "key.txt").write_text(f"{OPERATORS_KEY}\n")
        with (tmp_path / "key.txt").open() as piped:
            await ctl("secrets", "set", "globex", "openai-api-key", stdin=piped)
        doctor = await ctl("doctor")
        crossed = await status(globex["urls"]["chat"], acme["key"])

        used = await ctl("keys", "list", "acme", "--gateway", internal)
        await ctl("keys", "revoke", "acme", acme["key_id"])
        await becomes(401, chat, acme["key"])
        await becomes(200, globex["urls"]["chat"], globex["key"])
        await ctl("suspend", "globex")
        await becomes(404, globex["urls"]["chat"], globex["key"])
        outside, inside = await metrics(served.url), await metrics(internal)

    assert (answered, locked, without_its_secret, crossed) == (200, 401, 503, 401)
    assert used[0]["last_used_at"] is not None
    assert doctor["ok"]
    assert (outside, inside) == (404, 200)
    for planted in (OPERATORS_KEY, ADMIN_KEY, acme["key"], globex["key"]):
        assert planted.encode() not in served.said
