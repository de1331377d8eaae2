"""The registry port on registries of published tenants, wherever they are kept."""

import asyncio
import contextlib

import pytest

from tenants.errors import TenantUnavailableError, UnknownTenantError
from tenants.registry.files import FileObjects
from tenants.registry.gcs import GcsObjects
from tenants.registry.gcs_calls import Patience
from tenants.releases.feed import announce
from tests.fakes.gcs import fake_gcs
from tests.fakes.gcs_go import fake_gcs_server, make_bucket
from tests.fakes.operator import Operator
from tests.fakes.published_registry import DirectoryReplica, Replica
from tests.fakes.tenants import until

PATIENCE = Patience(total_seconds=30, first_wait_seconds=0.01, longest_wait_seconds=0.1)


@pytest.fixture(scope="module")
def go_server(require_program):
    """The URL of fake-gcs-server."""
    with fake_gcs_server(require_program("fake-gcs-server")) as url:
        yield url


@pytest.fixture(params=["watched directory", "directory", "bucket", "bucket of fake-gcs-server"])
def kind(request):
    """How a registry of published tenants may be kept and served."""
    return request.param


@pytest.fixture
def objects(kind, request, tmp_path):
    """An empty registry."""
    if kind.endswith("directory"):
        (tmp_path / "tenants").mkdir()
        yield FileObjects(tmp_path / "tenants")
    elif kind == "bucket":
        with fake_gcs("tenants") as gcs:
            yield GcsObjects("tenants", "production", emulator=gcs.url, patience=PATIENCE)
    else:
        url = request.getfixturevalue("go_server")
        name = f"tenants-{abs(hash(tmp_path))}"
        make_bucket(url, name)
        yield GcsObjects(name, emulator=url, patience=PATIENCE)


@pytest.fixture
def operator(objects):
    """Who publishes."""
    return Operator(objects)


@pytest.fixture
async def replica(kind, objects, tmp_path):
    """A process's registry that is made, and stopped in the end; tests start it."""
    if kind == "watched directory":
        replica = DirectoryReplica(tmp_path / "tenants")
    else:
        replica = Replica(objects, tmp_path / "copies")
    yield replica
    await replica.registry.stop()


async def test_tenant_is_loaded_once_and_then_found_in_memory(operator, replica):
    """The first request reads it; every other one finds the same value without waiting."""
    operator.publish()
    await replica.registry.start()
    before = replica.registry.cached("acme")

    tenants = await asyncio.gather(*(replica.registry.load("acme") for _ in range(20)))

    assert before is None
    assert {id(tenant) for tenant in tenants} == {id(replica.registry.cached("acme"))}
    assert tenants[0].default.instructions == "Be brief."
    assert replica.events == ["loaded"]


@pytest.mark.parametrize("tenant_id", ["other", "", ".", "..", "ACME", "acme/", "a" * 64, "-a"])
async def test_unknown_id_is_unknown(operator, replica, tenant_id):
    """No id but those of published tenants finds anything."""
    operator.publish()
    await replica.registry.start()

    with pytest.raises(UnknownTenantError):
        await replica.registry.load(tenant_id)
    assert replica.registry.cached(tenant_id) is None


async def test_published_revision_comes_into_force(operator, replica):
    """What an operator publishes or rolls back is served without a request that asks for it."""
    operator.publish()
    await replica.registry.start()
    await replica.registry.load("acme")

    operator.publish(instructions="Rhyme.")
    await replica.says("Rhyme.")
    operator.rollback()
    await replica.says("Be brief.")


async def test_new_tenant_is_served_though_it_was_unknown_a_moment_ago(operator, replica):
    """That there was none is remembered only until the feed names it."""
    await replica.registry.start()
    with pytest.raises(UnknownTenantError):
        await replica.registry.load("acme")

    operator.publish()

    async with asyncio.timeout(5):
        while replica.instructions() is None:
            with contextlib.suppress(UnknownTenantError):
                await replica.registry.load("acme")
            await asyncio.sleep(0.01)


async def test_suspended_tenant_is_unknown_until_it_is_resumed(operator, replica):
    """Suspending takes a tenant away from requests, and resuming brings it back."""
    operator.publish()
    await replica.registry.start()
    await replica.registry.load("acme")

    operator.suspend()
    await replica.says(None)
    with pytest.raises(UnknownTenantError):
        await replica.registry.load("acme")
    operator.resume()

    await replica.says("Be brief.")


async def test_offboarded_tenant_is_unknown(operator, replica):
    """A tenant that was deleted is served no more."""
    operator.publish()
    await replica.registry.start()
    await replica.registry.load("acme")

    operator.offboard()

    await replica.says(None)
    with pytest.raises(UnknownTenantError):
        await replica.registry.load("acme")


async def test_key_opens_from_its_issue_to_its_revocation(operator, replica):
    """Keys come and go without a new revision."""
    operator.publish()
    await replica.registry.start()
    revision = (await replica.registry.load("acme")).revision

    key = operator.issue()
    await until(lambda: replica.opens(key.text))
    operator.revoke(key.record.id)
    await until(lambda: not replica.opens(key.text))

    assert replica.registry.cached("acme").revision == revision


async def test_health_says_what_is_in_force_and_why_no_newer_is(operator, replica):
    """The operator sees the revision, since when, and what is wrong with the newest."""
    operator.publish()
    await replica.registry.start()
    unseen = replica.registry.health("acme")
    tenant = await replica.registry.load("acme")

    good = replica.registry.health("acme")
    operator.objects.write("tenants/acme/current.json", b"{}", expected=None)
    announce(operator.objects, ["acme"], "publish", now=1)
    await until(lambda: replica.registry.health("acme").refused != "")

    assert unseen is None
    assert (good.revision, good.refused) == (tenant.revision, "")
    assert good.since > 0
    assert replica.registry.health("acme").revision == tenant.revision
    assert "current.json" in replica.registry.health("acme").refused
    assert (await replica.registry.load("acme")) is tenant


async def test_tenant_that_was_never_whole_is_unavailable(operator, replica):
    """A pointer that makes no sense is not the same as no tenant."""
    operator.objects.write("tenants/acme/current.json", b"{}", expected=0)
    await replica.registry.start()

    with pytest.raises(TenantUnavailableError):
        await replica.registry.load("acme")


async def test_half_written_publish_is_invisible(operator, replica):
    """Files of a revision that no pointer names make no tenant."""
    operator.publish_half()
    await replica.registry.start()

    with pytest.raises(UnknownTenantError):
        await replica.registry.load("acme")


async def test_broken_keys_change_nothing(operator, replica):
    """Keys that make no sense are refused; those that were good go on."""
    operator.publish()
    key = operator.issue()
    await replica.registry.start()
    await replica.registry.load("acme")

    operator.objects.write("tenants/acme/keys.json", b"[", expected=None)
    announce(operator.objects, ["acme"], "keys", now=1)
    await until(lambda: "keys.json" in replica.registry.health("acme").refused)

    assert replica.opens(key.text)
    assert replica.instructions() == "Be brief."


async def test_tenant_whose_keys_never_made_sense_is_unavailable(operator, replica):
    """Nobody knows who may pass, so nobody does."""
    operator.publish()
    operator.objects.write("tenants/acme/keys.json", b"[", expected=None)
    await replica.registry.start()

    with pytest.raises(TenantUnavailableError):
        await replica.registry.load("acme")
