"""What every store promises about runs' logs and idempotency keys, which are kept for a time."""

import os

import pytest

from gateway.store.errors import (
    KeyUsedError,
)
from gateway.store.model import Key, Thread
from tests.fakes.store_adapters import opened
from tests.fakes.store_values import ACME, begin, ended_run

pytest_plugins = ("tests.fakes.store_fixtures",)

HOUR = 3600
DAY = 24 * 3600
KIB = 1024


async def test_log_comes_back_byte_for_byte(store):
    """A run's log is what was written, whatever bytes it has."""
    log = bytes(range(256)) * 40
    started = await ended_run(store, events=log)

    assert await store.run_events(ACME, started.fence.run_id) == log


async def test_log_of_a_working_run_is_none(store):
    """A run that works has no log in the store."""
    started = begin()
    await store.begin_run(ACME, started)

    assert await store.run_events(ACME, started.fence.run_id) is None


async def test_run_may_end_without_a_log(store):
    """A run whose log was too large for its writer has none."""
    started = await ended_run(store, events=None)

    assert await store.run_events(ACME, started.fence.run_id) is None


@pytest.mark.parametrize(
    ("log", "kept"),
    [
        (os.urandom(256 * KIB), True),
        (os.urandom(256 * KIB + 1), False),
        (b"thread.message.delta " * 50 * KIB, True),
    ],
    ids=["just fits", "does not fit", "fits once compressed"],
)
async def test_log_is_kept_within_256_kib(store, log, kept):
    """A log of up to 256 KiB is kept, a larger one if it compresses to that, else not at all."""
    started = await ended_run(store, events=log)

    assert await store.run_events(ACME, started.fence.run_id) == (log if kept else None)


async def test_log_expires_an_hour_after_the_end(store, adapter):
    """A log is there just before an hour has passed and gone after it; the run remains."""
    started = await ended_run(store)

    adapter.clock.now += HOUR - 1
    before = await store.run_events(ACME, started.fence.run_id)
    adapter.clock.now += 1
    after = await store.run_events(ACME, started.fence.run_id)

    assert (before, after) == (b"events", None)
    assert (await store.run(ACME, started.fence.run_id)).status == "completed"


async def test_expired_log_leaves_nothing_behind(store, adapter):
    """Later traffic takes expired logs and keys out of the store."""
    await ended_run(store, events=b"needle-in-log", key=Key("scope", "needle-in-key", "body"))
    present = adapter.dump()

    adapter.clock.now += DAY
    await store.create_thread(ACME, Thread("thread_1", 1))
    await store.create_thread(ACME, Thread("thread_2", 1))
    await store.delete_thread(ACME, "thread_2")

    assert "needle-in-log" in present
    assert "needle-in-key" in present
    assert "needle" not in adapter.dump()


async def test_oldest_logs_go_when_there_are_too_many(adapter):
    """Beyond what all logs may take the oldest are dropped first, and no more than needed."""
    async with opened(adapter.store(log_bytes=50 * KIB)) as store:
        runs = [await ended_run(store, events=os.urandom(10 * KIB)) for _ in range(8)]
        await store.items(ACME, "thread_9", 1)

        logs = [await store.run_events(ACME, run.fence.run_id) for run in runs]

    assert [log is not None for log in logs] == [False] * 3 + [True] * 5


async def test_deleted_logs_make_room(adapter):
    """The logs of deleted threads no longer count."""
    async with opened(adapter.store(log_bytes=50 * KIB)) as store:
        runs = [await ended_run(store, events=os.urandom(10 * KIB)) for _ in range(5)]
        await store.delete_thread(ACME, runs[4].thread_id)
        await ended_run(store, events=os.urandom(10 * KIB))
        await store.items(ACME, "thread_9", 1)

        assert await store.run_events(ACME, runs[0].fence.run_id) is not None


async def test_key_finds_its_run(store):
    """A key gives the hash of its body and the run that it started."""
    key = Key("scope", "key", "body")
    started = await ended_run(store, key=key)

    assert await store.run_by_key(ACME, "scope", "key") == (key, started.fence.run_id)


@pytest.mark.parametrize(("scope", "key"), [("other", "key"), ("scope", "other"), ("", "key")])
async def test_key_belongs_to_its_scope(store, scope, key):
    """Another credential's or user's key of the same name is another key."""
    await ended_run(store, key=Key("scope", "key", "body"))

    assert await store.run_by_key(ACME, scope, key) is None


async def test_used_key_starts_no_second_run(store):
    """A used key starts no other run, which is found out before the thread is looked at."""
    first = begin(key=Key("scope", "key", "body"))
    await store.begin_run(ACME, first)
    second = begin(first.thread_id, key=Key("scope", "key", "body"))

    with pytest.raises(KeyUsedError) as caught:
        await store.begin_run(ACME, second)

    assert (caught.value.key, caught.value.run_id) == ("key", first.fence.run_id)
    assert await store.items(ACME, first.thread_id, 10) == list(first.items)


async def test_key_is_kept_for_a_day(store, adapter):
    """A key is known for 24 hours; after that it starts a new run."""
    key = Key("scope", "key", "body")
    await ended_run(store, key=key)

    adapter.clock.now += DAY - 1
    before = await store.run_by_key(ACME, "scope", "key")
    adapter.clock.now += 1
    after = await store.run_by_key(ACME, "scope", "key")
    again = await ended_run(store, key=key)

    assert before is not None
    assert after is None
    assert await store.run_by_key(ACME, "scope", "key") == (key, again.fence.run_id)
