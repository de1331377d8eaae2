"""A registry in a bucket while the bucket, its objects or their writer fail."""

import hashlib
import math
import stat
from functools import partial

import pytest
from structlog.testing import capture_logs

from tenants import compiled_json
from tenants.errors import TenantUnavailableError, UnknownTenantError
from tenants.registry import layout
from tenants.registry.gcs import GcsObjects
from tenants.registry.gcs_calls import Patience
from tenants.registry.stored import Pointer
from tenants.registry.stored_json import decode
from tenants.releases.feed import announce
from tenants.releases.loading import compiled_name
from tests.fakes.gcs import CLOSED, HALF_BODY, SILENT, Fault, fake_gcs, refusal
from tests.fakes.objects import Interrupted, KilledError
from tests.fakes.operator import Operator
from tests.fakes.published_registry import Stage
from tests.fakes.tenants import until

PATIENCE = Patience(
    answer_seconds=0.1, total_seconds=0.15, first_wait_seconds=0.01, longest_wait_seconds=0.02
)
FAULTS = {
    "403": refusal(403),
    "404": refusal(404),
    "412": refusal(412),
    "429": refusal(429),
    "500": refusal(500),
    "slow": Fault(after_seconds=0.4),
    "half a body": HALF_BODY,
    "closed": CLOSED,
    "silent": SILENT,
}
away = pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS.keys())


@pytest.fixture
def gcs():
    """Cloud Storage."""
    with fake_gcs("tenants") as gcs:
        yield gcs


@pytest.fixture
def stage(gcs, tmp_path):
    """A registry in a bucket, and who publishes there."""
    operator = Operator(GcsObjects("tenants", emulator=gcs.url))
    return Stage(
        lambda: GcsObjects("tenants", emulator=gcs.url, patience=PATIENCE),
        operator,
        tmp_path / "copies",
    )


@pytest.fixture
async def started(stage):
    """A function that starts one more process; all are stopped in the end."""
    replicas = []

    async def start():
        replicas.append(stage.replica())
        await replicas[-1].registry.start()
        return replicas[-1]

    yield start
    for replica in replicas:
        await replica.registry.stop()


def pointer_of(stage, tenant_id="acme") -> Pointer:
    """What is in force."""
    name = layout.pointer(tenant_id)
    return decode(stage.operator.objects.read(name).content, Pointer, name)


def put(stage, name: str, content: bytes) -> None:
    """Write an object as nobody should, and tell replicas."""
    stage.operator.objects.write(name, content, expected=None)
    announce(stage.operator.objects, ["acme"], "publish", now=1)


@away
async def test_bucket_that_is_away_at_start_is_waited_for(stage, started, gcs, fault):
    """Tenants are unavailable, nothing crashes, and all is well once it is back."""
    stage.operator.publish()
    gcs.fail(fault, times=math.inf)
    replica = await started()

    with pytest.raises(TenantUnavailableError):
        await replica.registry.load("acme")
    await until(lambda: replica.registry._news.away)
    replica.seconds += 1
    gcs.heal()
    await until(lambda: not replica.registry._news.away)

    assert (await replica.registry.load("acme")).default.instructions == "Be brief."


@away
async def test_bucket_that_goes_away_while_serving_harms_nobody(stage, started, gcs, fault):
    """What is in memory goes on, also when it is due; what was missed comes into force then."""
    stage.operator.publish()
    replica = await started()
    tenant = await replica.registry.load("acme")
    await until(lambda: gcs.counts["changed"] > 0)

    gcs.fail(fault, times=math.inf)
    asked = len(gcs.asked)
    replica.seconds += 181
    await until(lambda: len(gcs.asked) > asked + 5, 10)
    served = replica.registry.cached("acme")
    gcs.heal()
    stage.operator.publish(instructions="Rhyme.")
    await replica.says("Rhyme.")

    assert served is tenant
    assert replica.events == ["loaded", "loaded"]


@pytest.mark.parametrize("fault", [refusal(403), refusal(500), HALF_BODY, CLOSED, SILENT])
async def test_staleness_is_told_once_and_for_as_long_as_it_lasts(stage, started, gcs, fault):
    """A gauge counts the seconds; the log says when it begins and when it is over."""
    stage.operator.publish()
    replica = await started()
    await replica.registry.load("acme")
    await until(lambda: gcs.counts["changed"] > 0)

    with capture_logs() as logs:
        gcs.fail(fault, times=math.inf, kind="changed")
        stage.operator.publish(instructions="Rhyme.")
        await until(lambda: any(line["event"] == "registry_stale" for line in logs))
        replica.seconds += 7
        stale = replica.registry.stale_seconds()
        gcs.heal()
        await replica.says("Rhyme.")

    assert stale >= 7
    assert replica.registry.stale_seconds() == 0
    told = [line["event"] for line in logs if line["event"].startswith("registry_")]
    assert told == ["registry_stale", "registry_fresh"]


@away
async def test_restart_without_the_bucket_serves_the_last_good_copies(stage, started, gcs, fault):
    """Copies of before are served, others are not, and what is new comes once it can be read."""
    stage.operator.publish()
    stage.operator.publish("globex")
    key = stage.operator.issue()
    before = await started()
    await before.registry.load("acme")
    await before.registry.stop()
    stage.operator.publish(instructions="Rhyme.")

    gcs.fail(fault, times=math.inf)
    replica = await started()
    tenant = await replica.registry.load("acme")
    with pytest.raises(TenantUnavailableError):
        await replica.registry.load("globex")
    opened = replica.opens(key.text)
    gcs.heal()
    await replica.says("Rhyme.")

    assert tenant.default.instructions == "Be brief."
    assert opened
    assert replica.events == ["copied", "loaded"]


async def test_revocation_that_was_seen_survives_a_restart_without_the_bucket(stage, started, gcs):
    """No older copy brings a key back, nor a tenant that was suspended."""
    stage.operator.publish()
    stage.operator.publish("globex")
    key = stage.operator.issue()
    before = await started()
    await before.registry.load("acme")
    await before.registry.load("globex")
    stage.operator.revoke(key.record.id)
    stage.operator.suspend("globex")
    await until(lambda: not before.opens(key.text) and before.instructions("globex") is None)
    await before.registry.stop()

    gcs.fail(CLOSED, times=math.inf)
    replica = await started()
    await replica.registry.load("acme")

    assert not replica.opens(key.text)
    with pytest.raises(UnknownTenantError):
        await replica.registry.load("globex")


async def test_what_died_while_nobody_asked_comes_back_with_no_copy(stage, started, gcs):
    """Of tenants that were forgotten as idle, a revoked key and an offboarded tenant stay dead."""
    stage.operator.publish()
    stage.operator.publish("globex")
    key, kept = stage.operator.issue(), stage.operator.issue()
    before = await started()
    await before.registry.load("acme")
    await before.registry.load("globex")
    before.seconds += 901
    await until(lambda: before.registry.loaded() == 0)
    stage.operator.revoke(key.record.id)
    stage.operator.offboard("globex")
    await until(lambda: before.copies.read("globex") is None)
    await until(lambda: before.copies.read("acme").tenant.keys.find(key.text, 0) is None)
    asked_for = before.registry.loaded()

    gcs.fail(CLOSED, times=math.inf)
    replica = await started()
    await replica.registry.load("acme")
    with pytest.raises(TenantUnavailableError):
        await replica.registry.load("globex")

    assert asked_for == 0
    assert (replica.opens(key.text), replica.opens(kept.text)) == (False, True)


async def test_successor_of_an_offboarded_tenant_is_served_with_its_own_keys(stage, started, gcs):
    """Offboarded and made anew while a replica was down: nothing of the first comes back."""
    stage.operator.publish()
    key = stage.operator.issue()
    before = await started()
    await before.registry.load("acme")
    await before.registry.stop()
    stage.operator.offboard()
    stage.operator.publish(instructions="Rhyme.")

    replica = await started()
    tenant = await replica.registry.load("acme")
    opened = replica.opens(key.text)
    await replica.registry.stop()
    gcs.fail(CLOSED, times=math.inf)
    restarted = await started()
    copied = await restarted.registry.load("acme")

    assert tenant.default.instructions == copied.default.instructions == "Rhyme."
    assert not opened
    assert not restarted.opens(key.text)


async def test_successor_that_comes_while_serving_takes_the_place_at_once(stage, started):
    """A tenant that goes and comes again between two looks is the new one, without old keys."""
    stage.operator.publish()
    key = stage.operator.issue()
    replica = await started()
    await replica.registry.load("acme")
    await until(lambda: replica.opens(key.text))

    stage.operator.offboard()
    stage.operator.publish(instructions="Rhyme.")

    await replica.says("Rhyme.")
    assert not replica.opens(key.text)


async def test_copies_are_for_this_user_alone(stage, started):
    """They hold instructions and tools: directories are 0700, files 0600."""
    stage.operator.publish()
    replica = await started()
    await replica.registry.load("acme")

    (home,) = stage.folder.iterdir()
    (copy,) = home.iterdir()

    assert stat.S_IMODE(home.stat().st_mode) == 0o700
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600


@pytest.mark.parametrize("damage", ["cut", "flipped", "empty"])
async def test_copy_that_is_damaged_counts_as_none(stage, started, gcs, damage):
    """A copy is served whole or not at all."""
    stage.operator.publish()
    before = await started()
    await before.registry.load("acme")
    await before.registry.stop()
    (copy,) = stage.folder.glob("*/*")
    content = copy.read_bytes()
    flipped = content[:-9] + bytes([content[-9] ^ 1]) + content[-8:]
    copy.write_bytes({"cut": content[:-9], "flipped": flipped, "empty": b""}[damage])

    gcs.fail(CLOSED, times=math.inf)
    replica = await started()

    with pytest.raises(TenantUnavailableError):
        await replica.registry.load("acme")


async def test_disk_that_takes_no_copies_harms_no_request(stage, started):
    """Serving goes on, and the log says why there are no copies."""
    stage.folder.write_text("a file where the directory should be")
    stage.operator.publish()
    replica = await started()

    with capture_logs() as logs:
        tenant = await replica.registry.load("acme")

    assert tenant.default.instructions == "Be brief."
    assert {line["event"] for line in logs} >= {"tenant_copy_failed"}


def _missing(stage):
    pointer = pointer_of(stage)
    stage.operator.objects.delete(compiled_name("acme", pointer))
    announce(stage.operator.objects, ["acme"], "publish", now=1)


def _cut(stage):
    name = compiled_name("acme", pointer_of(stage))
    put(stage, name, stage.operator.objects.read(name).content[:-5])


def _newer(stage):
    """As a newer program would publish it: its hash is right, its format is not ours."""
    name = compiled_name("acme", pointer_of(stage))
    content = stage.operator.objects.read(name).content.replace(
        f'"format":{compiled_json.FORMAT}'.encode(), b'"format":99'
    )
    stage.operator.objects.write(name, content, expected=None)
    stored = stage.operator.objects.read(layout.pointer("acme")).content.decode()
    sha256 = hashlib.sha256(content).hexdigest()
    put(
        stage,
        layout.pointer("acme"),
        stored.replace(pointer_of(stage).compiled_sha256, sha256).encode(),
    )


@pytest.mark.parametrize("damage", [_missing, _cut, _newer])
async def test_broken_revision_leaves_the_last_good_one_in_force(stage, started, gcs, damage):
    """It is refused, told and counted once; a restart serves the last good one as well."""
    stage.operator.publish()
    replica = await started()
    good = await replica.registry.load("acme")
    gcs.fail(refusal(500), times=math.inf, kind="changed")
    stage.operator.publish(instructions="Rhyme.")
    damage(stage)

    gcs.heal()
    await until(lambda: replica.registry.health("acme").refused != "")
    restarted = await started()
    again = await restarted.registry.load("acme")

    assert replica.registry.cached("acme") is good
    assert again.revision == good.revision
    assert replica.events == ["loaded", "rejected"]


async def test_change_whose_writer_died_before_the_feed_is_found(stage, started):
    """Whatever a writer had done before it died is in force within five minutes, whole."""
    stage.operator.publish()
    key = stage.operator.issue()
    replica = await started()
    await replica.registry.load("acme")
    await until(lambda: replica.opens(key.text))

    for writes in range(20):
        killed = Operator(Interrupted(stage.operator.objects, writes=writes))
        try:
            killed.publish(instructions=f"Version {writes}.")
            killed.revoke(key.record.id)
        except KilledError:
            pass
        else:
            break
        replica.seconds += 181
        await until(partial(_in_force, replica, pointer_of(stage).sha256))
        assert replica.instructions() is not None
    assert writes > 8
    await until(lambda: not replica.opens(key.text))


def _in_force(replica, revision: str) -> bool:
    """Whether a revision is in force, as a look of this second has shown."""
    entry = replica.registry._memory.look("acme")
    return entry.compared_at == replica.seconds and entry.standing.revision == revision
