"""The change feed: numbers without a gap, bounded, written in batches, mended when broken."""

from functools import partial

import pytest

from tenants.registry import layout
from tenants.registry.files import FileObjects
from tenants.registry.objects import ObjectChangedError, ObjectsUnavailableError
from tenants.registry.stored import Change, Changes
from tenants.registry.stored_json import decode, encode
from tenants.releases.contention import tries
from tenants.releases.errors import UnannouncedError
from tenants.releases.feed import MOST_ENTRIES, MOST_NAMES, Batch, announce
from tests.fakes.releases import NOW, at_once


@pytest.fixture
def objects(tmp_path):
    """An empty registry."""
    return FileObjects(tmp_path)


def feed(objects) -> Changes:
    """The feed as readers see it."""
    return decode(objects.read(layout.CHANGES).content, Changes, layout.CHANGES)


class Counted:
    """A registry that counts its writes."""

    def __init__(self, objects):
        self._objects = objects
        self.read = objects.read
        self.writes = 0

    def write(self, *args, **kwargs):
        """Write, and count."""
        self.writes += 1
        return self._objects.write(*args, **kwargs)


def test_all_who_announce_at_once_are_in_the_feed(objects):
    """Each change has a number of its own, without a gap."""
    works = [partial(announce, objects, (f"t{number}",), "publish", NOW) for number in range(16)]

    numbers = at_once(works)

    assert sorted(numbers) == [*range(1, 17)]
    changes = feed(objects)
    assert [each.sequence for each in changes.entries] == [*range(1, 17)]
    assert changes.sequence == 16
    told = {each.tenants[0]: each.sequence for each in changes.entries}
    assert [told[f"t{number}"] for number in range(16)] == numbers


def test_feed_keeps_the_newest_changes(objects):
    """What is older than a thousand changes is forgotten, and the numbers go on."""
    old = tuple(Change(number, NOW, ("old",), "publish") for number in range(1, MOST_ENTRIES + 1))
    objects.write(layout.CHANGES, encode(Changes(MOST_ENTRIES, old)), expected=0)

    announce(objects, ("acme",), "publish", NOW)
    announce(objects, ("acme",), "suspend", NOW)

    changes = feed(objects)
    assert changes.sequence == MOST_ENTRIES + 2
    assert [each.sequence for each in changes.entries] == [*range(3, MOST_ENTRIES + 3)]
    assert [each.what for each in changes.entries[-2:]] == ["publish", "suspend"]


def test_feed_stays_small_whatever_its_changes_name(objects):
    """Changes of very many tenants push older ones out, but never the newest."""
    announce(objects, ("first",), "publish", NOW)
    announce(objects, tuple(f"t{number}" for number in range(MOST_NAMES)), "publish", NOW)
    one = feed(objects)
    announce(objects, tuple(f"t{number}" for number in range(MOST_NAMES + 1)), "publish", NOW)

    assert [each.sequence for each in one.entries] == [2]
    assert [each.sequence for each in feed(objects).entries] == [3]


@pytest.mark.parametrize("content", [b"", b"[]", b'{"sequence": 5, "entr', b'{"sequence": "5"}'])
def test_feed_that_cannot_be_read_begins_where_every_reader_is_behind(objects, content):
    """The next writer mends it; no reader takes the new numbers for ones it has seen."""
    objects.write(layout.CHANGES, content, expected=0)

    number = announce(objects, ("acme",), "publish", NOW)

    changes = feed(objects)
    assert (number, changes.sequence) == (NOW + 1, NOW + 1)
    assert [each.tenants for each in changes.entries] == [("acme",)]


def test_batch_writes_once_a_second_and_at_the_end(objects):
    """Many changes are few writes, and every one of them is told."""
    counted, clock = Counted(objects), iter(range(10**6))
    names = [f"t{number}" for number in range(50)]

    with Batch(clock=lambda: next(clock) / 10) as batch:
        for name in names:
            batch(counted, (name,), "migrate", NOW)

    told = [name for each in feed(objects).entries for name in each.tenants]
    assert told == names
    assert 2 <= counted.writes <= 7


def test_batch_that_is_left_by_an_error_still_tells(objects):
    """What moved before the error is announced."""

    def cut_short():
        with Batch(clock=lambda: 0) as batch:
            batch(objects, ("acme",), "migrate", NOW)
            batch(objects, ("beta",), "migrate", NOW)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        cut_short()

    assert [each.tenants for each in feed(objects).entries] == [("acme",), ("beta",)]


def test_batch_that_fails_on_its_way_tells_all_in_the_end(objects):
    """A feed that is away for a while fails no tenant's change: it is told with the next ones."""

    class Away:
        """A registry whose first writes of the feed fail."""

        read = objects.read
        left = 2

        def write(self, *args, **kwargs):
            """Fail, for a while."""
            self.left -= 1
            if self.left >= 0:
                raise ObjectsUnavailableError("scripted")
            return objects.write(*args, **kwargs)

    registry, clock = Away(), iter(range(10**6))
    with Batch(clock=lambda: next(clock)) as batch:
        for number in range(4):
            batch(registry, (f"t{number}",), "migrate", NOW)

    assert [each.tenants for each in feed(objects).entries] == [("t0", "t1", "t2"), ("t3",)]


def test_batch_that_cannot_tell_says_whom(objects):
    """In the end the operator learns which changes nobody was told of."""

    class Away:
        """A registry that cannot be written."""

        read = objects.read

        def write(self, *_, **__):
            """Fail."""
            raise ObjectsUnavailableError("scripted")

    def fail():
        with Batch(clock=lambda: 0) as batch:
            for number in range(3):
                batch(Away(), (f"t{number}",), "migrate", NOW)

    with pytest.raises(UnannouncedError) as raised:
        fail()
    assert raised.value.tenants == ("t0", "t1", "t2")


def test_batch_of_nothing_writes_nothing(objects):
    """No change, no write."""
    with Batch():
        pass

    assert objects.read(layout.CHANGES) is None


def test_writer_who_never_gets_a_turn_gives_up(objects):
    """Pauses grow to a bound, and the end is an error that says the change is made."""

    class Contended:
        """A registry that others write all the time."""

        read = objects.read

        def write(self, name, *_, **__):
            """Lose."""
            raise ObjectChangedError(name)

    pauses = []

    with pytest.raises(UnannouncedError) as raised:
        announce(Contended(), ("acme",), "publish", NOW, sleep=pauses.append)

    assert (raised.value.tenants, layout.CHANGES in raised.value.detail) == (("acme",), True)
    assert len(pauses) > 20
    assert 0 < sum(pauses) < 120
    assert max(pauses) <= 2


def test_first_try_waits_for_nothing():
    """Who is alone loses no time."""
    pauses = []

    for _ in tries("changes.json", pauses.append):
        break

    assert pauses == []
