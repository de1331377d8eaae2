"""Objects in a directory: links, locks, times, and what lies there that is no object."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tenants.registry.files import FileObjects
from tenants.registry.listing import fingerprints, list_tenants
from tenants.registry.objects import NEW, ObjectChangedError, ObjectsUnavailableError
from tenants.registry.patterns import Pattern

POINTER = "tenants/acme/current.json"
ROOT = Path(__file__).parents[2]
HOLDER = """
import sys
from pathlib import Path
from tenants.registry.renames import locked

with locked(Path(sys.argv[1]) / ".objects" / "lock", within_seconds=5):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def root(tmp_path):
    """A directory for a registry, beside another one."""
    root = tmp_path / "registry"
    root.mkdir()
    return root


@pytest.fixture
def objects(root):
    """An adapter that waits for no one for long."""
    return FileObjects(root, lock_seconds=0.2)


def names(objects, pattern):
    """What a listing shows."""
    return [listed.name for listed in objects.list(pattern)]


def test_tenants_lie_at_the_root(root, objects):
    """A person finds a tenant's files by its id, and the feed beside them."""
    objects.write(POINTER, b"{}", expected=NEW, labels={"revision": "1"})
    objects.write("changes.json", b"[]", expected=NEW)

    assert (root / "acme/current.json").read_bytes() == b"{}"
    assert (root / "changes.json").read_bytes() == b"[]"
    assert list_tenants(root) == {"acme"}


def test_file_of_a_person_is_an_object(root, objects):
    """What was put there by hand is read, listed, replaced and deleted as any other."""
    (root / "acme").mkdir()
    (root / "acme/current.json").write_bytes(b"by hand")

    stored = objects.read(POINTER)

    assert stored.content == b"by hand"
    assert [(listed.name, listed.labels) for listed in objects.list("**")] == [(POINTER, {})]
    with pytest.raises(ObjectChangedError):
        objects.write(POINTER, b"new", expected=NEW)
    objects.write(POINTER, b"new", expected=stored.generation)
    assert objects.changed(POINTER, stored.generation).content == b"new"


def test_copied_registry_keeps_its_labels(root, objects, tmp_path):
    """Labels belong to content, so a copy shows them though every file's time is another."""
    objects.write(POINTER, b"1", expected=NEW, labels={"revision": "1"})

    subprocess.run(["cp", "-r", root, tmp_path / "copy"], check=True)

    (listed,) = FileObjects(tmp_path / "copy").list(POINTER)
    assert listed.labels == {"revision": "1"}


def test_labels_of_other_content_are_not_shown(root, objects):
    """An object that a person has changed says nothing of what was published before."""
    objects.write(POINTER, b"1", expected=NEW, labels={"revision": "1"})

    (root / "acme/current.json").write_bytes(b"2")

    assert [listed.labels for listed in objects.list(POINTER)] == [{}]


def test_file_without_a_time_is_not_taken_for_none(root, objects):
    """Some tools set every file's time to zero; such an object exists nevertheless."""
    objects.write(POINTER, b"1", expected=NEW)
    os.utime(root / "acme/current.json", (0, 0))

    assert objects.read(POINTER).generation != NEW
    with pytest.raises(ObjectChangedError):
        objects.write(POINTER, b"2", expected=NEW)


def test_clock_that_goes_back_repeats_no_generation(root, objects):
    """After a writer whose clock was an hour ahead, generations go on from its own."""
    first = objects.write(POINTER, b"1", expected=NEW)
    ahead = time.time_ns() + 3_600_000_000_000
    os.utime(root / ".objects/lock", ns=(ahead, ahead))
    objects.delete(POINTER)

    second = objects.write(POINTER, b"1", expected=NEW)

    assert second > ahead > first
    assert objects.write(POINTER, b"1", expected=second) > second


def test_links_out_of_the_root_are_not_followed(root, objects, tmp_path):
    """Neither reads nor listings nor writes get to what lies beside the registry."""
    beside = tmp_path / "beside"
    beside.mkdir()
    (beside / "current.json").write_bytes(b"theirs")
    (root / "linked").symlink_to(beside)
    (root / "acme").mkdir()
    (root / "acme/current.json").symlink_to(beside / "current.json")
    (root / "acme/revisions").symlink_to(beside)
    (root / "changes.json").symlink_to(beside / "current.json")

    for name in ("tenants/linked/current.json", POINTER, "changes.json"):
        assert objects.read(name) is None
    assert names(objects, "**") == []
    for name in ("tenants/linked/current.json", "tenants/acme/revisions/1-a/tenant.toml"):
        with pytest.raises(ObjectsUnavailableError, match="a link leads out of it"):
            objects.write(name, b"mine", expected=None)
        with pytest.raises(ObjectsUnavailableError, match="a link leads out of it"):
            objects.delete(name)

    (root / ".objects").rename(root / ".moved")
    (root / ".objects").symlink_to(beside)
    with pytest.raises(ObjectsUnavailableError, match="a link leads out of it"):
        objects.write(POINTER, b"mine", expected=NEW)
    (root / ".objects").unlink()

    objects.write(POINTER, b"mine", expected=NEW)
    assert (beside / "current.json").read_bytes() == b"theirs"
    assert objects.read(POINTER).content == b"mine"
    assert sorted(path.name for path in beside.iterdir()) == ["current.json"]


def test_links_in_a_circle_end(root, objects):
    """A directory that holds itself is listed once, and a link to itself is nothing."""
    (root / "acme").mkdir()
    (root / "acme/again").symlink_to(root / "acme")
    for link in ("self", "acme/self", "self.json"):
        (root / link).symlink_to(root / link)
    objects.write(POINTER, b"1", expected=NEW)

    assert names(objects, "**") == [POINTER]
    assert objects.read("tenants/acme/self") is None
    with pytest.raises(ObjectsUnavailableError):
        objects.write("tenants/self/current.json", b"1", expected=NEW)


def test_what_is_no_file_is_no_object(root, objects):
    """Directories and pipes are passed over, and reading a pipe does not wait for a writer."""
    (root / "acme/current.json").mkdir(parents=True)
    os.mkfifo(root / "acme/pipe")

    assert objects.read(POINTER) is None
    assert objects.read("tenants/acme/pipe") is None
    assert names(objects, "**") == []
    with pytest.raises(ObjectsUnavailableError, match="directory"):
        objects.write(POINTER, b"1", expected=None)


def test_what_is_below_a_file_is_not_there(objects):
    """A directory cannot hold a name below another one's; a bucket could."""
    objects.write("tenants/acme/a", b"", expected=NEW)

    assert objects.read("tenants/acme/a/b") is None
    objects.delete("tenants/acme/a/b")
    with pytest.raises(ObjectsUnavailableError):
        objects.write("tenants/acme/a/b", b"", expected=NEW)


@pytest.mark.parametrize(
    "name", ["tenants/acme", "acme/current.json", ".objects", "tenants/.git/x"]
)
def test_names_outside_of_the_layout_are_refused(objects, name):
    """No name leads to the adapter's own files, or to a place that another name has."""
    with pytest.raises(ValueError, match="no name of a registry's object"):
        objects.read(name)


def test_own_files_are_nobodys(root, objects):
    """Lock, labels and what a killed writer left are no objects, no tenants, and no changes."""
    objects.write(POINTER, b"1", expected=NEW, labels={"revision": "1"})
    before = fingerprints(root)
    (root / ".objects/writing").write_bytes(b"half of")

    assert names(objects, "**") == [POINTER]
    assert list_tenants(root) == {"acme"}
    assert fingerprints(root) == before
    objects.write("tenants/globex/current.json", b"2", expected=NEW)
    assert objects.read("tenants/globex/current.json").content == b"2"


def test_offboarded_tenant_leaves_no_directory(root, objects):
    """With its last object a tenant's directory goes, so that nobody takes it for a tenant."""
    for name in (POINTER, "tenants/acme/revisions/1-a/tenant.toml", "tenants/globex/keys.json"):
        objects.write(name, b"", expected=NEW, labels={"a": "b"})

    for listed in list(objects.list("tenants/acme/**")):
        objects.delete(listed.name)

    assert list_tenants(root) == {"globex"}
    assert not (root / ".objects/labels/acme").exists()


def test_lock_that_is_held_is_told_and_dies_with_its_holder(root, objects):
    """A write waits a while for another process, says what to do, and goes on after its death."""
    command = [sys.executable, "-c", HOLDER, str(root)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen(command, cwd=ROOT, **pipes) as holder:
        assert holder.stdout.readline() == b"held\n"
        with pytest.raises(ObjectsUnavailableError, match="another process holds its lock"):
            objects.write(POINTER, b"1", expected=NEW)
        assert objects.read(POINTER) is None
        holder.kill()

    objects.write(POINTER, b"1", expected=NEW)
    assert objects.read(POINTER).content == b"1"


@pytest.mark.parametrize("what", ["nothing", "a file"])
def test_root_that_is_none_is_told(tmp_path, what):
    """Without its directory nothing is known of any object, and nothing is made by mistake."""
    root = tmp_path / "missing"
    if what == "a file":
        root.write_text("")
    objects = FileObjects(root)

    for use in (
        lambda: objects.read(POINTER),
        lambda: objects.changed(POINTER, 1),
        lambda: objects.write(POINTER, b"", expected=NEW),
        lambda: objects.delete(POINTER),
        lambda: list(objects.list("**")),
    ):
        with pytest.raises(ObjectsUnavailableError, match=r"missing.*: (make|name)"):
            use()
    assert root.is_file() == (what == "a file")


PARTS = st.text("ab-", min_size=1, max_size=2)
NAMES = st.lists(PARTS, min_size=1, max_size=3).map(
    lambda parts: "/".join(["tenants", "t", *parts])
)
PATTERNS = st.lists(
    st.sampled_from(["tenants", "t", "a", "b", "*", "**", "a*", "*b", "a**"]), max_size=5
).map("/".join)


@settings(deadline=None, max_examples=60)
@given(written=st.sets(NAMES, max_size=6), pattern=PATTERNS)
def test_listing_looks_into_every_directory_that_may_match(tmp_path_factory, written, pattern):
    """What it does not look into holds nothing that matches."""
    objects = FileObjects(tmp_path_factory.mktemp("registry"))
    above = {name for name in written if any(each.startswith(f"{name}/") for each in written)}
    for name in written - above:
        objects.write(name, b"", expected=NEW)

    wanted = sorted(name for name in written - above if Pattern(pattern).matches(name))

    assert names(objects, pattern) == wanted
