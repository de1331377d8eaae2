"""What every store promises to keep apart."""

import pytest

from gateway.store.errors import (
    FenceLostError,
    NotFoundError,
)
from gateway.store.model import Key, Page, Thread
from tests.fakes.store_values import ACME, RIVAL, begin, end, ended_run, item

pytest_plugins = ("tests.fakes.store_fixtures",)


async def test_another_tenant_finds_nothing(store):
    """Each look-up and write with another tenant's id answers as for an id that does not exist."""
    working = begin(key=Key("scope", "key", "body"))
    await store.begin_run(ACME, working)
    ended = await ended_run(store)
    thread_id, run_id = ended.thread_id, ended.fence.run_id

    assert await store.items(RIVAL, thread_id, 10) == []
    assert await store.run_by_key(RIVAL, "scope", "key") is None
    for lookup in (
        store.thread(RIVAL, thread_id),
        store.delete_thread(RIVAL, thread_id),
        store.delete_thread(RIVAL, working.thread_id),
        store.messages(RIVAL, thread_id, Page()),
        store.begin_run(RIVAL, begin(thread_id)),
        store.run(RIVAL, run_id),
        store.run_events(RIVAL, run_id),
        store.run_items(RIVAL, run_id),
    ):
        with pytest.raises(NotFoundError):
            await lookup
    for write in (
        store.save_items(RIVAL, working.fence, [item()]),
        store.end_run(RIVAL, end(working.fence)),
    ):
        with pytest.raises(FenceLostError):
            await write


async def test_another_tenant_changes_nothing(store):
    """What another tenant does under the same ids leaves the first tenant's rows as they were."""
    key = Key("scope", "key", "body")
    first = begin(key=key)
    await store.begin_run(ACME, first)

    await store.begin_run(RIVAL, first)
    await store.end_run(RIVAL, end(first.fence, items=(item(),), events=b"theirs"))
    await store.delete_thread(RIVAL, first.thread_id)

    assert (await store.run(ACME, first.fence.run_id)).status == "in_progress"
    assert await store.items(ACME, first.thread_id, 10) == list(first.items)
    assert await store.run_by_key(ACME, "scope", "key") == (key, first.fence.run_id)
    assert await store.run_events(ACME, first.fence.run_id) is None


async def test_cursor_of_another_tenant_is_not_found(store):
    """A message id of another tenant's thread of the same id is no cursor."""
    mine, theirs = begin(), begin()
    await store.begin_run(ACME, mine)
    await store.create_thread(RIVAL, Thread(mine.thread_id, 1))
    await store.begin_run(RIVAL, theirs)

    with pytest.raises(NotFoundError):
        await store.messages(RIVAL, mine.thread_id, Page(after=mine.items[0].id))
