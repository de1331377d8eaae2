"""Last good copies: what is kept of a tenant, and how much."""

import os

import attrs
import pytest

from tenants.keys import digest_of, new_key
from tenants.registry.copies import Copies
from tenants.registry.objects import Stored
from tenants.registry.standing import Standing
from tenants.registry.stored import Pointer, StoredKey, StoredKeys
from tenants.registry.stored_json import encode
from tenants.releases.loading import decode_keys
from tests.fakes.operator import release

RELEASE = release()
KEY = new_key("acme")


def stored_keys(generation: int, *, revoked: bool = False) -> Stored:
    """``keys.json`` with one key."""
    key = StoredKey("key_1", digest_of(KEY), "chat", 0, revoked_at=1 if revoked else None)
    return Stored(encode(StoredKeys((key,))), generation)


def standing(keys: Stored | None = None, pointer_generation: int = 1) -> Standing:
    """A tenant with these keys."""
    pointer = Pointer(1, RELEASE.sha256, "of other bytes", 0, "operator")
    tenant = attrs.evolve(RELEASE.compiled, keys=decode_keys("acme", keys))
    return Standing(pointer, pointer_generation, tenant, keys)


@pytest.fixture
def copies(tmp_path):
    """No copies so far."""
    return Copies(tmp_path, "gs://bucket", private_upstreams=frozenset())


def test_copy_is_what_was_in_force(copies):
    """Revision, keys and generations come back as they were."""
    before = standing(stored_keys(5))

    copies.write("acme", before)
    found = copies.read("acme")

    assert (found.pointer, found.keys, found.generations) == (before.pointer, before.keys, (1, 5))
    assert found.tenant.default.instructions == "Be brief."
    assert found.tenant.keys.find(KEY, now=0) is not None
    assert copies.read("globex") is None


def test_older_standing_never_replaces_a_newer_copy(copies):
    """What a slow thread has read before a revocation was seen does not bring the key back."""
    copies.write("acme", standing(stored_keys(6, revoked=True)))

    copies.write("acme", standing(stored_keys(5)))

    assert copies.read("acme").tenant.keys.find(KEY, now=0) is None


def test_successor_without_keys_replaces_the_copy_of_its_predecessor(copies):
    """Of a tenant that was offboarded no key comes back with a copy, once the next one was seen."""
    copies.write("acme", standing(stored_keys(6)))

    copies.write("acme", standing(None, pointer_generation=7))

    assert copies.read("acme").pointer_generation == 7
    assert copies.read("acme").tenant.keys.find(KEY, now=0) is None


def test_predecessor_never_replaces_the_copy_of_its_successor(copies):
    """Not even where the one that went had no keys."""
    copies.write("acme", standing(stored_keys(8), pointer_generation=7))

    copies.write("acme", standing(None))

    assert copies.read("acme").generations == (7, 8)


def test_copies_are_found_among_tenants_that_are_named(copies, tmp_path):
    """Whatever else a feed may name has none, wherever its name leads."""
    copies.write("acme", standing())
    (tmp_path / "outside.copy").write_text("planted")

    found = copies.among(["acme", "globex", "../outside", "ACME", "a\0b", ""])

    assert found == {"acme"}


def test_registries_do_not_share_copies(copies, tmp_path):
    """A tenant of one bucket is not served from the copy of another one's namesake."""
    copies.write("acme", standing())

    other = Copies(tmp_path, "gs://other", private_upstreams=frozenset())

    assert other.read("acme") is None


def test_write_that_fails_leaves_no_older_copy(copies, tmp_path, monkeypatch):
    """Where the newest cannot be kept, what it replaces is gone as well."""
    copies.write("acme", standing(stored_keys(5)))

    def full(*_args: object, **_options: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("tenants.registry.copies.tempfile.mkstemp", full)
    with pytest.raises(OSError, match="No space"):
        copies.write("acme", standing(stored_keys(6, revoked=True)))

    assert copies.read("acme") is None
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_copies_keep_within_their_room(tmp_path):
    """The oldest go first, but those of active tenants stay."""
    copies = Copies(tmp_path, "gs://bucket", private_upstreams=frozenset(), most_bytes=5_000)
    for number in range(10):
        copies.write(f"t{number}", standing())
        (path,) = tmp_path.glob(f"*/t{number}.copy")
        os.utime(path, (number, number))

    copies.prune(frozenset({"t0"}))

    left = {path.stem: path.stat().st_size for path in tmp_path.glob("*/*")}
    assert "t0" in left
    assert "t9" in left
    assert "t1" not in left
    assert sum(left.values()) <= 5_000
