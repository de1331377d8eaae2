"""What every store promises of a tenant's end, and of when keys were used."""

import pytest

from gateway.store.errors import NotFoundError
from gateway.store.model import Key
from tests.fakes.store_adapters import opened
from tests.fakes.store_values import ACME, RIVAL, begin, end, ended_run, item, new_thread

pytest_plugins = ("tests.fakes.store_fixtures",)


async def forget_all(store, tenant):
    """Forget until nothing is left; how many threads each call took."""
    took = []
    while count := await store.forget(tenant, 2):
        took.append(count)
    return took


async def test_everything_of_a_tenant_goes_some_at_a_time(store, adapter):
    """No call takes more than it may, and in the end no byte of the tenant is left in any file."""
    for number in range(5):
        text = f"planted-{number}"
        await ended_run(
            store,
            items=(item(text),),
            events=f"{text}-log".encode(),
            key=Key("planted-scope", f"planted-key-{number}", "body"),
        )
    await store.create_thread(ACME, new_thread())
    await store.note_key_uses({("acme", "planted-key"): 7})

    took = await forget_all(store, ACME)

    assert took == [2, 2, 2]
    assert await store.key_uses(ACME) == {}
    assert "planted" not in adapter.dump()
    assert "acme" not in adapter.dump().replace("asst_acme_default", "")


async def test_another_tenant_loses_nothing(store):
    """Not of the same ids either."""
    mine = await ended_run(store, key=Key("scope", "key", "body"))
    await store.begin_run(RIVAL, mine)
    await store.end_run(RIVAL, end(mine.fence, events=b"theirs"))
    await store.note_key_uses({("acme", "key_1"): 7, ("rival", "key_1"): 8})

    await forget_all(store, ACME)

    with pytest.raises(NotFoundError):
        await store.run(ACME, mine.fence.run_id)
    assert (await store.run(RIVAL, mine.fence.run_id)).status == "completed"
    assert await store.run_events(RIVAL, mine.fence.run_id) == b"theirs"
    assert len(await store.items(RIVAL, mine.thread_id, 10)) == 1
    assert await store.run_by_key(RIVAL, "scope", "key") is not None
    assert await store.key_uses(RIVAL) == {"key_1": 8}


async def test_threads_with_working_runs_stay(store):
    """A run that works keeps its thread until it has ended."""
    working = begin()
    await store.begin_run(ACME, working)
    await ended_run(store)

    assert await forget_all(store, ACME) == [1]
    assert len(await store.items(ACME, working.thread_id, 10)) == 1

    await store.end_run(ACME, end(working.fence))
    assert await forget_all(store, ACME) == [1]
    with pytest.raises(NotFoundError):
        await store.thread(ACME, working.thread_id)


async def test_uses_of_keys_survive_a_restart(adapter):
    """The newest of each key, whatever the order they were written in."""
    async with opened(adapter.store()) as store:
        await store.note_key_uses({("acme", "key_1"): 20, ("acme", "key_2"): 10})
        await store.note_key_uses({("acme", "key_1"): 15, ("acme", "key_2"): 30})
    async with opened(adapter.store()) as store:
        found = await store.key_uses(ACME)

    assert found == {"key_1": 20, "key_2": 30}
