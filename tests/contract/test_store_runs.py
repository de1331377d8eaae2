"""What every store promises about runs and who may write them."""

import asyncio

import pytest

from gateway.store.errors import (
    DuplicateError,
    FenceLostError,
    NotFoundError,
    ThreadBusyError,
)
from gateway.store.model import Fence, Key, Thread
from tests.fakes.store_values import ACME, begin, end, ended_run, item

pytest_plugins = ("tests.fakes.store_fixtures",)


async def test_run_works_until_its_end(store):
    """A run is in progress without an ending, then has the status and ending that it was given."""
    started = begin()
    await store.begin_run(ACME, started)

    working = await store.run(ACME, started.fence.run_id)
    await store.end_run(ACME, end(started.fence, status="incomplete"))
    ended = await store.run(ACME, started.fence.run_id)

    assert (working.status, working.ended_at, working.ending) == ("in_progress", None, None)
    assert working.thread_id == started.thread_id
    assert (working.assistant_id, working.model) == (started.assistant_id, started.model)
    assert (working.created_at, working.correlation_id) == (1_700_000_000, "corr-1")
    assert working.head == started.head
    assert (ended.status, ended.ended_at) == ("incomplete", 1_700_000_060)
    assert ended.ending == b'{"status":"incomplete"}'


async def test_run_creates_its_thread(store):
    """A run that brings its thread leaves both."""
    started = begin()

    await store.begin_run(ACME, started)

    assert await store.thread(ACME, started.thread_id) == started.thread


async def test_run_on_an_unknown_thread_leaves_nothing(store):
    """Without its thread a run is refused and neither run nor item nor key remains."""
    started = begin("thread_9", key=Key("scope", "key", "body"))

    with pytest.raises(NotFoundError) as caught:
        await store.begin_run(ACME, started)

    assert (caught.value.kind, caught.value.id) == ("thread", "thread_9")
    assert await store.items(ACME, "thread_9", 10) == []
    assert await store.run_by_key(ACME, "scope", "key") is None
    with pytest.raises(NotFoundError):
        await store.run(ACME, started.fence.run_id)


async def test_second_run_on_a_thread_is_refused(store):
    """While a run works its thread is busy, and the error names the run; afterwards it is free."""
    first = begin()
    await store.begin_run(ACME, first)
    second = begin(first.thread_id)

    with pytest.raises(ThreadBusyError) as caught:
        await store.begin_run(ACME, second)
    await store.end_run(ACME, end(first.fence))
    await store.begin_run(ACME, second)

    assert (caught.value.thread_id, caught.value.run_id) == (first.thread_id, first.fence.run_id)
    assert await store.items(ACME, first.thread_id, 10) == [*first.items, *second.items]


async def test_of_many_runs_at_once_one_begins(store):
    """Of sixteen runs that begin on one thread at the same time one gets it."""
    await store.create_thread(ACME, Thread("thread_1", 1))
    begins = [begin("thread_1") for _ in range(16)]

    results = await asyncio.gather(
        *(store.begin_run(ACME, one) for one in begins), return_exceptions=True
    )

    winners = [one for one, result in zip(begins, results, strict=True) if result is None]
    assert len(winners) == 1
    losses = [result for result in results if result is not None]
    assert {type(loss) for loss in losses} == {ThreadBusyError}
    assert {loss.run_id for loss in losses} == {winners[0].fence.run_id}


async def test_run_of_a_known_id_is_a_duplicate(store):
    """A second run of one id is refused, and nothing of it is written."""
    first = await ended_run(store)
    again = begin(run_id=first.fence.run_id)

    with pytest.raises(DuplicateError) as caught:
        await store.begin_run(ACME, again)

    assert caught.value.kind == "run"
    with pytest.raises(NotFoundError):
        await store.thread(ACME, again.thread_id)


async def test_failed_write_leaves_its_neighbours_alone(store):
    """Of writes that are made at once, those that fail take none of the others along."""
    poor = [begin("thread_9") for _ in range(5)]
    good = [begin() for _ in range(5)]
    mixed = [one for pair in zip(poor, good, strict=True) for one in pair]

    results = await asyncio.gather(
        *(store.begin_run(ACME, one) for one in mixed), return_exceptions=True
    )

    assert [result is None for result in results] == [False, True] * 5
    for one in good:
        assert (await store.run(ACME, one.fence.run_id)).status == "in_progress"


async def test_half_written_run_is_taken_back(store):
    """When the last item of a run is refused, its thread, run and first items are gone too."""
    twin = item()
    started = begin(items=(item(), twin, twin))

    with pytest.raises(DuplicateError) as caught:
        await store.begin_run(ACME, started)

    assert caught.value.kind == "item"
    assert await store.items(ACME, started.thread_id, 10) == []
    with pytest.raises(NotFoundError):
        await store.thread(ACME, started.thread_id)


async def test_run_items_are_what_the_run_added(store):
    """Only items that carry the run's id come, oldest first."""
    first = begin()
    run_id = first.fence.run_id
    await store.begin_run(ACME, first)
    call = item(type="function_call", run_id=run_id)
    await store.save_items(ACME, first.fence, [call])
    answer = item("answer", role="assistant", run_id=run_id)
    await store.end_run(ACME, end(first.fence, items=(answer,)))
    second = begin(first.thread_id, items=(item(run_id="run_other"),))
    await store.begin_run(ACME, second)

    assert await store.run_items(ACME, run_id) == [call, answer]


def other(fence, **changes):
    """A fence that differs in one field."""
    return Fence(**{"run_id": fence.run_id, "owner": fence.owner, "epoch": fence.epoch, **changes})


@pytest.mark.parametrize("changes", [{"owner": "other"}, {"epoch": 2}, {"run_id": "run_9"}])
async def test_stranger_writes_nothing(store, changes):
    """Another owner, another epoch and another run's id are all refused, and change nothing."""
    started = begin()
    await store.begin_run(ACME, started)
    fence = other(started.fence, **changes)

    with pytest.raises(FenceLostError) as caught:
        await store.save_items(ACME, fence, [item()])
    with pytest.raises(FenceLostError):
        await store.end_run(ACME, end(fence, items=(item(),)))

    assert caught.value.run_id == fence.run_id
    assert await store.items(ACME, started.thread_id, 10) == list(started.items)
    assert (await store.run(ACME, started.fence.run_id)).status == "in_progress"


async def test_ended_run_is_written_no_more(store):
    """After its end a run takes neither items nor a second end, and keeps its first."""
    started = await ended_run(store, events=b"first")

    with pytest.raises(FenceLostError):
        await store.save_items(ACME, started.fence, [item()])
    with pytest.raises(FenceLostError):
        await store.end_run(ACME, end(started.fence, status="failed", events=b"second"))

    assert (await store.run(ACME, started.fence.run_id)).status == "completed"
    assert await store.run_events(ACME, started.fence.run_id) == b"first"
    assert await store.items(ACME, started.thread_id, 10) == list(started.items)


async def test_of_two_ends_one_counts(store):
    """Two ends at the same time: one is written, the other learns that it lost."""
    started = begin()
    await store.begin_run(ACME, started)

    results = await asyncio.gather(
        store.end_run(ACME, end(started.fence, status="completed")),
        store.end_run(ACME, end(started.fence, status="cancelled")),
        return_exceptions=True,
    )

    assert results[0] is None
    assert isinstance(results[1], FenceLostError)
    assert (await store.run(ACME, started.fence.run_id)).status == "completed"
