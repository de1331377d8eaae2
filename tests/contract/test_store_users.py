"""What every store keeps apart within a tenant: its end users."""

import attrs
import pytest

from gateway.store.errors import NotFoundError
from gateway.store.model import Page, Thread
from tests.fakes.store_values import ACME, begin, end, ended_run, item

pytest_plugins = ("tests.fakes.store_fixtures",)

ADA = attrs.evolve(ACME, user="ada")
BOB = attrs.evolve(ACME, user="bob")


async def thread_of(store, user):
    """A thread of a user, on which a run has ended; the thread's and the run's id."""
    started = begin()
    started = attrs.evolve(started, thread=attrs.evolve(started.thread, user=user))
    context = attrs.evolve(ACME, user=user)
    await store.begin_run(context, started)
    await store.end_run(context, end(started.fence, items=(item(),)))
    return started.thread_id, started.fence.run_id


def lookups(store, context, thread_id, run_id):
    """Everything that finds something by a thread's or a run's id."""
    return (
        store.thread(context, thread_id),
        store.messages(context, thread_id, Page()),
        store.begin_run(context, begin(thread_id)),
        store.record_run(context, started := begin(thread_id), end(started.fence)),
        store.run(context, run_id),
        store.run_events(context, run_id),
        store.run_items(context, run_id),
        store.delete_thread(context, thread_id),
    )


@pytest.mark.parametrize("owner", ["ada", None])
async def test_another_user_finds_nothing(store, owner):
    """Threads of another user and of nobody, and what is on them, do not exist for a user."""
    thread_id, run_id = await thread_of(store, owner)

    for lookup in lookups(store, BOB, thread_id, run_id):
        with pytest.raises(NotFoundError):
            await lookup
    assert await store.items(BOB, thread_id, 10) == []
    assert len(await store.items(ACME, thread_id, 10)) == 2


async def test_a_user_finds_their_own(store):
    """A user reads, continues and deletes their own threads."""
    thread_id, run_id = await thread_of(store, "ada")

    assert (await store.thread(ADA, thread_id)).user == "ada"
    assert (await store.run(ADA, run_id)).status == "completed"
    assert await store.run_events(ADA, run_id) == b"events"
    assert len(await store.run_items(ADA, run_id)) == 0
    assert len((await store.messages(ADA, thread_id, Page()))[0]) == 2
    again = begin(thread_id)
    await store.record_run(ADA, again, end(again.fence))
    assert len(await store.items(ADA, thread_id, 10)) == 3
    await store.delete_thread(ADA, thread_id)
    with pytest.raises(NotFoundError):
        await store.thread(ACME, thread_id)


async def test_one_thread_is_all_that_a_bound_context_finds(store):
    """A context that is bound to a thread finds that one, whosever it is, and no other."""
    mine, mine_run = await thread_of(store, None)
    other, other_run = await thread_of(store, "ada")
    bound = attrs.evolve(ADA, thread_id=mine)

    assert (await store.thread(bound, mine)).user is None
    assert (await store.run(bound, mine_run)).thread_id == mine
    for lookup in lookups(store, bound, other, other_run):
        with pytest.raises(NotFoundError):
            await lookup


async def test_users_are_of_one_tenant(store):
    """The same user's name within another tenant finds nothing."""
    thread_id, run_id = await thread_of(store, "ada")
    elsewhere = attrs.evolve(ADA, tenant_id="rival")

    for lookup in lookups(store, elsewhere, thread_id, run_id):
        with pytest.raises(NotFoundError):
            await lookup


async def test_whoever_is_unrestricted_finds_all(store):
    """A program's context finds the threads of every user, and of nobody."""
    await store.create_thread(ACME, Thread("thread_ada", 1, user="ada"))
    free = await ended_run(store)

    assert (await store.thread(ACME, "thread_ada")).user == "ada"
    assert (await store.thread(ACME, free.thread_id)).user is None
