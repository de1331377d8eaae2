"""Secret Manager as it fails: by every status, slowly, garbled, gone, and asked by thousands."""

import asyncio
import base64
import logging

import grpc
import pytest

from tenants.errors import SecretMissingError, SecretsUnavailableError
from tenants.model import SecretRef
from tenants.secrets.cached import CachedSecrets
from tenants.secrets.secret_manager import SecretManagerSecrets
from tenants.secrets.secret_manager_calls import CONCURRENT
from tests.fakes.secret_manager import PROJECT, SecretManager
from tests.fakes.tenants import until

REF = SecretRef("key")
VALUE = "planted-value"
MISSING = {grpc.StatusCode.NOT_FOUND, grpc.StatusCode.FAILED_PRECONDITION}
CODES = set(grpc.StatusCode) - {grpc.StatusCode.OK}


@pytest.fixture
async def manager():
    """A Secret Manager with one secret."""
    async with SecretManager() as running:
        running.put("acme", "key", VALUE)
        yield running


@pytest.fixture
async def secrets(manager):
    """The adapter over it, with a short deadline."""
    opened = SecretManagerSecrets(PROJECT, emulator=manager.address, deadline_seconds=3)
    yield opened
    await opened.close()


@pytest.mark.parametrize("code", sorted(CODES - MISSING, key=str), ids=lambda code: code.name)
async def test_every_status_is_one_error_of_ours(manager, secrets, code):
    """It says why and how to mend it, and names the store and no value."""
    manager.away(code)

    errors = await asyncio.gather(
        secrets.read("acme", REF),
        secrets.reach(),
        secrets.stored("acme"),
        secrets.write("acme", "key", VALUE),
        return_exceptions=True,
    )

    assert [type(error) for error in errors] == [SecretsUnavailableError] * 4
    assert all(f"Secret Manager of projects/{PROJECT}" in error.detail for error in errors)
    assert VALUE not in str(errors)


async def test_status_names_its_remedy(manager, secrets):
    """An operator who may not read is told which role to grant."""
    manager.away(grpc.StatusCode.PERMISSION_DENIED)

    with pytest.raises(SecretsUnavailableError) as raised:
        await secrets.reach()

    assert "Grant them roles/secretmanager.secretAccessor" in raised.value.detail


@pytest.mark.parametrize("code", sorted(MISSING, key=str), ids=lambda code: code.name)
async def test_secret_that_is_not_there_leaves_the_store_well(manager, secrets, code):
    """The store is there all the same."""
    manager.away(code)

    with pytest.raises(SecretMissingError):
        await secrets.read("acme", REF)
    await secrets.reach()


async def test_fault_that_passes_is_not_seen(manager, secrets):
    """A call that was refused for a moment is made again."""
    manager.fail(grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.RESOURCE_EXHAUSTED)

    assert await secrets.read("acme", REF) == VALUE
    assert manager.accesses["agw_acme_key"] == 3


async def test_slow_store_is_given_up(manager):
    """No caller waits longer than the deadline, also for a place among the others."""
    manager.gate.clear()
    secrets = SecretManagerSecrets(PROJECT, emulator=manager.address, deadline_seconds=0.3)
    asked = [secrets.read("acme", REF) for _ in range(3 * CONCURRENT)]

    async with asyncio.timeout(10):
        answers = await asyncio.gather(*asked, return_exceptions=True)

    assert {type(each) for each in answers} == {SecretsUnavailableError}
    assert "in time" in answers[0].detail
    assert manager.most_at_once == CONCURRENT
    manager.gate.set()
    assert await secrets.read("acme", REF) == VALUE
    await secrets.close()


async def test_thousands_of_secrets_are_read_a_few_at_a_time(manager):
    """All are answered, and the store never works on more than so many."""
    manager.gate.clear()
    names = [f"key-{number}" for number in range(2000)]
    for name in names:
        manager.put("acme", name, name)
    store = SecretManagerSecrets(PROJECT, emulator=manager.address, deadline_seconds=60)
    secrets = CachedSecrets(store)
    tasks = [asyncio.ensure_future(secrets.read("acme", SecretRef(name))) for name in names]
    await until(lambda: manager.most_at_once == CONCURRENT)

    manager.gate.set()

    assert await asyncio.gather(*tasks) == names
    assert manager.most_at_once == CONCURRENT
    assert max(manager.accesses.values()) == 1
    await secrets.close()


async def test_garbled_value_is_none(manager, secrets):
    """What does not match its checksum is not half a key."""
    manager.garbled = True

    with pytest.raises(SecretsUnavailableError) as raised:
        await secrets.read("acme", REF)

    assert "checksum" in raised.value.detail


async def test_value_that_is_no_text_is_none(manager, secrets):
    """Bytes that are not UTF-8 are not half a key."""
    manager.put("acme", "key", b"\xff\xfe")

    with pytest.raises(SecretsUnavailableError):
        await secrets.read("acme", REF)


async def test_store_that_was_away_is_used_again(manager):
    """Away at start, there, gone and back: the same adapter finds it each time."""
    await manager.stop()
    secrets = SecretManagerSecrets(PROJECT, emulator=manager.address, deadline_seconds=3)

    for _ in range(2):
        with pytest.raises(SecretsUnavailableError):
            await secrets.read("acme", REF)
        await manager.start()
        async with asyncio.timeout(20):
            assert await _persistently(secrets) == VALUE
        await manager.stop()

    await manager.start()
    await secrets.close()


async def test_no_log_holds_a_value(manager, caplog):
    """Google's library tells its log at DEBUG of whole answers; here it does not."""
    caplog.set_level(logging.DEBUG)
    spoken = logging.getLogger("google.cloud.secretmanager_v1")
    spoken.addHandler(caplog.handler)
    secrets = SecretManagerSecrets(PROJECT, emulator=manager.address)
    try:
        await secrets.read("acme", REF)
        await secrets.write("acme", "key", VALUE)
    finally:
        spoken.removeHandler(caplog.handler)
        await secrets.close()

    said = "".join(f"{record.getMessage()}{vars(record)}" for record in caplog.records)
    assert "google.cloud.secretmanager_v1" in said
    assert VALUE not in said
    assert base64.b64encode(VALUE.encode()).decode() not in said


async def _persistently(secrets):
    while True:
        try:
            return await secrets.read("acme", REF)
        except SecretsUnavailableError:
            continue
