"""A tenant's API keys in the registry: issued, rotated, revoked, by several operators at once."""

import json
from functools import partial

import attrs
import pytest

from tenants.errors import BrokenObjectError, UnknownTenantError
from tenants.keys import tenant_of
from tenants.registry import layout
from tenants.registry.stored import StoredKey, StoredKeys
from tenants.registry.stored_json import encode
from tenants.releases.audit import entries
from tenants.releases.errors import TooManyKeysError, UnknownKeyError
from tenants.releases.keyrings import (
    MOST_KEYS,
    MOST_LIVE_KEYS,
    issue,
    keys,
    revoke,
    rotate,
)
from tenants.releases.loading import load
from tenants.releases.publishing import create
from tests.fakes.releases import ALICE, BOB, NOW, at_once, release_of

pytest_plugins = ("tests.fakes.object_fixtures",)

HOUR = 3_600


@pytest.fixture
def acme(objects):
    """A registry with the tenant ``acme``."""
    create(objects, release_of(), ALICE)
    return objects


def opens(objects, text, now):
    """The scopes that a key opens at a time; None: it opens nothing."""
    found = load(objects, "acme", private_upstreams=frozenset()).tenant.keys.find(text, now)
    return found and found.scopes


def announced(objects):
    """What the feed says of the tenant's keys."""
    return [
        each["what"]
        for each in json.loads(objects.read(layout.CHANGES).content)["entries"]
        if each["what"].startswith("keys.")
    ]


def test_issued_key_opens_its_scopes_and_is_kept_as_a_hash(acme):
    """The text is given once; the registry, the audit and a printed value hold none of it."""
    issued = issue(acme, "acme", ["chat", "history"], ALICE)

    written = b"".join(acme.read(each.name).content for each in acme.list("**"))
    assert tenant_of(issued.text) == "acme"
    assert opens(acme, issued.text, NOW) == {"chat", "history"}
    assert issued.text[:-7].encode() not in written
    assert issued.text not in repr(issued)
    assert issued.record == keys(acme, "acme")[0]
    assert (issued.record.created_at, issued.record.note) == (NOW, "as agreed")
    assert announced(acme) == ["keys.issue"]


def test_key_expires_to_the_second(acme):
    """It opens until the second before, and nothing from then on."""
    issued = issue(acme, "acme", ["chat"], ALICE, expires_at=NOW + HOUR)

    assert opens(acme, issued.text, NOW + HOUR - 1) == {"chat"}
    assert opens(acme, issued.text, NOW + HOUR) is None


def test_rotated_key_lives_on_for_the_overlap_alone(acme):
    """Both keys open the same until the overlap ends; then the new one alone."""
    old = issue(acme, "acme", ["chat", "manage"], ALICE)

    new = rotate(acme, "acme", old.record.id, BOB, overlap_seconds=HOUR)

    assert new.text != old.text
    assert opens(acme, old.text, BOB.now + HOUR - 1) == {"chat", "manage"}
    assert opens(acme, old.text, BOB.now + HOUR) is None
    assert opens(acme, new.text, BOB.now + 365 * 24 * HOUR) == {"chat", "manage"}
    assert [each.note for each in keys(acme, "acme")] == ["as agreed", "as agreed"]


def test_rotation_never_lengthens_a_life(acme):
    """A key that was to expire within the overlap still does."""
    old = issue(acme, "acme", ["chat"], ALICE, expires_at=NOW + HOUR)

    rotate(acme, "acme", old.record.id, ALICE, overlap_seconds=24 * HOUR)

    assert opens(acme, old.text, NOW + HOUR) is None


@pytest.mark.parametrize("minutes", [-5, 0, 5])
def test_revoked_key_is_dead_whatever_the_clocks_say(acme, minutes):
    """The operator's clock may be ahead of the gateway's: the key opens nothing all the same."""
    issued = issue(acme, "acme", ["chat"], ALICE)
    other = issue(acme, "acme", ["chat"], ALICE)

    revoke(acme, "acme", issued.record.id, attrs.evolve(BOB, now=NOW + minutes * 60))

    assert opens(acme, issued.text, NOW) is None
    assert opens(acme, other.text, NOW) == {"chat"}
    assert announced(acme)[-1] == "keys.revoke"


def test_revoking_again_changes_nothing_and_is_announced_again(acme):
    """Whoever is not sure whether the first time was told may ask twice."""
    issued = issue(acme, "acme", ["chat"], ALICE)
    first = revoke(acme, "acme", issued.record.id, ALICE)

    second = revoke(acme, "acme", issued.record.id, BOB)

    assert second == first
    assert announced(acme) == ["keys.issue", "keys.revoke", "keys.revoke"]
    assert [each.action for each in entries(acme, "acme")].count("keys.revoke") == 1


def test_changes_at_once_all_land(acme):
    """Operators who issue, rotate and revoke together lose none of each other's changes."""
    rotated, revoked = (issue(acme, "acme", ["chat"], ALICE) for _ in range(2))
    works = [partial(issue, acme, "acme", ["history"], BOB) for _ in range(4)]
    works += [
        partial(rotate, acme, "acme", rotated.record.id, BOB, overlap_seconds=HOUR),
        partial(revoke, acme, "acme", revoked.record.id, BOB),
    ]

    outcomes = at_once(works)

    assert not [each for each in outcomes if isinstance(each, Exception)]
    assert [opens(acme, each.text, BOB.now) for each in outcomes[:5]] == [{"history"}] * 4 + [
        {"chat"}
    ]
    assert opens(acme, revoked.text, BOB.now) is None
    assert opens(acme, rotated.text, BOB.now + HOUR) is None
    assert len(keys(acme, "acme")) == 7
    assert len(announced(acme)) == 8


def test_audit_has_each_change_of_keys_and_no_secret(acme):
    """Who issued, rotated and revoked which key can be read back."""
    old = issue(acme, "acme", ["chat"], ALICE)
    new = rotate(acme, "acme", old.record.id, BOB, overlap_seconds=0)
    revoke(acme, "acme", new.record.id, BOB)

    found = [(each.by, each.action, each.details) for each in entries(acme, "acme")][1:]

    assert found == [
        ("alice", "keys.issue", {"key_id": old.record.id, "scope": "chat", "note": "as agreed"}),
        ("bob", "keys.rotate", {"key_id": old.record.id, "new_key_id": new.record.id}),
        ("bob", "keys.revoke", {"key_id": new.record.id}),
    ]


def test_keys_of_a_tenant_in_working_form_can_be_issued(objects):
    """A developer tries keys before anything is published."""
    objects.write("tenants/acme/tenant.toml", b"", expected=0)

    issue(objects, "acme", ["chat"], ALICE)

    assert len(keys(objects, "acme")) == 1


def test_only_live_keys_are_rotated_and_known_ones_revoked(acme):
    """A mistyped id, and a key that is dead, are refused; nothing is written."""
    dead = issue(acme, "acme", ["chat"], ALICE, expires_at=NOW + 1)
    revoked = issue(acme, "acme", ["chat"], ALICE)
    revoke(acme, "acme", revoked.record.id, ALICE)
    before = [each.name for each in acme.list("**")]

    for key_id in (dead.record.id, revoked.record.id, "key_nobody"):
        with pytest.raises(UnknownKeyError):
            rotate(acme, "acme", key_id, BOB, overlap_seconds=HOUR)
    with pytest.raises(UnknownKeyError):
        revoke(acme, "acme", "key_nobody", BOB)
    with pytest.raises(UnknownTenantError):
        issue(acme, "nobody", ["chat"], BOB)

    assert [each.name for each in acme.list("**")] == before


def test_live_keys_are_bounded_and_dead_ones_forgotten(acme):
    """A tenant has at most a hundred live keys; the oldest dead ones make room."""
    dead = [StoredKey(f"dead_{n}", "0" * 64, "chat", n, n + 1) for n in range(MOST_KEYS)]
    live = [StoredKey(f"live_{n}", "0" * 64, "chat", n) for n in range(MOST_LIVE_KEYS - 1)]
    mixed = StoredKeys((*dead[: MOST_KEYS // 2], *live, *dead[MOST_KEYS // 2 :]))
    acme.write(layout.keys("acme"), encode(mixed), expected=0)

    last = issue(acme, "acme", ["chat"], ALICE)

    found = [each.id for each in keys(acme, "acme")]
    assert len(found) == MOST_KEYS
    assert found[-1] == last.record.id
    assert {each.id for each in live} < {*found}
    assert dead[-1].id in found
    assert dead[0].id not in found
    with pytest.raises(TooManyKeysError):
        issue(acme, "acme", ["chat"], ALICE)


def test_few_dead_keys_are_all_kept(acme):
    """Nothing is forgotten before there are too many."""
    issued = [issue(acme, "acme", ["chat"], ALICE, expires_at=NOW + 1) for _ in range(5)]

    issue(acme, "acme", ["chat"], BOB)

    assert [each.id for each in keys(acme, "acme")][:5] == [each.record.id for each in issued]


def test_broken_keys_are_never_written_over(acme):
    """What cannot be read is refused, not replaced by an empty ring."""
    acme.write(layout.keys("acme"), b"{", expected=0)

    with pytest.raises(BrokenObjectError):
        issue(acme, "acme", ["chat"], ALICE)
    assert acme.read(layout.keys("acme")).content == b"{"


def test_scope_of_a_newer_program_opens_nothing_here(acme):
    """A key with an unknown scope keeps those that are known."""
    issued = issue(acme, "acme", ["chat"], ALICE)
    stored = attrs.evolve(issued.record, scope="chat audit")
    acme.write(layout.keys("acme"), encode(StoredKeys((stored,))), expected=None)

    assert opens(acme, issued.text, NOW) == {"chat"}
