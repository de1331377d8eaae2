"""What every store promises about threads, their items and their end."""

import pytest

from gateway.store.errors import (
    DuplicateError,
    NotFoundError,
    ThreadBusyError,
)
from gateway.store.model import Item, Key, Page, Thread
from tests.fakes.store_values import ACME, RIVAL, begin, end, ended_run, item

pytest_plugins = ("tests.fakes.store_fixtures",)


async def test_thread_is_found_again(store):
    """A thread comes back as it was written."""
    thread = Thread("thread_1", 1_700_000_000, {"colour": "blue", "☃": "naïve"})

    await store.create_thread(ACME, thread)

    assert await store.thread(ACME, "thread_1") == thread


async def test_same_thread_twice_is_refused(store):
    """A second thread of one id is a duplicate, and the first one stays as it is."""
    await store.create_thread(ACME, Thread("thread_1", 1))

    with pytest.raises(DuplicateError) as caught:
        await store.create_thread(ACME, Thread("thread_1", 2))

    assert caught.value.kind == "thread"
    assert (await store.thread(ACME, "thread_1")).created_at == 1


async def test_two_tenants_may_use_one_id(store):
    """Ids belong to their tenant, so another tenant's thread of the same id is another thread."""
    await store.create_thread(ACME, Thread("thread_1", 1))
    await store.create_thread(RIVAL, Thread("thread_1", 2))

    await store.delete_thread(RIVAL, "thread_1")

    assert (await store.thread(ACME, "thread_1")).created_at == 1


async def test_unknown_thread_is_not_found(store):
    """What was never written is not found, and its kind and id are named."""
    with pytest.raises(NotFoundError) as caught:
        await store.thread(ACME, "thread_9")

    assert (caught.value.kind, caught.value.id) == ("thread", "thread_9")


async def test_items_keep_every_field(store):
    """An item comes back with each of its fields as it was written."""
    full = Item(
        id="msg_1",
        type="message",
        created_at=5,
        payload=b'{"a":"\\u0000"}',
        run_id="run_1",
        role="assistant",
        assistant_id="asst_1",
        status="incomplete",
        incomplete_reason="max_tokens",
        completed_at=7,
        origin="origin_1",
        metadata={"k": "v"},
    )
    bare = Item(id="rs_1", type="reasoning", created_at=6, payload=b"{}")
    started = begin(items=(full, bare))

    await store.begin_run(ACME, started)

    assert await store.items(ACME, started.thread_id, 10) == [full, bare]


async def test_items_are_the_newest_oldest_first(store):
    """Of a long thread the newest items come, in the order they were added over several runs."""
    first = begin(items=(one := item("one"), two := item("two")))
    await store.begin_run(ACME, first)
    await store.save_items(ACME, first.fence, [three := item("three")])
    await store.end_run(ACME, end(first.fence, items=(four := item("four"),)))
    await store.begin_run(ACME, begin(first.thread_id, items=(five := item("five"),)))

    assert await store.items(ACME, first.thread_id, 3) == [three, four, five]
    assert await store.items(ACME, first.thread_id, 99) == [one, two, three, four, five]


async def test_items_of_an_unknown_thread_are_none(store):
    """A thread that does not exist has no items."""
    assert await store.items(ACME, "thread_9", 10) == []


async def test_items_of_threads_do_not_mix(store):
    """Two threads whose runs are written in turn keep their items apart."""
    left, right = begin(items=(item("left"),)), begin(items=(item("right"),))
    await store.begin_run(ACME, left)
    await store.begin_run(ACME, right)

    await store.save_items(ACME, left.fence, [more := item("more")])

    assert await store.items(ACME, left.thread_id, 10) == [*left.items, more]
    assert await store.items(ACME, right.thread_id, 10) == list(right.items)


async def test_deleted_thread_leaves_nothing(store, adapter):
    """After its deletion no table, page or journal holds a thread's ids or what was said in it."""
    kept = await ended_run(store, items=(item("kept-text"),), events=b"kept-log")
    started = begin(items=(item("needle-user"),), key=Key("scope", "needle-key", "body"))
    run_id = started.fence.run_id
    await store.begin_run(ACME, started)
    long = item("needle-long " * 2000, run_id=run_id, metadata={"m": "needle-metadata"})
    await store.save_items(ACME, started.fence, [long])
    last = item("needle-answer", role="assistant", run_id=run_id)
    log = b"needle-log " * 3000
    await store.end_run(ACME, end(started.fence, items=(last,), events=log))
    ids = [started.thread_id, run_id, *(one.id for one in (*started.items, long, last))]
    before = adapter.dump()

    await store.delete_thread(ACME, started.thread_id)

    after = adapter.dump()
    assert [text for text in [*ids, "needle"] if text not in before] == []
    assert [text for text in [*ids, "needle"] if text in after] == []
    assert (await store.items(ACME, kept.thread_id, 10))[-1].payload.count(b"kept-text") == 1
    assert await store.run_events(ACME, kept.fence.run_id) == b"kept-log"


async def test_deleted_thread_is_not_found(store):
    """All that belonged to a deleted thread is looked up as if it had never been."""
    started = await ended_run(store, key=Key("scope", "key", "body"))

    await store.delete_thread(ACME, started.thread_id)

    for lookup in (
        store.thread(ACME, started.thread_id),
        store.messages(ACME, started.thread_id, Page()),
        store.delete_thread(ACME, started.thread_id),
        store.run(ACME, started.fence.run_id),
        store.run_events(ACME, started.fence.run_id),
        store.run_items(ACME, started.fence.run_id),
        store.begin_run(ACME, begin(started.thread_id)),
    ):
        with pytest.raises(NotFoundError):
            await lookup
    assert await store.items(ACME, started.thread_id, 10) == []
    assert await store.run_by_key(ACME, "scope", "key") is None


async def test_busy_thread_is_not_deleted(store):
    """While a run works its thread stays, whole."""
    started = begin()
    await store.begin_run(ACME, started)

    with pytest.raises(ThreadBusyError) as caught:
        await store.delete_thread(ACME, started.thread_id)

    assert caught.value.run_id == started.fence.run_id
    assert await store.items(ACME, started.thread_id, 10) == list(started.items)
