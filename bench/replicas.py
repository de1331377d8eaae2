"""What gateways over a registry in a bucket cost, and how soon they follow it."""

import asyncio
import contextlib
import re
import statistics
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Sequence
from functools import partial
from http import HTTPStatus
from pathlib import Path

import aiohttp

from tenants.registry.gcs import GcsObjects
from tenants.releases.pointers import Intent
from tenants.releases.publishing import publish
from tests.fakes.gateway_process import GatewayProcess, gateway_process
from tests.fakes.gcs import fake_gcs
from tests.fakes.operator import Operator, release
from tests.fakes.secret_manager import PROJECT, SecretManager

_PREFIX = "production"
_TENANT = "t0"
_REPEATED = 10
_ACTIVE = 200
_WINDOW_SECONDS = 300
_CALM_SECONDS = 5
Answer = tuple[int, str]


def say(what: str, figure: float) -> None:
    """Print a figure."""
    sys.stdout.write(f"{what}: {figure:,.4g}\n")
    sys.stdout.flush()


def replicas(url: str, _: int) -> None:
    """How long until two gateways serve what was published, revoked, suspended and resumed."""
    asyncio.run(_replicas(url))


def idle(url: str, _: int) -> None:
    """How soon a gateway over Google's services is ready, and what it holds when it idles."""
    asyncio.run(_idle(url))


def active(_: str, tenants: int) -> None:
    """Reads a minute and memory of a gateway where few of many tenants are active.

    The bucket is in this process: it counts what it is asked.
    """
    with fake_gcs("tenants") as gcs:
        objects = GcsObjects("tenants", _PREFIX, emulator=gcs.url)
        operator = Operator(objects)
        for number in range(min(tenants, _ACTIVE)):
            operator.publish(f"t{number}")
        pointer = f"{_PREFIX}/tenants/t{{}}/current.json".format
        gcs.fill(*map(pointer, range(_ACTIVE, tenants)))
        asyncio.run(_active(gcs.url, lambda: len(gcs.asked)))


async def _replicas(url: str) -> None:
    operator = Operator(GcsObjects("tenants", _PREFIX, emulator=url))
    operator.publish(_TENANT)
    key = operator.issue(_TENANT).text
    took: dict[str, list[float]] = defaultdict(list)
    async with (
        _gateway(url, GATEWAY_REQUIRE_KEYS="true") as one,
        _gateway(url, GATEWAY_REQUIRE_KEYS="true") as other,
    ):
        urls = one.url, other.url
        for number in range(_REPEATED):
            await asyncio.sleep(number / _REPEATED)  # not always as far from a read of the feed
            hello = f"Hello {number}."
            said = release(_TENANT, more=f'initial_message = "{hello}"\n')
            publish(operator.objects, said, Intent("bench", number))
            took["published"].append(await _seconds(urls, key, partial(_says, hello)))
            dead = operator.issue(_TENANT)
            await _seconds(urls, dead.text, lambda status, _: status == HTTPStatus.OK)
            operator.revoke(dead.record.id, _TENANT)
            took["revoked"].append(
                await _seconds(urls, dead.text, lambda status, _: status == HTTPStatus.UNAUTHORIZED)
            )
            operator.suspend(_TENANT)
            took["suspended"].append(
                await _seconds(urls, key, lambda status, _: status == HTTPStatus.NOT_FOUND)
            )
            operator.resume(_TENANT)
            took["resumed"].append(
                await _seconds(urls, key, lambda status, _: status == HTTPStatus.OK)
            )
    for what, seconds in took.items():
        say(f"seconds until {what} on both, median", statistics.median(seconds))
        say(f"seconds until {what} on both, at most", max(seconds))


def _says(wanted: str, _: int, text: str) -> bool:
    return wanted in text


async def _seconds(urls: Sequence[str], key: str, wanted: Callable[[int, str], bool]) -> float:
    """How long it takes until all gateways answer so."""
    began = time.monotonic()
    for url in urls:
        while not wanted(*await _answer(url, _TENANT, key)):  # noqa: ASYNC110  (another process knows)
            await asyncio.sleep(0.02)
    return time.monotonic() - began


async def _idle(url: str) -> None:
    Operator(GcsObjects("tenants", _PREFIX, emulator=url)).publish(_TENANT)
    async with SecretManager() as secrets:
        places = {
            "GATEWAY_SECRETS": f"gcp:{PROJECT}",
            "SECRET_MANAGER_EMULATOR_HOST": secrets.address,
        }
        for _ in range(3):
            began = time.monotonic()
            async with _gateway(url, **places) as gateway, aiohttp.ClientSession() as client:
                while not await _ready(client, gateway.url):  # noqa: ASYNC110  (as above)
                    await asyncio.sleep(0.005)
                say("seconds to ready", time.monotonic() - began)
                await asyncio.sleep(_CALM_SECONDS)
                say("MB idle", _resident_mb(gateway))
                await _answer(gateway.url, _TENANT)
                say("MB after a request", _resident_mb(gateway))


async def _ready(client: aiohttp.ClientSession, url: str) -> bool:
    async with client.get(f"{url}/ready") as answer:
        return answer.ok


async def _active(url: str, reads: Callable[[], int]) -> None:
    async with _gateway(url) as gateway:
        await asyncio.sleep(_CALM_SECONDS)
        before = _resident_mb(gateway)
        for number in range(_ACTIVE):
            await _answer(gateway.url, f"t{number}")
        say("MB of the active tenants", _resident_mb(gateway) - before)
        asked = reads()
        await asyncio.sleep(_WINDOW_SECONDS)
        say("reads a minute", 60 * (reads() - asked) / _WINDOW_SECONDS)
        say("MB in all", _resident_mb(gateway))


@contextlib.asynccontextmanager
async def _gateway(url: str, **more: str) -> AsyncIterator[GatewayProcess]:
    environ = {
        "STORAGE_EMULATOR_HOST": url,
        "GATEWAY_TENANTS": f"gs://tenants/{_PREFIX}",
        "OPENAI_API_KEY": "sk-bench",
        "OPENAI_BASE_URL": "http://127.0.0.1:9/v1",
        **more,
    }
    with tempfile.TemporaryDirectory() as folder:
        async with gateway_process(environ, Path(folder)) as process:
            yield process


async def _answer(url: str, tenant_id: str, key: str = "") -> Answer:
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    async with (
        aiohttp.ClientSession(headers=headers) as client,
        client.post(f"{url}/t/{tenant_id}/start", json={}) as answer,
    ):
        return answer.status, await answer.text()


def _resident_mb(gateway: GatewayProcess) -> float:
    status = Path(f"/proc/{gateway.process.pid}/status").read_text()
    return int(re.findall(r"VmRSS:\s+(\d+) kB", status)[0]) * 1024 / 1e6
