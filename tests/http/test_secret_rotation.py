"""A tenant's key is rotated without a restart, under load and in the middle of a run."""

import asyncio

import aiohttp
import pytest

from tests.fakes.conversation import Talker, text_of
from tests.fakes.gateway import serving, write_tenant
from tests.fakes.locked_upstream import LockedUpstream
from tests.fakes.own_accounts import own_account, own_accounts
from tests.fakes.secret_manager import SecretManager
from tests.fakes.two_tenants import OPERATOR_KEY, WEATHER

OLD, NEW = "sk-old-planted", "sk-new-planted"


@pytest.fixture
async def upstream():
    """An upstream that takes acme's old key, and the operator's."""
    async with LockedUpstream(OLD, OPERATOR_KEY) as running:
        yield running


@pytest.fixture
async def manager():
    """A Secret Manager with acme's old key."""
    async with SecretManager() as running:
        running.put("acme", "openai-api-key", OLD)
        yield running


@pytest.fixture
def environ(tmp_path, upstream, manager):
    """Acme has an account of its own, globex the operator's."""
    environ = own_accounts(tmp_path, upstream, manager, ["acme"])
    write_tenant(tmp_path / "tenants", "acme", tools=WEATHER, rest=own_account(upstream))
    return environ


def asked(manager):
    """How often the store was asked for acme's key."""
    return manager.accesses["agw_acme_openai-api-key"]


def rotate_at_the_second_call(upstream, manager):
    """The old key is good for a run's first round alone."""

    def rotate(_):
        if upstream.keys == [OLD, OLD]:
            manager.put("acme", "openai-api-key", NEW)
            upstream.accepted = {NEW}

    upstream.when_shown = rotate


async def test_rotated_key_is_taken_up(acme, upstream, manager):
    """The first turn that is refused asks again with the new key; later ones use it at once."""
    thread_id = (await acme.say("hello"))["thread_id"]
    manager.put("acme", "openai-api-key", NEW)
    upstream.accepted = {NEW}

    for _ in range(3):
        await acme.say("hello again", thread_id)
    streamed = await acme.stream("and streamed", thread_id)

    assert streamed[-2].name == "thread.run.completed"
    assert upstream.keys == [OLD, OLD, NEW, NEW, NEW, NEW]
    assert asked(manager) == 2


async def test_first_turn_after_a_rotation_may_be_streamed(acme, upstream, manager):
    """A client that streams sees an answer like any other, and no trace of the refusal."""
    await acme.say("hello")
    manager.put("acme", "openai-api-key", NEW)
    upstream.accepted = {NEW}

    events = await acme.stream("hello")

    names = [event.name for event in events]
    assert names[0] == "thread.run.created"
    assert names[-2:] == ["thread.run.completed", "metadata"]
    assert text_of(events)


async def test_no_run_fails_while_the_key_is_rotated_under_load(acme, upstream, manager):
    """Twenty clients at once, before, while and after: all are answered, the store asked twice."""
    rotated = asyncio.Event()

    async def converse(number):
        thread_id = (await acme.say(f"hello from {number}"))["thread_id"]
        turns = 0
        while not rotated.is_set() or turns < 3:
            await acme.say("hello again", thread_id)
            turns += rotated.is_set()
        events = await acme.stream("the last", thread_id)
        return events[-2].name

    tasks = [asyncio.ensure_future(converse(number)) for number in range(20)]
    await upstream.arrived(60)
    manager.put("acme", "openai-api-key", NEW)
    upstream.accepted = {OLD, NEW}
    await upstream.arrived(100)
    upstream.accepted = {NEW}
    rotated.set()

    assert set(await asyncio.gather(*tasks)) == {"thread.run.completed"}
    assert asked(manager) == 2
    assert upstream.keys[-1] == NEW
    assert 1 <= upstream.refused <= 20


async def test_key_may_be_rotated_between_two_rounds_of_a_run(acme, upstream, manager):
    """The function's output reaches the model under the new key."""
    rotate_at_the_second_call(upstream, manager)

    answer = await acme.say("weather in Paris?")

    assert answer["status"] == "completed"
    assert upstream.keys == [OLD, OLD, NEW]
    kinds = [item["type"] for item in upstream.requests[-1].json["input"]]
    assert kinds == ["message", "function_call", "function_call_output"]


async def test_reasoning_stays_with_the_key_that_made_it(environ, tmp_path, upstream, manager):
    """Another account may not be able to read it, so the new key's call leaves it out."""
    own = own_account(upstream)
    write_tenant(tmp_path / "tenants", "acme", model="o1", tools=WEATHER, rest=own)
    rotate_at_the_second_call(upstream, manager)
    async with serving(environ) as gateway, aiohttp.ClientSession(gateway.url) as session:
        await Talker(session).say("weather in Paris?")

    refused, accepted = upstream.requests[-2:]
    assert "reasoning" in [item["type"] for item in refused.json["input"]]
    assert "reasoning" not in [item["type"] for item in accepted.json["input"]]


async def test_key_that_stays_bad_is_no_storm(acme, upstream, manager):
    """Each turn is refused once, and the store is asked once anew for all of them."""
    await acme.say("hello")
    upstream.accepted = set()

    body = {"message": "hello"}
    answers = await asyncio.gather(*(acme.ask("POST", "/chat", json=body) for _ in range(20)))

    assert {status for status, _ in answers} == {502}
    assert upstream.keys == [OLD] * 21
    assert asked(manager) == 2


async def test_operators_key_is_not_tried_twice(globex, upstream, manager):
    """It came with the process's environment, where there is no other."""
    upstream.accepted = set()

    status, _ = await globex.ask("POST", "/chat", json={"message": "hello"})

    assert status == 502
    assert upstream.keys == [OPERATOR_KEY]
    assert not manager.accesses


async def test_file_of_a_mounted_secret_is_read_anew(environ, tmp_path, upstream):
    """As Kubernetes changes it."""
    secrets = tmp_path / "secrets"
    secrets.mkdir()
    file = secrets / "agw_acme_openai-api-key"
    file.write_text(OLD)
    environ |= {"GATEWAY_SECRETS": f"dir:{secrets}"}
    async with serving(environ) as gateway, aiohttp.ClientSession(gateway.url) as session:
        await Talker(session).say("hello")
        file.write_text(NEW)
        upstream.accepted = {NEW}
        await Talker(session).say("hello")

    assert upstream.keys == [OLD, OLD, NEW]
