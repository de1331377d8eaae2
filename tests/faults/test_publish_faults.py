"""Whoever writes a registry may die between any two writes, and be raced by others."""

import json
from functools import partial

import attrs
import pytest

from tenants.describing import Describer
from tenants.errors import InvalidTenantError
from tenants.registry import layout
from tenants.registry.files import FileObjects
from tenants.registry.objects import Objects, ObjectsUnavailableError
from tenants.releases.audit import entries
from tenants.releases.errors import PublishConflictError, TenantExistsError, UnannouncedError
from tenants.releases.keyrings import issue, keys, revoke, rotate
from tenants.releases.loading import Loaded, load
from tenants.releases.offboarding import offboard
from tenants.releases.publishing import create, publish
from tenants.releases.reading import history, list_tenants, read_release
from tenants.releases.release import Preparing, prepare
from tenants.releases.switching import resume, rollback, suspend
from tests.fakes.objects import Interrupted, KilledError, Meddled
from tests.fakes.releases import ALICE, BOB, NOW, files_of, release_of, served
from tests.fakes.tenants import DOCUMENT

SECOND = release_of(instructions="Be kind.", knowledge__a_bin=b"\0\xff")
THIRD = release_of(instructions="Be rude.")


@pytest.fixture
def registry(tmp_path):
    """A function that makes a registry with ``acme`` in two revisions, the second in force."""

    def make(name: str) -> FileObjects:
        root = tmp_path / name
        root.mkdir()
        objects = FileObjects(root)
        create(objects, release_of(), ALICE)
        publish(objects, SECOND, ALICE)
        return objects

    return make


def state(objects: Objects) -> tuple:
    """What requests see of ``acme``: its text and its live keys; whether it is there at all."""
    found = load(objects, "acme", private_upstreams=frozenset())
    if not isinstance(found, Loaded):
        return (None, 0)
    live = [each for each in keys(objects, "acme") if each.revoked_at is None]
    return (found.tenant.default.instructions, len(live))


def is_announced(objects: Objects, since: int) -> bool:
    """Whether the feed names ``acme`` after a number; it has no gap."""
    changes = json.loads(objects.read(layout.CHANGES).content)
    numbers = [each["sequence"] for each in changes["entries"]]
    assert numbers == [*range(1, changes["sequence"] + 1)]
    return any("acme" in each["tenants"] for each in changes["entries"][since:])


def sequence(objects: Objects) -> int:
    """The number of the newest change."""
    return json.loads(objects.read(layout.CHANGES).content)["sequence"]


OPERATIONS = {
    "publish": lambda objects: publish(objects, THIRD, BOB),
    "rollback": lambda objects: rollback(objects, "acme", BOB, to=1),
    "suspend": lambda objects: suspend(objects, "acme", BOB),
    "issue": lambda objects: issue(objects, "acme", ["chat"], BOB),
    "offboard": lambda objects: offboard(objects, "acme", BOB),
}


@pytest.mark.parametrize("operation", OPERATIONS.values(), ids=OPERATIONS)
def test_writer_killed_between_any_two_writes_leaves_the_old_or_the_new(registry, operation):
    """Requests see one of the two whole; the same command once more finishes, and tells it."""
    whole = Interrupted(registry("whole"), writes=1_000)
    before = state(registry("before"))
    operation(whole)
    after = state(whole)
    assert before != after
    for writes in range(len(whole.wrote)):
        objects = registry(f"after {writes}")
        told = sequence(objects)
        with pytest.raises(KilledError):
            operation(Interrupted(objects, writes=writes))

        assert state(objects) in {before, after}
        operation(objects)
        assert state(objects)[0] == after[0]
        assert is_announced(objects, told)


@pytest.mark.parametrize("operation", OPERATIONS.values(), ids=OPERATIONS)
def test_audit_comes_before_the_effect_and_the_feed_after_it(registry, operation):
    """Nothing takes effect that is not on record, and nobody is told of what has no effect yet."""
    watched = Interrupted(registry("acme"), writes=1_000)
    operation(watched)

    effects = {layout.pointer("acme"), layout.keys("acme")}
    audit, effect, feed = (
        next(place for place, name in enumerate(watched.wrote) if is_it(name))
        for is_it in (lambda name: "/audit/" in name, effects.__contains__, layout.CHANGES.__eq__)
    )
    assert audit < effect < feed


def test_compiled_form_is_the_last_of_a_revision_s_files(registry):
    """Whoever finds it finds the whole revision."""
    watched = Interrupted(registry("acme"), writes=1_000)
    publish(watched, SECOND, BOB)
    publish(watched, release_of(instructions="Be kind.", knowledge__z=b""), BOB)

    written = [name for name in watched.wrote if "/revisions/" in name]

    assert [name.rpartition("/")[2] for name in written][-1] == "compiled.json"
    assert len(written) == 4


def test_publish_after_a_killed_one_has_a_clean_history(registry):
    """Whatever a dead writer left, the next revision is whole, numbered and can be gone back from.

    The number that it may have taken is not given to other content.
    """
    whole = Interrupted(registry("whole"), writes=1_000)
    publish(whole, THIRD, BOB)
    for writes in range(len(whole.wrote)):
        objects = registry(f"after {writes}")
        with pytest.raises(KilledError):
            publish(Interrupted(objects, writes=writes), THIRD, BOB)
        landed = served(objects) == "Be rude."

        publish(objects, release_of(instructions="Next."), ALICE)

        numbers = [each.revision for each in history(objects, "acme")]
        assert numbers == ([4, 3, 2, 1] if landed else [3, 2, 1])
        assert landed == (layout.pointer("acme") in whole.wrote[:writes])
        texts = [read_release(objects, "acme", n).files["instructions.md"] for n in numbers]
        assert texts[0] == b"Next."
        assert texts[-2:] == [b"Be kind.", b"Be brief."]
        rollback(objects, "acme", ALICE)
        assert served(objects) == ("Be rude." if landed else "Be kind.")


def test_creation_killed_between_any_two_writes_can_be_repeated(tmp_path):
    """There is no tenant, or the whole of it; a second creation makes it or says that it is."""
    (tmp_path / "whole").mkdir()
    whole = Interrupted(FileObjects(tmp_path / "whole"), writes=1_000)
    create(whole, SECOND, ALICE)
    for writes in range(len(whole.wrote)):
        (tmp_path / str(writes)).mkdir()
        objects = FileObjects(tmp_path / str(writes))
        with pytest.raises(KilledError):
            create(Interrupted(objects, writes=writes), SECOND, ALICE)
        landed = layout.pointer("acme") in whole.wrote[:writes]
        assert served(objects) == ("Be kind." if landed else None)
        assert len([*list_tenants(objects)]) == landed

        if landed:
            with pytest.raises(TenantExistsError):
                create(objects, SECOND, ALICE)
            publish(objects, SECOND, ALICE)
        else:
            create(objects, SECOND, ALICE)

        assert served(objects) == "Be kind."
        assert [each.revision for each in history(objects, "acme")] == [1]
        assert is_announced(objects, 0)


def test_revocation_killed_between_any_two_writes_is_finished_by_the_next(registry):
    """The key is alive or dead, never half; asking again kills it and tells replicas."""
    objects = registry("acme")
    for writes in range(3):
        issued = issue(objects, "acme", ["chat"], ALICE)
        told = sequence(objects)
        with pytest.raises(KilledError):
            revoke(Interrupted(objects, writes=writes), "acme", issued.record.id, BOB)

        revoke(objects, "acme", issued.record.id, BOB)

        found = load(objects, "acme", private_upstreams=frozenset()).tenant.keys
        assert found.find(issued.text, NOW) is None
        assert is_announced(objects, told)


def test_rotation_killed_between_any_two_writes_leaves_a_key_that_opens(registry):
    """A client is never left without a key by an operator's death."""
    objects = registry("acme")
    for writes in range(3):
        issued = issue(objects, "acme", ["chat"], ALICE)
        with pytest.raises(KilledError):
            rotate(
                Interrupted(objects, writes=writes),
                "acme",
                issued.record.id,
                BOB,
                overlap_seconds=3_600,
            )

        found = load(objects, "acme", private_upstreams=frozenset()).tenant.keys
        assert found.find(issued.text, BOB.now) is not None


def test_offboarding_that_died_serves_nothing_and_is_finished_by_the_next(registry):
    """From its first effect on there is no tenant for requests; the second run leaves nothing."""
    whole = Interrupted(registry("whole"), writes=1_000)
    offboard(whole, "acme", BOB)
    begun = whole.wrote.index(layout.pointer("acme")) + 1
    for writes in range(begun, len(whole.wrote)):
        objects = registry(f"after {writes}")
        with pytest.raises(KilledError):
            offboard(Interrupted(objects, writes=writes), "acme", BOB)
        assert served(objects) is None

        offboard(objects, "acme", BOB)

        assert not [*objects.list(layout.everything("acme"))]


def test_operator_who_is_overtaken_is_told_and_audited(registry):
    """The revision of who was first stays in force, and the audit has both."""
    objects = registry("acme")
    other = partial(publish, objects, THIRD, ALICE)
    meddled = Meddled(objects, layout.pointer("acme"), other)

    with pytest.raises(PublishConflictError) as raised:
        publish(meddled, release_of(instructions="Mine."), BOB)

    assert (raised.value.revision, raised.value.by) == (3, "alice")
    assert served(objects) == "Be rude."
    assert [(each.by, each.action) for each in entries(objects, "acme")][-3:] == [
        ("alice", "publish"),
        ("bob", "publish"),
        ("bob", "refused"),
    ]
    publish(objects, release_of(instructions="Mine."), BOB)
    assert [each.revision for each in history(objects, "acme")] == [4, 3, 2, 1]


@pytest.mark.parametrize(
    "overtaking",
    [
        lambda objects: suspend(objects, "acme", ALICE),
        lambda objects: rollback(objects, "acme", ALICE),
        lambda objects: offboard(objects, "acme", ALICE),
    ],
)
def test_publish_that_anything_overtakes_changes_nothing(registry, overtaking):
    """No publish brings back what was suspended, rolled back or offboarded meanwhile."""
    objects = registry("acme")
    meddled = Meddled(objects, layout.pointer("acme"), partial(overtaking, objects))

    with pytest.raises(PublishConflictError):
        publish(meddled, THIRD, BOB)

    assert served(objects) != "Be rude."


def test_resuming_what_was_rolled_back_meanwhile_keeps_the_rollback(registry):
    """A switch that is overtaken is refused; nothing is put back by it."""
    objects = registry("acme")
    suspend(objects, "acme", ALICE)
    meddled = Meddled(
        objects, layout.pointer("acme"), partial(rollback, objects, "acme", ALICE, to=1)
    )

    with pytest.raises(PublishConflictError):
        resume(meddled, "acme", BOB)
    resume(objects, "acme", BOB)

    assert served(objects) == "Be brief."


def test_change_that_cannot_be_announced_is_said_to_be_made(registry):
    """The operator learns that it is in force soon, and the same command mends the feed."""
    objects = registry("acme")
    told = sequence(objects)

    def away():
        raise ObjectsUnavailableError("the bucket does not answer")

    with pytest.raises(UnannouncedError) as raised:
        publish(Meddled(objects, layout.CHANGES, away), THIRD, BOB)

    assert raised.value.tenants == ("acme",)
    assert served(objects) == "Be rude."
    assert not is_announced(objects, told)
    assert not publish(objects, THIRD, BOB).changed
    assert is_announced(objects, told)


@pytest.mark.parametrize("minutes", [-5, 5])
def test_operators_whose_clocks_differ_are_put_in_order_by_numbers(registry, minutes):
    """History, what is in force and the feed follow the writes, not what clocks tell."""
    objects = registry("acme")
    other = attrs.evolve(BOB, now=NOW + minutes * 60)
    publish(objects, THIRD, other)
    publish(objects, release_of(instructions="Next."), ALICE)
    rollback(objects, "acme", other)

    assert [each.revision for each in history(objects, "acme")] == [4, 3, 2, 1]
    assert served(objects) == "Be rude."
    assert is_announced(objects, 4)


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("while True:\n    pass\n", "importing took over 1.5 s"),
        ("import time\ntime.sleep(60)\n", "importing took over 1.5 s"),
        ("import os, signal\nos.kill(os.getpid(), signal.SIGKILL)\n", "ended the process"),
    ],
)
def test_module_that_never_ends_its_import_is_no_release(registry, source, words):
    """It is told in its own bounded time; what is in force stays, and the next module is read."""
    objects = registry("acme")
    describer = Describer(limit_seconds=1.5)
    preparing = Preparing(describer=describer)
    document = DOCUMENT.format(tenant_id="acme") + (
        '[tools]\nmodule = "tools.py"\nisolation = "inline"\n'
    )

    def release(module: str):
        files = files_of(tenant_toml=document.encode(), tools_py=module.encode())
        return prepare("acme", files, preparing)

    with pytest.raises(InvalidTenantError, match=words):
        release(source)
    good = release("def f() -> str:\n    return ''\nTOOL_MAP = {'f': f}\n")
    describer.close()

    assert served(objects) == "Be kind."
    assert good.compiled.default.functions == ("f",)
