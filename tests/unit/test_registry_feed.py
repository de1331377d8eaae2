"""What a reader of the change feed learns from it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenants.registry.feed import BEGINNING, News, Position, changed_since, read_news
from tenants.registry.files import FileObjects
from tenants.registry.stored import Change, Changes
from tenants.releases.feed import announce

FEED = "changes.json"


def changes(first: int, last: int) -> Changes:
    """A feed in which each change names one tenant, called after its number."""
    entries = tuple(Change(n, 0, (f"t{n}",), "publish") for n in range(first, last + 1))
    return Changes(last, entries)


@given(first=st.integers(1, 50), length=st.integers(0, 50), known=st.integers(0, 120))
def test_reader_learns_all_that_it_does_not_know_or_that_it_is_behind(first, length, known):
    """No change between what is known and the newest one is ever passed over."""
    last = first + length - 1

    found = changed_since(changes(first, last), known)

    if first - 1 <= known <= last:
        assert found == {f"t{n}" for n in range(known + 1, last + 1)}
    else:
        assert found is None


def test_reader_that_knows_nothing_is_behind():
    """Any tenant may have changed before it came."""
    assert changed_since(changes(1, 3), None) is None


@pytest.fixture
def objects(tmp_path):
    """An empty registry."""
    return FileObjects(tmp_path)


def test_feed_that_begins_later_is_read_from_its_beginning(objects):
    """A registry without a feed has one after the first change, and none of it is missed."""
    nothing = read_news(objects, BEGINNING)
    still = read_news(objects, nothing.position)
    announce(objects, ["acme", "globex"], "publish", 1)

    news = read_news(objects, still.position)

    assert nothing.tenants is None
    assert still.tenants == frozenset()
    assert news.tenants == {"acme", "globex"}


def test_feed_is_read_once_for_each_change(objects):
    """Where nothing is new, nothing is told."""
    announce(objects, ["acme"], "publish", 1)
    first = read_news(objects, BEGINNING)
    announce(objects, ["globex"], "publish", 2)

    second = read_news(objects, first.position)

    assert first.tenants is None
    assert second.tenants == {"globex"}
    assert read_news(objects, second.position) == News(second.position)


def test_feed_that_makes_no_sense_is_told_until_it_does(objects):
    """Any tenant may have changed then; the fault stays known while nobody mends it."""
    announce(objects, ["acme"], "publish", 1)
    known = read_news(objects, BEGINNING).position
    objects.write(FEED, b'{"sequence":', expected=None)

    broken = read_news(objects, known)
    again = read_news(objects, broken.position)
    objects.write(FEED, b'{"sequence":9,"entries":[]}', expected=None)
    mended = read_news(objects, again.position)

    assert (broken.tenants, mended.tenants) == (None, None)
    assert FEED in broken.position.fault
    assert again == News(broken.position)
    assert mended.position == Position(mended.position.generation, 9)
