"""Two gateways as processes of their own on one bucket: what is told to one is known to both."""

import asyncio
import contextlib
import math
import time

import aiohttp
import pytest

from tenants.registry.gcs import GcsObjects
from tenants.releases.publishing import publish
from tests.fakes.gateway_process import gateway_process
from tests.fakes.gcs import CLOSED, Fault, fake_gcs
from tests.fakes.operator import Operator, release

PROMISED_SECONDS = 10


@pytest.fixture
def gcs():
    """Cloud Storage."""
    with fake_gcs("tenants") as gcs:
        yield gcs


@pytest.fixture
def operator(gcs):
    """Who publishes there."""
    return Operator(GcsObjects("tenants", "production", emulator=gcs.url))


@pytest.fixture
async def urls(gcs, tmp_path):
    """Two gateways that demand keys, each with copies and a store of its own."""
    environ = {
        **gcs.environ,
        "GATEWAY_TENANTS": "gs://tenants/production",
        "GATEWAY_REQUIRE_KEYS": "true",
        "OPENAI_API_KEY": "sk-operator-planted",
        "OPENAI_BASE_URL": "http://127.0.0.1:9/v1",
    }
    async with contextlib.AsyncExitStack() as stack:
        urls = []
        for name in ("one", "two"):
            (tmp_path / name).mkdir()
            process = await stack.enter_async_context(gateway_process(environ, tmp_path / name))
            urls.append(process.url)
        yield urls


async def answer(url: str, key: str) -> tuple[int, str | None]:
    """What a gateway answers to a request with a key: its status, and its first words."""
    headers = {"Authorization": f"Bearer {key}"}
    async with (
        aiohttp.ClientSession(headers=headers) as client,
        client.post(f"{url}/t/acme/start", json={}) as response,
    ):
        return response.status, (await response.json()).get("initial_message")


async def statuses(urls, key: str) -> list[int]:
    """What each gateway answers."""
    return [(await answer(url, key))[0] for url in urls]


async def seconds_until(urls, key: str, wanted: int | str) -> float:
    """How long it takes until all gateways answer with this status, or these words."""
    began = time.monotonic()
    async with asyncio.timeout(2 * PROMISED_SECONDS):
        for url in urls:
            while wanted not in await answer(url, key):  # noqa: ASYNC110  (another process knows)
                await asyncio.sleep(0.05)
    return time.monotonic() - began


@pytest.mark.parametrize("trouble", ["none", "slow", "fails once"])
async def test_changes_are_in_force_everywhere_within_ten_seconds(operator, urls, gcs, trouble):
    """Published, revoked and suspended; also where reads take a second, or each fails once."""
    operator.publish()
    key, dead = operator.issue(), operator.issue()
    before = await statuses(urls, dead.text)
    said = release(more='initial_message = "Second."\n')

    publish(operator.objects, said, operator.intent())
    operator.revoke(dead.record.id)
    if trouble == "slow":
        gcs.fail(Fault(after_seconds=1), times=math.inf)
    if trouble == "fails once":
        for name in ("changes.json", "current.json", "keys.json", "compiled.json"):
            gcs.fail(CLOSED, times=2, name=name)
    revoked, published = await asyncio.gather(
        seconds_until(urls, dead.text, 401), seconds_until(urls, key.text, "Second.")
    )
    alive = await statuses(urls, key.text)
    gcs.heal()
    operator.suspend()
    suspended = await seconds_until(urls, key.text, 404)

    assert before == alive == [200, 200]
    assert published < PROMISED_SECONDS
    assert revoked < PROMISED_SECONDS
    assert suspended < PROMISED_SECONDS
