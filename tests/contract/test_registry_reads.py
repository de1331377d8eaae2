"""What serving from a bucket asks of the bucket: counted at the bucket."""

import asyncio
import math
from collections import Counter

import attrs
import pytest

from tenants.errors import TenantUnavailableError, UnknownTenantError
from tenants.registry.feed import BEGINNING
from tenants.registry.gcs import GcsObjects
from tenants.registry.pace import Pace
from tenants.releases.feed import announce
from tests.fakes.gcs import CLOSED, fake_gcs
from tests.fakes.operator import Operator
from tests.fakes.published_registry import QUICK, Stage
from tests.fakes.tenants import until

SELDOM = Pace(feed_seconds=600)
"""The feed is read at the start, and not again."""


@pytest.fixture
def gcs():
    """Cloud Storage."""
    with fake_gcs("tenants") as gcs:
        yield gcs


@pytest.fixture
def stage(gcs, tmp_path):
    """A registry in a bucket, and who publishes there."""

    def connect() -> GcsObjects:
        return GcsObjects("tenants", emulator=gcs.url)

    return Stage(connect, Operator(connect()), tmp_path / "copies")


@pytest.fixture
async def started(stage, gcs):
    """A function that starts a process and waits for its first look at the feed."""
    replicas = []

    async def start(pace=SELDOM):
        replicas.append(stage.replica(pace))
        await replicas[-1].registry.start()
        await until(lambda: replicas[-1].registry._news._position != BEGINNING)
        gcs.asked.clear()
        return replicas[-1]

    yield start
    for replica in replicas:
        await replica.registry.stop()


def asked(gcs) -> Counter[str]:
    """How often the bucket was asked for what, by the last part of its name."""
    return Counter(name.rpartition("/")[2] for _, name, _ in gcs.asked)


async def test_cold_load_is_three_reads_and_warm_requests_are_none(stage, started, gcs):
    """However many requests come at once; and where a copy is at hand, its revision is not read."""
    stage.operator.publish()
    replica = await started()

    await asyncio.gather(*(replica.registry.load("acme") for _ in range(50)))
    cold = asked(gcs)
    for _ in range(1000):
        assert replica.registry.cached("acme") is await replica.registry.load("acme")
    warm = asked(gcs)
    restarted = await started()
    await restarted.registry.load("acme")

    assert cold == {"current.json": 1, "compiled.json": 1, "keys.json": 1}
    assert warm == cold
    assert asked(gcs) == {"current.json": 1, "keys.json": 1}


async def test_unknown_id_is_looked_for_once(started, gcs):
    """One read answers every request of the next half minute."""
    replica = await started()

    for _ in range(100):
        with pytest.raises(UnknownTenantError):
            await replica.registry.load("nobody")
    first = asked(gcs)
    replica.seconds += 61
    with pytest.raises(UnknownTenantError):
        await replica.registry.load("nobody")

    assert first == {"current.json": 1}
    assert asked(gcs) == {"current.json": 2}


async def test_flood_of_unknown_ids_is_no_flood_of_reads(stage, started, gcs):
    """Beyond a bound they are unavailable; tenants that were served here before go on."""
    stage.operator.publish()
    await (await started()).registry.load("acme")
    replica = await started()

    outcomes = Counter()
    for number in range(1000):
        try:
            await replica.registry.load(f"t{number}")
        except (UnknownTenantError, TenantUnavailableError) as error:
            outcomes[type(error)] += 1
    reads = asked(gcs)["current.json"]

    assert outcomes == {UnknownTenantError: 200, TenantUnavailableError: 800}
    assert reads == 200
    assert (await replica.registry.load("acme")).default.instructions == "Be brief."


async def test_suspended_tenant_costs_no_further_read(stage, started, gcs):
    """It is known that it is suspended."""
    stage.operator.publish()
    stage.operator.suspend()
    replica = await started()

    for _ in range(10):
        with pytest.raises(UnknownTenantError):
            await replica.registry.load("acme")

    assert asked(gcs) == {"current.json": 1, "keys.json": 1}


async def test_change_costs_reads_of_its_own_tenant_alone(stage, started, gcs):
    """The feed names the tenant; others in memory are not asked for, and nothing is listed."""
    stage.operator.publish()
    stage.operator.publish("globex")
    replica = await started(QUICK)
    await replica.registry.load("acme")
    await replica.registry.load("globex")
    stage.operator.publish("not-loaded")
    stage.operator.publish(instructions="Rhyme.")

    gcs.asked.clear()
    await replica.says("Rhyme.")

    read = {name for kind, name, _ in gcs.asked if kind == "read"}
    assert read >= {"tenants/acme/current.json", "tenants/acme/keys.json"}
    assert not any("globex" in name or "not-loaded" in name for name in read)
    assert "list" not in {kind for kind, _, _ in gcs.asked}


async def test_reader_behind_the_feed_compares_all_that_it_has(stage, started, gcs):
    """More changes than the feed holds came while it could not be read."""
    stage.operator.publish()
    replica = await started(QUICK)
    await replica.registry.load("acme")
    gcs.fail(CLOSED, times=math.inf, kind="changed")
    stage.operator.publish(instructions="Rhyme.")
    for number in range(3):
        names = [f"t{number}-{index}" for index in range(15_000)]
        announce(stage.operator.objects, names, "migrate", number)

    gcs.heal()

    await replica.says("Rhyme.")


async def test_idle_tenant_is_forgotten_and_comes_back(stage, started, gcs):
    """Nobody asked for a quarter of an hour: it costs neither memory nor reads, until one does."""
    stage.operator.publish()
    stage.operator.publish("globex")
    replica = await started(QUICK)
    await replica.registry.load("acme")
    await replica.registry.load("globex")

    for _ in range(2):
        replica.seconds += 451
        replica.instructions("globex")
        looks = gcs.counts["changed"]
        await until(lambda looks=looks: gcs.counts["changed"] > looks + 1)
    forgotten = replica.registry.health("acme")
    loaded = replica.registry.loaded()

    assert forgotten is None
    assert loaded == 1
    assert "forgotten" in replica.events
    assert (await replica.registry.load("acme")).default.instructions == "Be brief."


async def test_bucket_that_fails_once_delays_nothing_for_long(stage, started, gcs):
    """The feed and each object fail once: the change is in force all the same."""
    stage.operator.publish()
    replica = await started(attrs.evolve(QUICK, feed_seconds=1))
    await replica.registry.load("acme")
    stage.operator.publish(instructions="Rhyme.")

    for name in ("changes.json", "current.json", "keys.json", "compiled.json"):
        gcs.fail(CLOSED, name=name)

    await replica.says("Rhyme.")
    assert replica.events == ["loaded", "loaded"]
