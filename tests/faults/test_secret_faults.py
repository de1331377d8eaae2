"""Turns of a tenant whose key cannot be had, or whose store of secrets is away."""

import asyncio

import aiohttp
import grpc
import pytest

from tests.fakes.conversation import EVENTS, Talker
from tests.fakes.gateway import serving
from tests.fakes.locked_upstream import LockedUpstream
from tests.fakes.own_accounts import NAME, own_accounts
from tests.fakes.secret_manager import PROJECT, SecretManager
from tests.fakes.two_tenants import OPERATOR_KEY

KEY = "sk-own-planted"
ASK = {"message": "hello"}


@pytest.fixture
async def upstream():
    """An upstream that takes acme's key, and the operator's."""
    async with LockedUpstream(KEY, OPERATOR_KEY) as running:
        yield running


@pytest.fixture
async def manager():
    """An empty Secret Manager."""
    async with SecretManager() as running:
        yield running


@pytest.fixture
def environ(tmp_path, upstream, manager):
    """Acme and initech have accounts of their own, globex the operator's."""
    return own_accounts(tmp_path, upstream, manager, ["acme", "initech"])


async def answered(talker):
    """Wait until a turn is answered."""
    async with asyncio.timeout(30):
        while (await talker.ask("POST", "/chat", json=ASK))[0] == 503:  # noqa: ASYNC110  (what is waited for is the time until the gateway asks again)
            await asyncio.sleep(0.1)


def make_empty(manager):
    """A secret whose value is a line break."""
    manager.put("acme", NAME, "\n")


def make_disabled(manager):
    """A secret that was switched off."""
    manager.put("acme", NAME, KEY)
    manager.disable("acme", NAME)


def make_unversioned(manager):
    """A secret that was made and never given a value."""
    manager.secrets[f"agw_acme_{NAME}"] = []


def make_garbled(manager):
    """A secret that does not match its checksum."""
    manager.put("acme", NAME, KEY)
    manager.garbled = True


def make_another_tenants(manager):
    """Another tenant's secret of the same name."""
    manager.put("initech", NAME, KEY)


@pytest.mark.parametrize(
    "make",
    [
        lambda _: None,
        make_empty,
        make_disabled,
        make_unversioned,
        make_garbled,
        make_another_tenants,
    ],
    ids=["missing", "empty", "disabled", "unversioned", "garbled", "another-tenants"],
)
async def test_tenant_without_its_key_is_answered_503(acme, globex, upstream, manager, make):
    """No upstream is asked with any other key, no store is named, and others are served."""
    make(manager)

    answers = [
        await acme.ask("POST", "/chat", json=ASK),
        await acme.ask("POST", "/chat", json=ASK, headers=EVENTS),
    ]
    await globex.say("hello")

    for status, problem in answers:
        assert (status, problem["type"]) == (503, "urn:agw:tenant-unavailable")
        assert NAME not in str(problem)
        assert PROJECT not in str(problem)
    assert upstream.keys == [OPERATOR_KEY]


async def test_refused_turn_leaves_nothing_behind(acme, manager):
    """The thread is as it was, and takes the message once the key is there."""
    _, started = await acme.ask("GET", "/start")
    body = ASK | {"thread_id": started["thread_id"]}

    status, _ = await acme.ask("POST", "/chat", json=body)

    assert status == 503
    _, page = await acme.ask("GET", f"/threads/{started['thread_id']}/messages")
    assert "hello" not in str(page)
    assert not manager.secrets


async def test_store_that_is_away_stops_nobody_whose_key_is_known(acme, globex, session, manager):
    """Known keys go on; a tenant whose key was never read is told when to come back."""
    manager.put("acme", NAME, KEY)
    manager.put("initech", NAME, KEY)
    initech = Talker(session, "initech")
    await acme.say("hello")

    await manager.stop()
    await acme.say("hello")
    await globex.say("hello")
    async with session.post("/t/initech/chat", json=ASK) as answer:
        assert answer.status == 503
        assert int(answer.headers["Retry-After"]) > 0
    async with session.get("/ready") as answer:
        assert answer.status == 200

    await manager.start()
    await answered(initech)


async def test_store_that_is_away_at_the_start_is_waited_for(environ, manager):
    """The gateway serves whoever needs no secret, and the others once the store is there."""
    manager.put("acme", NAME, KEY)
    await manager.stop()
    async with serving(environ) as gateway, aiohttp.ClientSession(gateway.url) as session:
        acme, globex = Talker(session, "acme"), Talker(session, "globex")
        await globex.say("hello")
        status, _ = await acme.ask("POST", "/chat", json=ASK)
        assert status == 503

        await manager.start()
        await answered(acme)


async def test_many_turns_without_their_key_are_few_questions(acme, manager):
    """Fifty refused turns do not ask the store fifty times, whyever it cannot answer."""
    for code in (grpc.StatusCode.NOT_FOUND, grpc.StatusCode.PERMISSION_DENIED):
        manager.away(code)
        answers = await asyncio.gather(*(acme.ask("POST", "/chat", json=ASK) for _ in range(50)))
        assert {status for status, _ in answers} == {503}

    assert sum(manager.accesses.values()) <= 2


async def test_operator_is_told_why_and_how_to_mend_it(acme, manager, capsys):
    """One warning a turn, without a traceback, names the secret and what is wrong with it."""
    make_disabled(manager)

    await acme.ask("POST", "/chat", json=ASK)

    said = capsys.readouterr().out
    assert "upstream_key_missing" in said
    assert "acme: its secret openai-api-key is missing: its version is disabled" in said
    assert "Traceback" not in said
    assert KEY not in said
