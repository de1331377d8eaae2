"""The port of objects, on every adapter: one suite for directories and for buckets."""

import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import attrs
import pytest

from tenants.registry.files import FileObjects
from tenants.registry.gcs import GcsObjects
from tenants.registry.gcs_calls import Patience
from tenants.registry.objects import NEW, ObjectChangedError, Objects
from tests.fakes.gcs import fake_gcs
from tests.fakes.gcs_go import fake_gcs_server, make_bucket

POINTER = "tenants/acme/current.json"
PATIENCE = Patience(total_seconds=30, first_wait_seconds=0.01, longest_wait_seconds=0.1)
ROOT = Path(__file__).parents[2]


@attrs.frozen
class Place:
    """Where a registry may be kept.

    Args:
        open: makes an adapter, as another process would.
        text: what an operator calls it.
        emulator: the server in Google's place, or nothing.
    """

    open: Callable[[], Objects]
    text: str
    emulator: str = ""


@pytest.fixture(scope="module")
def go_server(require_program):
    """The URL of fake-gcs-server."""
    with fake_gcs_server(require_program("fake-gcs-server")) as url:
        yield url


@pytest.fixture(params=["directory", "bucket", "bucket of fake-gcs-server"])
def place(request, tmp_path):
    """A place without objects, on each adapter."""
    if request.param == "directory":
        yield Place(lambda: FileObjects(tmp_path, lock_seconds=30), f"dir:{tmp_path}")
    elif request.param == "bucket":
        with fake_gcs("tenants") as gcs:
            yield _bucket("tenants", gcs.url)
    else:
        url = request.getfixturevalue("go_server")
        name = f"tenants-{abs(hash(tmp_path))}"
        make_bucket(url, name)
        yield _bucket(name, url)


def _bucket(name: str, url: str) -> Place:
    return Place(
        lambda: GcsObjects(name, "production", emulator=url, patience=PATIENCE),
        f"gs://{name}/production",
        url,
    )


@pytest.fixture
def objects(place):
    """An adapter of the place."""
    return place.open()


def at_once(count: int, work: Callable[[int], object]) -> list[object]:
    """What so many threads return that begin together; None for one that lost."""
    barrier = threading.Barrier(count)
    results: list[object] = [None] * count

    def run(number: int) -> None:
        barrier.wait()
        try:
            results[number] = work(number)
        except ObjectChangedError:
            results[number] = None

    threads = [threading.Thread(target=run, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def names(objects: Objects, pattern: str) -> list[str]:
    """What a listing shows."""
    return [listed.name for listed in objects.list(pattern)]


def test_object_is_read_as_it_was_written(objects):
    """Content and the generation that the write returned come back together."""
    generation = objects.write(POINTER, b'{"revision": 1}', expected=NEW)

    stored = objects.read(POINTER)

    assert (stored.content, stored.generation) == (b'{"revision": 1}', generation)
    assert generation != NEW


def test_what_is_not_there_is_none(objects):
    """A missing object is no error, however one asks for it."""
    generation = objects.write("changes.json", b"{}", expected=NEW)

    assert objects.read(POINTER) is None
    assert objects.changed(POINTER, NEW) is None
    assert objects.changed(POINTER, generation) is None


def test_only_one_of_eight_creates_an_object(place):
    """Who creates at the same time as others wins alone, and its content is what stays."""
    writers = [place.open() for _ in range(8)]
    for each in range(3):
        name = f"tenants/acme/revisions/{each}-abc/compiled.json"

        won = at_once(8, lambda n, name=name: writers[n].write(name, b"%d" % n, expected=NEW))

        (winner,) = [number for number, generation in enumerate(won) if generation is not None]
        stored = writers[0].read(name)
        assert (stored.content, stored.generation) == (b"%d" % winner, won[winner])


def test_no_update_is_lost_between_eight_writers(place):
    """Eight writers who each add three to a number by compare-and-swap end at twenty-four."""
    place.open().write("changes.json", b"0", expected=NEW)

    def add(_: int) -> None:
        objects = place.open()
        for _ in range(3):
            while True:
                stored = objects.read("changes.json")
                content = b"%d" % (int(stored.content) + 1)
                try:
                    objects.write("changes.json", content, expected=stored.generation)
                    break
                except ObjectChangedError:
                    continue

    at_once(8, add)

    assert place.open().read("changes.json").content == b"24"


def test_stale_generation_is_refused(objects):
    """A write that expects a generation of before changes nothing, and says of which object."""
    stale = objects.write(POINTER, b"1", expected=NEW)
    objects.write(POINTER, b"2", expected=stale, labels={"revision": "2"})

    for expected in (stale, NEW, stale - 1):
        with pytest.raises(ObjectChangedError) as refused:
            objects.write(POINTER, b"3", expected=expected)
        assert refused.value.name == POINTER

    assert objects.read(POINTER).content == b"2"
    assert [listed.labels for listed in objects.list(POINTER)] == [{"revision": "2"}]


def test_deleted_object_is_not_replaced(objects):
    """Who expects a generation of an object that has been deleted is refused."""
    generation = objects.write(POINTER, b"1", expected=NEW)
    objects.delete(POINTER)

    with pytest.raises(ObjectChangedError):
        objects.write(POINTER, b"2", expected=generation)

    assert objects.read(POINTER) is None


def test_write_without_expectation_writes_over_anything(objects):
    """It creates an object, and it replaces one."""
    first = objects.write(POINTER, b"1", expected=None)
    second = objects.write(POINTER, b"2", expected=None)

    stored = objects.read(POINTER)

    assert (stored.content, stored.generation) == (b"2", second)
    assert first != second


def test_generations_do_not_come_twice(objects):
    """Neither the same content nor a deletion brings an old generation back."""
    seen = set()
    for _ in range(5):
        seen.add(first := objects.write(POINTER, b"same", expected=NEW))
        seen.add(objects.write(POINTER, b"same", expected=first))
        objects.delete(POINTER)

    assert len(seen) == 10


def test_changed_object_is_read_and_an_unchanged_one_is_not(objects):
    """A conditional read brings content and generation of what is newer, and nothing else."""
    first = objects.write(POINTER, b"1", expected=NEW)
    assert objects.changed(POINTER, first) is None
    second = objects.write(POINTER, b"1", expected=first)

    changed = objects.changed(POINTER, first)

    assert (changed.content, changed.generation) == (b"1", second)
    assert objects.changed(POINTER, NEW) == changed
    objects.delete(POINTER)
    assert objects.changed(POINTER, second) is None


def test_labels_are_listed_and_go_with_their_content(objects):
    """A listing shows the labels of the newest write, and none where it gave none."""
    labels = {"name": "Äcme & Söhne ☕", "revision": "1", "note": ""}
    first = objects.write(POINTER, b"1", expected=NEW, labels=labels)
    (listed,) = objects.list("tenants/*/current.json")
    assert (listed.name, listed.generation, listed.labels) == (POINTER, first, labels)

    second = objects.write(POINTER, b"1", expected=first, labels={"revision": "2"})
    (listed,) = objects.list(POINTER)
    assert (listed.generation, listed.labels) == (second, {"revision": "2"})

    objects.write(POINTER, b"1", expected=second)
    assert [listed.labels for listed in objects.list(POINTER)] == [{}]


def test_patterns_choose_what_is_listed(objects):
    """A star stands for anything within a level, two stars for anything; names come in order."""
    kept = sorted(
        [
            "changes.json",
            "tenants/a/current.json",
            "tenants/a/keys.json",
            "tenants/a/revisions/1-0/tenant.toml",
            "tenants/a/revisions/1-0/knowledge/deep/one.md",
            "tenants/a-b/current.json",
            "tenants/a0/current.json",
            "tenants/a/audit/1-1.json",
            "tenants/b/revisions/current.json",
        ]
    )
    for name in reversed(kept):
        objects.write(name, b"", expected=NEW)
    chosen = {
        "tenants/*/current.json": [
            "tenants/a-b/current.json",
            "tenants/a/current.json",
            "tenants/a0/current.json",
        ],
        "tenants/a/**": [name for name in kept if name.startswith("tenants/a/")],
        "tenants/a*/current.json": [
            "tenants/a-b/current.json",
            "tenants/a/current.json",
            "tenants/a0/current.json",
        ],
        "tenants/a/*": ["tenants/a/current.json", "tenants/a/keys.json"],
        "tenants/a/revisions/1-*/tenant.toml": ["tenants/a/revisions/1-0/tenant.toml"],
        "tenants/**/one.md": ["tenants/a/revisions/1-0/knowledge/deep/one.md"],
        "changes.json": ["changes.json"],
        "*": ["changes.json"],
        "**": kept,
        "tenants/c/**": [],
        "tenants/a": [],
        "tenants/a/": [],
    }

    assert {pattern: names(objects, pattern) for pattern in chosen} == chosen


@pytest.mark.parametrize(
    "file",
    [
        "with space.md",
        "Überblick — Größe.md",
        "100%25 + 50%.md",
        "a?b#c&d=e;f,g.md",
        "quote'\"`.md",
        "[a-z]{1,2}!.md",
        "back\\slash.md",
        "…",
        "日本語/😀.md",
        ".hidden",
        "-dash",
    ],
)
def test_names_may_be_odd(objects, file):
    """What a knowledge file is called does not matter, and it is not taken for another."""
    name = f"tenants/acme/revisions/1-abc/knowledge/{file}"
    generation = objects.write(name, file.encode(), expected=NEW, labels={"n": file})

    assert objects.read(name).content == file.encode()
    assert objects.changed(name, generation) is None
    assert names(objects, name) == [name]
    assert names(objects, "tenants/acme/**") == [name]
    objects.delete(name)
    assert objects.read(name) is None


@pytest.mark.parametrize(
    "name",
    ["", "/", "/etc/passwd", "tenants/../x/y", "tenants/./x", "tenants//x", "a/", "a\nb", "a\0b"],
)
def test_names_that_lead_elsewhere_are_refused(objects, name):
    """They are a mistake of the program, on every adapter alike."""
    for use in (
        objects.read,
        objects.delete,
        lambda name: objects.changed(name, 1),
        lambda name: objects.write(name, b"", expected=None),
    ):
        with pytest.raises(ValueError, match="no name of an object"):
            use(name)

    assert names(objects, "**") == []


def test_deleted_object_leaves_nothing(objects):
    """It is gone from reads and listings, with its labels; deleting it again is fine."""
    objects.write(POINTER, b"1", expected=NEW, labels={"revision": "1"})
    objects.write("tenants/acme/keys.json", b"{}", expected=NEW)

    objects.delete(POINTER)
    objects.delete(POINTER)

    assert objects.read(POINTER) is None
    assert names(objects, "**") == ["tenants/acme/keys.json"]
    objects.write(POINTER, b"1", expected=NEW)
    assert [listed.labels for listed in objects.list(POINTER)] == [{}]


@pytest.mark.parametrize("size", [0, 1, 9 * 1024 * 1024 + 1])
def test_content_is_whole_whatever_its_size(objects, size):
    """An empty object and one too large for a single upload come back byte by byte."""
    content = (bytes(range(256)) * (size // 256 + 1))[:size]
    name = "tenants/acme/revisions/1-abc/knowledge/manual.pdf"

    first = objects.write(name, content, expected=NEW)
    with pytest.raises(ObjectChangedError):
        objects.write(name, content + b"!", expected=NEW)

    assert objects.read(name).content == content
    assert objects.changed(name, first) is None


def test_killed_writer_leaves_whole_objects(place):
    """At whatever instant it dies: content and labels are of one write, and others go on."""
    objects = place.open()
    for round_ in range(3):
        program = [sys.executable, "-m", "tests.fakes.objects_writer"]
        command = [*program, place.text, place.emulator, POINTER]
        with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=ROOT) as writer:
            for _ in range(3 + round_):
                assert writer.stdout.readline()
            writer.send_signal(signal.SIGKILL)

        stored = objects.read(POINTER)
        (listed,) = objects.list("**")
        assert stored.content == stored.content[:1] * len(stored.content)
        assert listed.labels == {"letter": stored.content[:1].decode()}
        objects.write(POINTER, b"mine", expected=stored.generation)
