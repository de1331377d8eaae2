"""The registry port on registries of published tenants, wherever they are kept."""

import asyncio
import contextlib

import pytest

from tenants.errors import TenantUnavailableError, UnknownTenantError
from tenants.registry.files import FileObjects
from tests.fakes.operator import Operator
from tests.fakes.published_registry import Stage
from tests.fakes.tenants import until


@pytest.fixture(params=["files"])
def stage(request, tmp_path):
    """A registry of published tenants in each place that can keep one."""
    (tmp_path / "tenants").mkdir()
    objects = FileObjects(tmp_path / "tenants")
    return Stage(objects, Operator(objects), tmp_path / "copies")


@pytest.fixture
async def replica(stage):
    """A registry that is made, and stopped in the end; tests start it."""
    replica = stage.replica()
    yield replica
    await replica.registry.stop()


async def test_tenant_is_loaded_once_and_then_found_in_memory(stage, replica):
    """The first request reads it; every other one finds the same value without waiting."""
    stage.operator.publish()
    await replica.registry.start()
    before = replica.registry.cached("acme")

    tenants = await asyncio.gather(*(replica.registry.load("acme") for _ in range(20)))

    assert before is None
    assert {id(tenant) for tenant in tenants} == {id(replica.registry.cached("acme"))}
    assert tenants[0].default.instructions == "Be brief."
    assert replica.events == ["loaded"]


@pytest.mark.parametrize("tenant_id", ["other", "", ".", "..", "ACME", "acme/", "a" * 64, "-a"])
async def test_unknown_id_is_unknown(stage, replica, tenant_id):
    """No id but those of published tenants finds anything."""
    stage.operator.publish()
    await replica.registry.start()

    with pytest.raises(UnknownTenantError):
        await replica.registry.load(tenant_id)
    assert replica.registry.cached(tenant_id) is None


async def test_published_revision_comes_into_force(stage, replica):
    """What an operator publishes or rolls back is served without a request that asks for it."""
    stage.operator.publish()
    await replica.registry.start()
    await replica.registry.load("acme")

    stage.operator.publish(instructions="Rhyme.")
    await replica.says("Rhyme.")
    stage.operator.rollback()
    await replica.says("Be brief.")


async def test_new_tenant_is_served_though_it_was_unknown_a_moment_ago(stage, replica):
    """That there was none is remembered only until the feed names it."""
    await replica.registry.start()
    with pytest.raises(UnknownTenantError):
        await replica.registry.load("acme")

    stage.operator.publish()

    async with asyncio.timeout(5):
        while replica.instructions() is None:
            with contextlib.suppress(UnknownTenantError):
                await replica.registry.load("acme")
            await asyncio.sleep(0.01)


async def test_suspended_tenant_is_unknown_until_it_is_resumed(stage, replica):
    """Suspending takes a tenant away from requests, and resuming brings it back."""
    stage.operator.publish()
    await replica.registry.start()
    await replica.registry.load("acme")

    stage.operator.suspend()
    await replica.says(None)
    with pytest.raises(UnknownTenantError):
        await replica.registry.load("acme")
    stage.operator.resume()

    await replica.says("Be brief.")


async def test_offboarded_tenant_is_unknown(stage, replica):
    """A tenant that was deleted is served no more."""
    stage.operator.publish()
    await replica.registry.start()
    await replica.registry.load("acme")

    stage.operator.offboard()

    await replica.says(None)
    with pytest.raises(UnknownTenantError):
        await replica.registry.load("acme")


async def test_key_opens_from_its_issue_to_its_revocation(stage, replica):
    """Keys come and go without a new revision."""
    stage.operator.publish()
    await replica.registry.start()
    revision = (await replica.registry.load("acme")).revision

    key = stage.operator.issue()
    await until(lambda: replica.opens(key.text))
    stage.operator.revoke(key.record.id)
    await until(lambda: not replica.opens(key.text))

    assert replica.registry.cached("acme").revision == revision


async def test_health_says_what_is_in_force_and_why_no_newer_is(stage, replica):
    """The operator sees the revision, since when, and what is wrong with the newest."""
    stage.operator.publish()
    await replica.registry.start()
    unseen = replica.registry.health("acme")
    tenant = await replica.registry.load("acme")

    good = replica.registry.health("acme")
    (pointer,) = stage.objects.list("tenants/acme/current.json")
    stage.objects.write(pointer.name, b"{}", expected=pointer.generation)
    replica.seconds += 181
    await until(lambda: replica.registry.health("acme").refused != "")

    assert unseen is None
    assert (good.revision, good.refused) == (tenant.revision, "")
    assert good.since > 0
    assert replica.registry.health("acme").revision == tenant.revision
    assert "current.json" in replica.registry.health("acme").refused
    assert (await replica.registry.load("acme")) is tenant


async def test_tenant_that_was_never_whole_is_unavailable(stage, replica):
    """A pointer that makes no sense is not the same as no tenant."""
    stage.objects.write("tenants/acme/current.json", b"{}", expected=0)
    await replica.registry.start()

    with pytest.raises(TenantUnavailableError):
        await replica.registry.load("acme")
