"""What every store promises from its open to its close."""

import asyncio

import pytest

from gateway.store.errors import (
    FenceLostError,
    StoreUnavailableError,
)
from gateway.store.model import Thread
from tests.fakes.store_adapters import opened
from tests.fakes.store_values import ACME, LOST, RIVAL, begin, end, ended_run, fresh, item

pytest_plugins = ("tests.fakes.store_fixtures",)


async def test_everything_is_there_after_a_restart(adapter):
    """What was written before a close is read after the next open."""
    async with opened(adapter.store()) as store:
        started = await ended_run(store, items=(answer := item("answer"),))

    async with opened(adapter.store()) as store:
        assert await store.thread(ACME, started.thread_id) == started.thread
        assert await store.items(ACME, started.thread_id, 9) == [*started.items, answer]
        assert await store.run_events(ACME, started.fence.run_id) == b"events"


async def test_lost_runs_end_as_failed(adapter):
    """At open the runs of dead processes, of all tenants, get the lost ending, and are counted."""
    mine, theirs = begin(), begin(owner="owner-2")
    async with opened(adapter.store()) as store:
        done = await ended_run(store)
        await store.begin_run(ACME, mine)
        await store.begin_run(RIVAL, theirs)
    adapter.clock.now += 30
    store = adapter.store()

    count = await store.open(LOST)

    assert count == 2
    for tenant, started in ((ACME, mine), (RIVAL, theirs)):
        run = await store.run(tenant, started.fence.run_id)
        assert (run.status, run.ending, run.ended_at) == ("failed", LOST, 1_700_000_030)
    assert (await store.run(ACME, done.fence.run_id)).status == "completed"
    await store.close()


async def test_thread_of_a_lost_run_is_free(adapter):
    """A lost run's thread takes the next run, and the lost owner cannot write any more."""
    lost = begin()
    async with opened(adapter.store()) as store:
        await store.begin_run(ACME, lost)

    async with opened(adapter.store()) as store:
        await store.begin_run(ACME, begin(lost.thread_id))
        with pytest.raises(FenceLostError):
            await store.end_run(ACME, end(lost.fence))


async def test_healthy_only_while_open(adapter):
    """A store is healthy from its open to its close, and no call works outside of that."""
    store = adapter.store()
    before = store.healthy()
    with pytest.raises(StoreUnavailableError):
        await store.thread(ACME, "thread_1")

    await store.open(LOST)
    during = store.healthy()
    await store.close()

    assert (before, during, store.healthy()) == (False, True, False)
    with pytest.raises(StoreUnavailableError):
        await store.create_thread(ACME, Thread("thread_1", 1))


async def test_close_writes_what_waits(adapter):
    """Writes that were asked for before the close are there at the next open."""
    begins = [begin() for _ in range(50)]
    store = adapter.store()
    await store.open(LOST)
    writes = [asyncio.ensure_future(store.begin_run(ACME, one)) for one in begins]
    await asyncio.sleep(0)

    await store.close()

    assert await asyncio.gather(*writes) == [None] * 50
    async with opened(adapter.store()) as store:
        for one in begins:
            assert await store.thread(ACME, one.thread_id) == one.thread


async def test_close_twice_is_no_error(adapter):
    """A store may be closed before it was open, and again after it is closed."""
    store = adapter.store()
    await store.close()
    await store.open(LOST)
    await store.close()

    await store.close()


async def test_write_is_seen_by_the_next_read(store):
    """A read that is asked for after a write sees it, though neither is awaited in between."""
    thread_id = fresh("thread")

    _, thread = await asyncio.gather(
        store.create_thread(ACME, Thread(thread_id, 1)), store.thread(ACME, thread_id)
    )

    assert thread.id == thread_id


async def test_cancelled_call_harms_no_other(store):
    """Somebody who stops waiting leaves the others' calls and the store as they are."""
    calls = [asyncio.ensure_future(store.begin_run(ACME, begin())) for _ in range(4)]
    await asyncio.sleep(0)

    calls[1].cancel()
    results = await asyncio.gather(*calls, return_exceptions=True)

    assert [type(result) for result in results].count(asyncio.CancelledError) == 1
    assert [result for result in results if result is None] == [None] * 3
    assert store.healthy()
