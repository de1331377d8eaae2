"""What every store promises about runs that begin and end at once."""

import pytest

from gateway.store.errors import FenceLostError, KeyUsedError, NotFoundError, ThreadBusyError
from gateway.store.model import Key
from tests.fakes.store_values import ACME, begin, end, item

pytest_plugins = ("tests.fakes.store_fixtures",)


async def test_a_recorded_run_is_a_run_that_began_and_ended(store):
    """Run, thread, items in their order, key and log are all there, as if written one by one."""
    answer = item("answer")
    started = begin(key=Key("scope", "key", "body"))
    run_id = started.fence.run_id

    await store.record_run(ACME, started, end(started.fence, items=(answer,)))

    run = await store.run(ACME, run_id)
    assert (run.status, run.ended_at) == ("completed", 1_700_000_060)
    assert await store.run_events(ACME, run_id) == b"events"
    assert await store.items(ACME, started.thread_id, 10) == [*started.items, answer]
    assert await store.run_by_key(ACME, "scope", "key") == (started.key, run_id)


async def test_a_recorded_run_has_ended(store):
    """It cannot be ended again, and its thread takes the next run."""
    started = begin()
    await store.record_run(ACME, started, end(started.fence))

    with pytest.raises(FenceLostError):
        await store.end_run(ACME, end(started.fence, status="failed"))

    following = begin(started.thread_id)
    await store.record_run(ACME, following, end(following.fence))
    assert (await store.run(ACME, following.fence.run_id)).status == "completed"


async def test_what_cannot_begin_is_not_recorded(store):
    """An unknown thread, a busy one and a used key refuse it, and nothing of it remains."""
    working = begin(key=Key("scope", "used", "body"))
    await store.begin_run(ACME, working)
    refused = {
        NotFoundError: begin("thread_9"),
        ThreadBusyError: begin(working.thread_id),
        KeyUsedError: begin(key=Key("scope", "used", "body")),
    }

    for error, started in refused.items():
        with pytest.raises(error):
            await store.record_run(ACME, started, end(started.fence, items=(item(),)))
        with pytest.raises(NotFoundError):
            await store.run(ACME, started.fence.run_id)

    assert await store.items(ACME, working.thread_id, 10) == list(working.items)
