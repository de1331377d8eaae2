"""A tenant whose pointer is lost or makes no sense: put in force again, or taken away."""

from functools import partial

import attrs
import pytest

from tenants.errors import BrokenObjectError, UnknownTenantError
from tenants.registry import layout
from tenants.releases.errors import (
    PublishConflictError,
    UnknownRevisionError,
    WorkingFormError,
)
from tenants.releases.keyrings import issue, keys
from tenants.releases.offboarding import clear, offboard, remains
from tenants.releases.pointers import LONGEST_TEXT, Intent
from tenants.releases.publishing import create, publish
from tenants.releases.reading import history, show
from tenants.releases.switching import known, resume, rollback, suspend
from tests.fakes.objects import Meddled
from tests.fakes.releases import ALICE, BOB, NOW, release_of, served

pytest_plugins = ("tests.fakes.object_fixtures",)
POINTER = layout.pointer("acme")


@pytest.fixture
def acme(objects):
    """A registry with ``acme`` in two revisions, by two operators."""
    create(objects, release_of(), ALICE)
    publish(objects, release_of(instructions="Be kind."), BOB)
    return objects


def lose(objects):
    """Delete the pointer."""
    objects.delete(POINTER)


def break_(objects):
    """Write over the pointer what makes no sense."""
    objects.write(POINTER, b'{"revision": "2"}', expected=None)


either = pytest.mark.parametrize("damage", [lose, break_])


@either
def test_number_restores_a_pointer_that_cannot_be_read(acme, damage):
    """The revision is in force again, with the history that it had, and so is what follows."""
    issued = issue(acme, "acme", ["chat"], ALICE)
    before = history(acme, "acme")
    damage(acme)

    restored = rollback(acme, "acme", BOB, to=1)

    assert restored.changed
    assert served(acme) == "Be brief."
    assert history(acme, "acme") == before
    assert [each.id for each in keys(acme, "acme")] == [issued.record.id]
    publish(acme, release_of(instructions="Next."), ALICE)
    assert [each.revision for each in history(acme, "acme")] == [3, 2, 1]
    assert served(acme) == "Next."


@either
def test_without_a_number_nothing_is_guessed(acme, damage):
    """Nobody knows which revision was in force, so nobody says which was before it."""
    damage(acme)

    with pytest.raises((BrokenObjectError, UnknownTenantError)):
        rollback(acme, "acme", BOB)
    with pytest.raises(UnknownRevisionError):
        rollback(acme, "acme", BOB, to=3)
    assert served_or_broken(acme) is None


def served_or_broken(objects):
    """What requests would get of a tenant that may be broken."""
    try:
        return served(objects)
    except BrokenObjectError:
        return None


@either
@pytest.mark.parametrize(
    ("switches", "suspended"),
    [
        ((), False),
        ((suspend,), True),
        ((suspend, resume), False),
        ((suspend, resume, suspend), True),
    ],
)
def test_restored_tenant_is_as_suspended_as_it_was(acme, damage, switches, suspended):
    """A tenant that was switched off is not switched on by mending its pointer."""
    for number, switch in enumerate(switches):
        switch(acme, "acme", attrs.evolve(ALICE, now=NOW + 100 + number))
    damage(acme)

    rollback(acme, "acme", BOB, to=2)

    assert show(acme, "acme").pointer.suspended is suspended


def test_resumption_that_was_refused_switches_nothing_on(acme):
    """The audit has it, and what it says did not happen."""
    suspend(acme, "acme", ALICE)
    overtaking = partial(rollback, acme, "acme", ALICE, to=1)
    with pytest.raises(PublishConflictError):
        resume(Meddled(acme, POINTER, overtaking), "acme", BOB)
    break_(acme)

    rollback(acme, "acme", BOB, to=1)

    assert show(acme, "acme").pointer.suspended


def test_of_two_revisions_under_one_number_the_published_one_is_restored(acme):
    """What a dead or refused publish left is not taken for what was in force."""
    third = release_of(instructions="Be rude.")
    overtaking = partial(publish, acme, third, ALICE)
    left = Meddled(acme, POINTER, lambda: (overtaking(), acme.write(dead, b"{}", expected=0)))
    dead = layout.revision("acme", 3, "f" * 64, "compiled.json")
    with pytest.raises(PublishConflictError):
        publish(left, release_of(instructions="Mine."), BOB)
    acme.write(dead, b"{}", expected=None)
    break_(acme)

    rollback(acme, "acme", BOB, to=3)

    assert served(acme) == "Be rude."
    assert [each.revision for each in history(acme, "acme")] == [3, 2, 1]


def test_broken_audit_and_broken_revisions_are_passed_over(acme):
    """What is whole can be restored, whatever else is not."""
    for listed in [*acme.list(layout.audits("acme"))]:
        acme.write(listed.name, b"{", expected=None)
    second = known(acme, "acme", 2).pointer
    acme.write(layout.revision("acme", 2, second.sha256, "compiled.json"), b"{", expected=None)
    break_(acme)

    rollback(acme, "acme", BOB, to=1)

    assert [each.revision for each in history(acme, "acme")] == [1]
    assert served(acme) == "Be brief."


def test_operator_who_saw_another_pointer_restores_nothing(acme):
    """Somebody mended it meanwhile: what they chose stays."""
    break_(acme)
    seen = attrs.evolve(BOB, expected=known(acme, "acme", 1).generation)
    rollback(acme, "acme", ALICE, to=2)

    with pytest.raises(PublishConflictError):
        rollback(acme, "acme", seen, to=1)
    assert served(acme) == "Be kind."


def test_pointer_that_is_lost_beside_a_working_form_is_restored(acme):
    """A directory that one works on keeps the way back to what was published from it."""
    acme.write("tenants/acme/tenant.toml", b"", expected=0)
    acme.write("tenants/beta/tenant.toml", b"", expected=0)
    lose(acme)

    rollback(acme, "acme", BOB, to=1)

    assert served(acme) == "Be brief."
    with pytest.raises(WorkingFormError):
        rollback(acme, "beta", BOB, to=1)


def test_names_and_notes_are_bounded():
    """They are kept with each of 500 revisions, and read at each cold load."""
    Intent("b" * LONGEST_TEXT, NOW, "n" * LONGEST_TEXT)

    for too_long in (("b" * (LONGEST_TEXT + 1), NOW), ("b", NOW, "n" * (LONGEST_TEXT + 1))):
        with pytest.raises(ValueError, match=str(LONGEST_TEXT)):
            Intent(*too_long)


@pytest.mark.parametrize("tenant_id", ["nobody", "..", "ACME", ""])
def test_what_never_was_is_not_restored(acme, tenant_id):
    """A number makes no tenant."""
    with pytest.raises(UnknownTenantError):
        rollback(acme, tenant_id, BOB, to=1)


@either
def test_tenant_without_a_pointer_can_be_taken_away(acme, damage):
    """All of it goes, and another one may have the id."""
    issue(acme, "acme", ["chat"], ALICE)
    damage(acme)
    assert remains(acme, "acme")

    clear(acme, "acme", BOB)

    assert [*acme.list(layout.everything("acme"))] == []
    assert not remains(acme, "acme")
    create(acme, release_of(), ALICE)
    assert keys(acme, "acme") == ()


def test_only_what_has_no_pointer_is_cleared(acme):
    """A tenant that is there is offboarded, or left alone."""
    for tenant_id in ("acme", "nobody", "..", "ACME"):
        assert not remains(acme, tenant_id)
        with pytest.raises(UnknownTenantError):
            clear(acme, tenant_id, BOB)
    assert served(acme) == "Be kind."


def test_tenant_that_is_made_just_then_is_not_cleared(acme):
    """Whoever creates one of that id first has it; who clears is told."""
    offboard(acme, "acme", ALICE)
    acme.write(layout.keys("acme"), b'{"keys":[]}', expected=0)
    meddled = Meddled(acme, POINTER, partial(create, acme, release_of(), ALICE))

    with pytest.raises(PublishConflictError):
        clear(meddled, "acme", BOB)
    assert served(acme) == "Be brief."
