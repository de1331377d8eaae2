"""Writing a registry: publishing, rolling back, switching off, taking away, on every adapter."""

import json
from functools import partial

import attrs
import pytest

from tenants.errors import BrokenObjectError, InvalidTenantError, UnknownTenantError
from tenants.registry import layout
from tenants.releases.audit import entries
from tenants.releases.errors import (
    OffboardingError,
    PublishConflictError,
    TenantExistsError,
    UnknownRevisionError,
    WorkingFormError,
)
from tenants.releases.keyrings import issue, keys
from tenants.releases.loading import Suspended, load
from tenants.releases.offboarding import offboard
from tenants.releases.publishing import create, publish
from tenants.releases.reading import history, read_release, show
from tenants.releases.switching import resume, rollback, suspend
from tests.fakes.releases import ALICE, BOB, NOW, at_once, release_of, served

pytest_plugins = ("tests.fakes.object_fixtures",)


@pytest.fixture
def acme(objects):
    """A registry with the tenant ``acme``, in its first revision."""
    create(objects, release_of(), ALICE)
    return objects


def names(objects, pattern="**"):
    """What the registry holds."""
    return [each.name for each in objects.list(pattern)]


def announced(objects):
    """What the change feed says: tenants and what happened to them, oldest first."""
    changes = json.loads(objects.read(layout.CHANGES).content)
    assert [each["sequence"] for each in changes["entries"]] == [*range(1, changes["sequence"] + 1)]
    return [(*each["tenants"], each["what"]) for each in changes["entries"]]


def actions(objects):
    """What the audit of ``acme`` says."""
    return [(each.by, each.action) for each in entries(objects, "acme")]


def test_first_revision_lies_where_the_contract_says(objects):
    """Pointer, revision, audit and feed have the documented names, and the pointer its members."""
    published = create(objects, release_of(knowledge__a_bin=b"\0\xff"), ALICE)

    pointer = json.loads(objects.read("tenants/acme/current.json").content)
    folder = f"tenants/acme/revisions/1-{pointer['sha256'][:12]}"
    assert published.changed
    assert (
        pointer.items()
        >= {
            "revision": 1,
            "published_at": NOW,
            "by": "alice",
            "note": "as agreed",
            "suspended": False,
        }.items()
    )
    assert sorted(names(objects)) == sorted(
        [
            "changes.json",
            "tenants/acme/audit/20270115T080000Z-0.json",
            "tenants/acme/current.json",
            *(
                f"{folder}/{name}"
                for name in ("compiled.json", "instructions.md", "knowledge/a.bin", "tenant.toml")
            ),
        ]
    )
    assert announced(objects) == [("acme", "publish")]
    assert served(objects) == "Be brief."


def test_tenant_is_created_once(acme):
    """A second one under the id changes nothing of the first."""
    before = names(acme)

    with pytest.raises(TenantExistsError):
        create(acme, release_of(instructions="Mine now."), BOB)
    assert names(acme) == before
    assert served(acme) == "Be brief."


def test_only_a_tenant_that_exists_is_published_to(objects):
    """A mistyped id makes no tenant."""
    with pytest.raises(UnknownTenantError):
        publish(objects, release_of(), ALICE)
    assert names(objects) == []


@pytest.mark.parametrize("tenant_id", ["", "..", "acme/revisions", "ACME", "-a", "a" * 64, "a b"])
def test_id_outside_the_grammar_is_nobody_s(acme, tenant_id):
    """Ids that fold together, or lead elsewhere, name no tenant and make none."""
    before = names(acme)

    with pytest.raises(InvalidTenantError, match="no tenant's id"):
        release_of(tenant_id)
    for change in (suspend, rollback, offboard, partial(issue, scopes=["chat"])):
        with pytest.raises(UnknownTenantError):
            change(acme, tenant_id, intent=ALICE)
    assert names(acme) == before


def test_publishing_beside_a_working_form_puts_the_revision_in_force(objects):
    """What was served as it stood has revisions from then on."""
    objects.write("tenants/acme/tenant.toml", b"", expected=0)
    with pytest.raises(TenantExistsError):
        create(objects, release_of(), ALICE)
    with pytest.raises(WorkingFormError):
        suspend(objects, "acme", ALICE)

    publish(objects, release_of(), ALICE)

    assert served(objects) == "Be brief."


def test_revisions_are_numbered_and_remembered(acme):
    """History has each revision with its number, digest, time, author and note, newest first."""
    second = release_of(instructions="Be kind.")
    publish(acme, second, BOB)

    assert [
        (each.revision, each.published_at, each.by, each.note) for each in history(acme, "acme")
    ] == [(2, BOB.now, "bob", ""), (1, NOW, "alice", "as agreed")]
    assert history(acme, "acme")[0].sha256 == second.sha256
    assert served(acme) == "Be kind."
    assert actions(acme) == [("alice", "publish"), ("bob", "publish")]


def test_same_content_changes_nothing_but_says_so_to_replicas(acme):
    """Publishing what is in force makes no revision; the feed names the tenant once more."""
    before = names(acme)

    published = publish(acme, release_of(), BOB)

    assert not published.changed
    assert published.held == show(acme, "acme")
    assert names(acme) == before
    assert announced(acme) == [("acme", "publish")] * 2


def test_publisher_who_saw_another_revision_is_told_who_won(acme):
    """The one who looked at the older pointer changes nothing, and learns what is in force."""
    seen = attrs.evolve(BOB, expected=show(acme, "acme").generation)
    publish(acme, release_of(instructions="Be kind."), ALICE)

    for change in (
        partial(publish, acme, release_of(instructions="Be rude."), seen),
        partial(rollback, acme, "acme", seen),
        partial(suspend, acme, "acme", seen),
        partial(offboard, acme, "acme", seen),
    ):
        with pytest.raises(PublishConflictError) as raised:
            change()
        assert (raised.value.revision, raised.value.by) == (2, "alice")
    assert served(acme) == "Be kind."


def test_of_operators_who_publish_at_once_one_wins(acme):
    """One revision is in force, each other operator is told, and nothing is lost or mixed."""
    texts = [f"Text {number}." for number in range(6)]
    seen = attrs.evolve(BOB, expected=show(acme, "acme").generation)
    releases = [release_of(instructions=text) for text in texts]

    outcomes = at_once([partial(publish, acme, release, seen) for release in releases])

    winners = [
        text for text, each in zip(texts, outcomes, strict=True) if not isinstance(each, Exception)
    ]
    losers = [each for each in outcomes if isinstance(each, PublishConflictError)]
    assert (len(winners), len(losers)) == (1, 5)
    assert {each.revision for each in losers} == {2}
    assert served(acme) == winners[0]
    assert [each.revision for each in history(acme, "acme")] == [2, 1]
    publish(acme, release_of(instructions="After."), ALICE)
    assert [each.revision for each in history(acme, "acme")] == [3, 2, 1]


def test_of_operators_who_create_at_once_one_wins(objects):
    """A tenant has one creator."""
    works = [partial(create, objects, release_of(instructions=f"{n}"), ALICE) for n in range(4)]

    outcomes = at_once(works)

    lost = [isinstance(each, PublishConflictError | TenantExistsError) for each in outcomes]
    assert sum(lost) == 3
    assert len(history(objects, "acme")) == 1


def test_rollback_goes_to_the_revision_before(acme):
    """Without a number it is the one published before; it can be gone forward from again."""
    publish(acme, release_of(instructions="Be kind."), ALICE)
    publish(acme, release_of(instructions="Be rude."), ALICE)

    first = rollback(acme, "acme", BOB)
    after_first = served(acme)
    rollback(acme, "acme", BOB)
    after_second = served(acme)
    rollback(acme, "acme", BOB, to=3)

    assert (first.held.pointer.revision, first.held.pointer.by) == (2, "bob")
    assert (after_first, after_second, served(acme)) == ("Be kind.", "Be brief.", "Be rude.")
    assert len(history(acme, "acme")) == 3


def test_number_of_a_revision_is_never_given_twice(acme):
    """After a rollback the next revision has the next number, not that of one left behind."""
    publish(acme, release_of(instructions="Be kind."), ALICE)
    rollback(acme, "acme", ALICE)

    publish(acme, release_of(instructions="Be rude."), ALICE)

    assert [each.revision for each in history(acme, "acme")] == [3, 2, 1]
    assert read_release(acme, "acme", 2).files["instructions.md"] == b"Be kind."


@pytest.mark.parametrize("to", [None, 0, 2, -1])
def test_rollback_to_no_revision_is_refused(acme, to):
    """There is nothing before the first, and nothing that was never published."""
    with pytest.raises(UnknownRevisionError) as raised:
        rollback(acme, "acme", ALICE, to=to)
    assert raised.value.revision == to
    assert actions(acme) == [("alice", "publish")]


def test_rollback_to_the_revision_in_force_changes_nothing(acme):
    """It says so."""
    assert not rollback(acme, "acme", BOB, to=1).changed
    assert show(acme, "acme").pointer.by == "alice"


@pytest.mark.parametrize("file", ["compiled.json", "instructions.md"])
@pytest.mark.parametrize("damage", ["missing", "altered", "more"])
def test_revision_that_is_not_whole_is_not_rolled_back_to(acme, file, damage):
    """The pointer moves to nothing that was cut, altered or added to."""
    first = show(acme, "acme").pointer
    publish(acme, release_of(instructions="Be kind."), ALICE)
    name = layout.revision("acme", 1, first.sha256, file)
    if damage == "missing":
        acme.delete(name)
    elif damage == "altered":
        acme.write(name, acme.read(name).content[:-1], expected=None)
    else:
        acme.write(name + ".more", b"", expected=None)

    with pytest.raises(BrokenObjectError):
        rollback(acme, "acme", ALICE)
    assert served(acme) == "Be kind."


def test_suspended_tenant_is_told_from_an_unknown_one_by_operators_alone(acme):
    """Suspending keeps the revision; resuming serves it again; both are told to replicas."""
    suspend(acme, "acme", BOB)
    suspended = load(acme, "acme", private_upstreams=frozenset())
    publish(acme, release_of(instructions="Be kind."), ALICE)
    still = served(acme)
    again = suspend(acme, "acme", BOB)
    resume(acme, "acme", BOB)

    assert suspended == Suspended(suspended.pointer_generation)
    assert still is None
    assert not again.changed
    assert served(acme) == "Be kind."
    assert load(acme, "nobody", private_upstreams=frozenset()) is None
    assert announced(acme)[1:] == [
        ("acme", "suspend"),
        ("acme", "publish"),
        ("acme", "suspend"),
        ("acme", "resume"),
    ]


def test_offboarded_tenant_leaves_nothing(acme):
    """All that is left is the feed, and another may have the id, with none of the old keys."""
    issue(acme, "acme", ["chat"], ALICE)
    create(acme, release_of("acme-2"), ALICE)

    offboard(acme, "acme", BOB)

    assert names(acme, layout.everything("acme")) == []
    assert announced(acme)[-1] == ("acme", "offboard")
    assert served(acme, "acme-2") == "Be brief."
    with pytest.raises(UnknownTenantError):
        offboard(acme, "acme", BOB)
    create(acme, release_of(), ALICE)
    assert keys(acme, "acme") == ()


def test_keys_that_nobody_owns_open_nothing_of_a_new_tenant(objects):
    """Keys without a tenant are forgotten before a tenant of that id begins."""
    objects.write("tenants/acme/tenant.toml", b"", expected=0)
    old = issue(objects, "acme", ["chat"], ALICE)
    objects.delete("tenants/acme/tenant.toml")

    create(objects, release_of(), ALICE)

    found = load(objects, "acme", private_upstreams=frozenset())
    assert found.tenant.keys.find(old.text, NOW) is None


def test_tenant_that_is_being_offboarded_takes_no_change(acme):
    """What began is finished, and nothing is published into it meanwhile."""
    held = show(acme, "acme")
    pointer = attrs.evolve(held.pointer, suspended=True, offboarding=True)
    acme.write(
        layout.pointer("acme"), json.dumps(attrs.asdict(pointer)).encode(), expected=held.generation
    )

    for change in (
        partial(publish, acme, release_of(instructions="Be kind."), ALICE),
        partial(resume, acme, "acme", ALICE),
        partial(issue, acme, "acme", ["chat"], ALICE),
    ):
        with pytest.raises(OffboardingError):
            change()
    with pytest.raises(TenantExistsError):
        create(acme, release_of(), ALICE)
    offboard(acme, "acme", BOB)
    assert names(acme, layout.everything("acme")) == []


def test_what_a_dead_publish_left_is_neither_in_the_way_nor_served(acme):
    """Files under the next number are taken where they are the same, else passed over.

    What was passed over is deleted once no pointer can name it any more.
    """
    second, third = release_of(instructions="Be kind."), release_of(instructions="Be rude.")
    same = layout.revision("acme", 2, second.sha256, "instructions.md")
    other = layout.revision("acme", 3, third.sha256, "instructions.md")
    acme.write(same, b"Be kind.", expected=0)
    acme.write(other, b"Of another mind.", expected=0)
    assert served(acme) == "Be brief."

    publish(acme, second, ALICE)
    publish(acme, third, ALICE)

    assert [each.revision for each in history(acme, "acme")] == [4, 2, 1]
    assert served(acme) == "Be rude."
    assert acme.read(other) is None
    assert read_release(acme, "acme", 2).files == second.files


def test_order_comes_from_numbers_not_from_clocks(acme):
    """An operator whose clock is five minutes slow publishes after one whose clock is right."""
    late = attrs.evolve(BOB, now=NOW - 300)
    publish(acme, release_of(instructions="Be kind."), late)

    assert [each.revision for each in history(acme, "acme")] == [2, 1]
    assert served(acme) == "Be kind."
    assert rollback(acme, "acme", late).held.pointer.revision == 1


def test_audit_entries_of_one_second_are_all_kept(acme):
    """Twelve changes in one second are twelve entries, in their order."""
    for number in range(12):
        publish(acme, release_of(instructions=f"{number}"), ALICE)

    found = [each.details["revision"] for each in entries(acme, "acme")]

    assert found == [*range(1, 14)]
