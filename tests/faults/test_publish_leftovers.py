"""What publishes that died, lost or came too late leave behind, and what becomes of it."""

from functools import partial

import pytest

from tenants.errors import UnknownTenantError
from tenants.registry import layout
from tenants.registry.gcs import GcsObjects
from tenants.registry.gcs_calls import Patience
from tenants.registry.objects import ObjectChangedError, ObjectsUnavailableError
from tenants.releases.audit import entries
from tenants.releases.errors import (
    ContendedError,
    OffboardingError,
    PublishConflictError,
    UnannouncedError,
)
from tenants.releases.feed import announce
from tenants.releases.keyrings import issue, keys, revoke, rotate
from tenants.releases.loading import load
from tenants.releases.offboarding import clear, offboard, remains
from tenants.releases.publishing import create, publish
from tenants.releases.reading import history, read_release
from tenants.releases.switching import rollback, suspend
from tests.fakes.gcs import LOST_ANSWER, fake_gcs
from tests.fakes.objects import Interrupted, KilledError, Meddled
from tests.fakes.releases import ALICE, BOB, NOW, release_of, served

pytest_plugins = ("tests.fakes.object_fixtures",)
POINTER = layout.pointer("acme")
MINE = release_of(instructions="Mine.", knowledge__a_bin=b"\0\xff")


@pytest.fixture
def acme(objects):
    """A registry with ``acme`` in its first revision."""
    create(objects, release_of(), ALICE)
    return objects


def folders(objects) -> set[str]:
    """The directories of revisions that there are, by number and digest."""
    found = objects.list(layout.revisions("acme", "*"))
    return {each.name.split("/")[3] for each in found}


def folder(number: int, release) -> str:
    """Where a release lies."""
    return f"{number}-{release.sha256[:12]}"


def test_files_of_a_dead_publish_go_with_the_next_one(acme):
    """Wherever it died before the pointer, nothing of it stays once its number is taken."""
    first, following = release_of(), release_of(instructions="Next.")
    for writes in (1, 2):
        with pytest.raises(KilledError):
            publish(Interrupted(acme, writes=writes), MINE, BOB)
    assert folders(acme) == {folder(1, first), folder(2, MINE)}

    publish(acme, following, ALICE)

    assert folders(acme) == {folder(1, first), folder(2, following)}
    assert [each.revision for each in history(acme, "acme")] == [2, 1]
    for number in (1, 2):
        read_release(acme, "acme", number)


def test_files_of_who_lost_go_at_once(acme):
    """Two publish, one wins: of the other nothing is left, though it came after the winner."""
    winning = release_of(instructions="Won.")
    meddled = Meddled(acme, POINTER, partial(publish, acme, winning, ALICE))

    with pytest.raises(PublishConflictError):
        publish(meddled, MINE, BOB)

    assert folders(acme) == {folder(1, release_of()), folder(2, winning)}
    assert served(acme) == "Won."
    read_release(acme, "acme", 2)


def test_same_release_of_two_publishers_is_kept(acme):
    """Both write the same files; the one that loses deletes nothing of what is in force."""
    meddled = Meddled(acme, POINTER, partial(publish, acme, MINE, ALICE))

    with pytest.raises(PublishConflictError):
        publish(meddled, MINE, BOB)

    assert read_release(acme, "acme", 2).files == MINE.files


@pytest.mark.parametrize(
    "overtaking",
    [
        lambda objects: suspend(objects, "acme", ALICE),
        lambda objects: rollback(objects, "acme", ALICE, to=1),
    ],
)
def test_files_that_a_pointer_may_still_name_stay(acme, overtaking):
    """A publish that a switch overtook keeps its files for its repetition."""
    publish(acme, release_of(instructions="Be kind."), ALICE)
    meddled = Meddled(acme, POINTER, partial(overtaking, acme))
    with pytest.raises(PublishConflictError):
        publish(meddled, MINE, BOB)
    assert folder(3, MINE) in folders(acme)
    watched = Interrupted(acme, writes=1_000)

    publish(watched, MINE, BOB)

    assert read_release(acme, "acme", 3).files == MINE.files
    assert not [name for name in watched.wrote if "/revisions/" in name]


def test_publish_during_which_another_is_under_way_takes_nothing_from_it(acme):
    """Files of a publish that has only begun are collected once it cannot win any more."""
    killed_early = Interrupted(acme, writes=2)
    with pytest.raises(KilledError):
        publish(killed_early, MINE, BOB)
    suspend(acme, "acme", ALICE)

    assert folder(2, MINE) in folders(acme)


def test_collecting_that_fails_does_not_fail_the_publish(acme):
    """What is published is published; the files wait, and are read by nobody."""

    class Unlisted:
        """A registry that cannot be listed."""

        def __getattr__(self, name):
            return getattr(acme, name)

        def list(self, _):
            """Fail."""
            raise ObjectsUnavailableError("scripted")

    assert publish(Unlisted(), MINE, BOB).changed
    assert served(acme) == "Mine."


def test_publish_that_offboarding_overtakes_leaves_what_can_be_cleared(acme):
    """Its operator is told; what it wrote late serves nobody, and one command takes it away."""
    meddled = Meddled(acme, POINTER, partial(offboard, acme, "acme", ALICE))
    with pytest.raises(PublishConflictError) as raised:
        publish(meddled, MINE, BOB)
    assert raised.value.revision is None
    assert served(acme) is None

    assert remains(acme, "acme")
    clear(acme, "acme", ALICE)

    assert [*acme.list(layout.everything("acme"))] == []


@pytest.mark.parametrize(
    "name", [layout.keys("acme"), "tenants/acme/audit/20270115T080100Z-0.json"]
)
def test_key_is_not_issued_to_a_tenant_that_goes_meanwhile(acme, name):
    """Offboarded at any moment of it: there is no key afterwards, and the operator is told."""
    issue(acme, "acme", ["chat"], ALICE)
    meddled = Meddled(acme, name, partial(offboard, acme, "acme", ALICE))

    with pytest.raises((UnknownTenantError, OffboardingError)):
        issue(meddled, "acme", ["chat"], BOB)

    assert acme.read(layout.keys("acme")) is None
    assert served(acme) is None


def test_key_that_cannot_be_announced_is_told_all_the_same(acme):
    """Its text is known to nobody else: it is given, with why it opens only in minutes."""

    def away():
        raise ObjectsUnavailableError("scripted")

    issued = issue(Meddled(acme, layout.CHANGES, away), "acme", ["chat"], BOB)
    again = rotate(
        Meddled(acme, layout.CHANGES, away), "acme", issued.record.id, BOB, overlap_seconds=60
    )
    with pytest.raises(UnannouncedError):
        revoke(Meddled(acme, layout.CHANGES, away), "acme", issued.record.id, BOB)

    assert issued.unannounced == again.unannounced == "scripted"
    keyring = load(acme, "acme", private_upstreams=frozenset()).tenant.keys
    assert keyring.find(again.text, NOW) is not None
    assert keyring.find(issued.text, NOW) is None


def test_lost_answer_and_another_writer_make_no_key_twice():
    """The write went through, nobody said so, and another key came: each is there once."""
    patience = Patience(first_wait_seconds=0.01, longest_wait_seconds=0.02)
    with fake_gcs("tenants") as gcs:
        objects = GcsObjects("tenants", emulator=gcs.url, patience=patience)
        other = GcsObjects("tenants", emulator=gcs.url, patience=patience)
        create(objects, release_of(), ALICE)
        first = issue(objects, "acme", ["chat"], ALICE)

        class Overtaken:
            """A registry where another key comes right after a write whose answer was lost."""

            done = False

            def __getattr__(self, name):
                return getattr(objects, name)

            def write(self, name, content, **options):
                """Write; of the first write of keys nobody hears."""
                generation = objects.write(name, content, **options)
                if name != layout.keys("acme") or self.done:
                    return generation
                self.done = True
                revoke(other, "acme", first.record.id, BOB)
                raise ObjectChangedError(name)

        issued = issue(Overtaken(), "acme", ["history"], BOB)

        found = keys(objects, "acme")
    assert [each.id for each in found] == [first.record.id, issued.record.id]
    assert found[0].revoked_at is not None


@pytest.mark.parametrize(
    "name", [POINTER, layout.CHANGES, layout.keys("acme"), "compiled.json", "-0.json"]
)
def test_lost_answer_of_any_write_is_no_conflict(name):
    """Pointer, feed, keys, files and audit: done once, and known to be done."""
    patience = Patience(first_wait_seconds=0.01, longest_wait_seconds=0.02)
    with fake_gcs("tenants") as gcs:
        objects = GcsObjects("tenants", emulator=gcs.url, patience=patience)
        create(objects, release_of(), ALICE)
        gcs.fail(LOST_ANSWER, kind="write", name=name)

        publish(objects, MINE, BOB)
        issued = issue(objects, "acme", ["chat"], BOB)

        assert served(objects) == "Mine."
        assert [each.revision for each in history(objects, "acme")] == [2, 1]
        assert [each.id for each in keys(objects, "acme")] == [issued.record.id]
        assert announce(objects, ("acme",), "publish", NOW) == 4


def test_publish_whose_answer_was_lost_and_that_was_followed_is_done(acme):
    """Suspended right after it went through, before its operator knew: it is no conflict."""

    class Followed:
        """A registry where somebody suspends the tenant that was just published."""

        def __getattr__(self, name):
            return getattr(acme, name)

        def write(self, name, content, **options):
            """Write; of the pointer nobody hears in time."""
            generation = acme.write(name, content, **options)
            if name != POINTER:
                return generation
            suspend(acme, "acme", ALICE)
            raise ObjectChangedError(name)

    published = publish(Followed(), MINE, BOB)

    assert published.changed
    assert (published.held.pointer.revision, published.held.pointer.suspended) == (2, True)
    assert "refused" not in {each.action for each in entries(acme, "acme")}


def test_feed_that_others_write_twenty_times_is_written_in_the_end(acme):
    """Each time it is read anew, so no number is lost or given twice."""
    lost = 20

    class Busy:
        """A registry whose feed others write right before us."""

        read = acme.read
        left = lost

        def write(self, name, content, **options):
            """Come second while there is somebody else."""
            if self.left:
                self.left -= 1
                announce(acme, ("other",), "publish", NOW)
            return acme.write(name, content, **options)

    pauses = []

    assert announce(Busy(), ("acme",), "publish", NOW, sleep=pauses.append) == 1 + lost + 1
    assert len(pauses) == lost


def test_registry_that_refuses_every_write_is_given_up(acme):
    """A bucket that answers 412 to everything costs an error, not a night."""

    class Refusing:
        """A registry where everybody else is always first."""

        def __getattr__(self, name):
            return getattr(acme, name)

        def write(self, name, *_, **__):
            """Lose."""
            raise ObjectChangedError(name)

    with pytest.raises(ContendedError):
        publish(Refusing(), MINE, BOB)
    with pytest.raises(ContendedError):
        suspend(Refusing(), "acme", BOB)
    assert served(acme) == "Be brief."
