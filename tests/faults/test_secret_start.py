"""The commands ``serve`` and ``check`` before a Secret Manager that is well, away, or refuses."""

import asyncio
import json
import os
import sys
from pathlib import Path

import aiohttp
import grpc
import pytest

from tests.fakes.conversation import Talker
from tests.fakes.locked_upstream import LockedUpstream
from tests.fakes.own_accounts import own_accounts
from tests.fakes.secret_manager import PROJECT, SecretManager
from tests.fakes.served_process import served_process

ROOT = Path(__file__).parents[2]
KEY = "sk-own-planted"


@pytest.fixture
async def upstream():
    """An upstream that takes acme's key alone."""
    async with LockedUpstream(KEY) as running:
        yield running


@pytest.fixture
async def manager():
    """A Secret Manager with acme's key."""
    async with SecretManager() as running:
        running.put("acme", "openai-api-key", KEY)
        yield running


@pytest.fixture
def environ(tmp_path, upstream, manager):
    """The variables of a gateway one of whose tenants has an account of its own."""
    return own_accounts(tmp_path, upstream, manager, ["acme"])


async def run(folder, environ, *arguments):
    """Run a command of the gateway to its end: exit code, output and errors."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "gateway", *arguments),
        cwd=folder,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), **environ},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(60):
        out, err = await process.communicate()
    return process.returncode, out.decode(), err.decode()


async def secrets_faults(folder, environ):
    """What ``gateway check`` has to say of the secrets."""
    _, out, err = await run(folder, environ, "check", "--json")
    assert err == ""
    (check,) = [each for each in json.loads(out)["checks"] if each["name"] == "secrets"]
    return check["faults"]


async def test_gateway_serves_with_keys_of_secret_manager(tmp_path, environ, upstream, manager):
    """The command as people run it; a store that goes away meanwhile changes nothing."""
    async with (
        served_process(tmp_path, environ | {"LOG_FORMAT": "json"}) as process,
        aiohttp.ClientSession(process.url) as session,
    ):
        await Talker(session).say("hello")
        await manager.stop()
        await Talker(session).say("hello")
        await manager.start()

    assert upstream.keys == [KEY, KEY]
    assert KEY.encode() not in process.said


async def test_check_finds_a_store_that_is_well(tmp_path, environ):
    """Every secret that a tenant refers to is there."""
    assert await secrets_faults(tmp_path, environ) == []


async def test_check_names_what_is_missing_and_where_to_put_it(tmp_path, environ, manager):
    """The secret and its place, and no value."""
    manager.disable("acme", "openai-api-key")

    (fault,) = await secrets_faults(tmp_path, environ)

    assert fault == (
        "acme: its secret openai-api-key is missing: its version is disabled or destroyed. "
        f"Set the secret agw_acme_openai-api-key of the project {PROJECT}."
    )


async def test_check_says_what_keeps_the_store_from_being_read(tmp_path, environ, manager):
    """Once, with the remedy, and not for each tenant."""
    manager.away(grpc.StatusCode.PERMISSION_DENIED)

    (fault,) = await secrets_faults(tmp_path, environ)

    assert fault.startswith("GATEWAY_SECRETS: Secret Manager of ")
    assert "Grant them roles/secretmanager.secretAccessor on the project" in fault


async def test_two_names_that_fold_together_stop_the_start(tmp_path, environ):
    """Which of both is meant nobody can know; both are named, and no value."""
    twice = {"AGW_ACME__CRM": "planted-1", "agw_acme__crm": "planted-2"}

    code, out, err = await run(
        tmp_path, environ | {"GATEWAY_SECRETS": "env"} | twice, "serve", "--port", "0"
    )

    assert code == 1
    assert "AGW_ACME__CRM and agw_acme__crm are one secret twice: keep AGW_ACME__CRM" in err
    assert "planted" not in out + err


async def test_production_does_not_start_without_its_secrets(tmp_path, environ, manager):
    """A store that cannot be read stops the start in words; PROJECT_ID alone names it."""
    await manager.stop()
    del environ["GATEWAY_SECRETS"]
    production = environ | {
        "ENVIRONMENT": "production",
        "PROJECT_ID": PROJECT,
        "GATEWAY_SESSION_SECRET": "s" * 40,
    }

    code, out, err = await run(tmp_path, production, "serve", "--port", "0")
    await manager.start()

    assert code == 1
    assert f"GATEWAY_SECRETS: Secret Manager of projects/{PROJECT} does not answer" in err
    assert "Traceback" not in out + err
