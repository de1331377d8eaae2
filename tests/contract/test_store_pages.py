"""What every store promises about pages of messages."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.store.errors import (
    NotFoundError,
)
from gateway.store.model import Page
from tests.fakes.store_values import ACME, begin, item

pytest_plugins = ("tests.fakes.store_fixtures",)


class Script:
    """A thread's messages in a list, paged as OpenAI's API pages: what a store is held against."""

    def __init__(self, ids):
        self.ids = ids

    def page(self, page):
        """The ids of a page, and whether there are more behind it."""
        ids = self.ids if page.order == "asc" else self.ids[::-1]
        if page.before is not None:
            ids = ids[: ids.index(page.before)]
        if page.after is not None:
            ids = ids[ids.index(page.after) + 1 :] if page.after in ids else []
        elif page.before is not None:
            return ids[-page.limit :], len(ids) > page.limit
        return ids[: page.limit], len(ids) > page.limit


@st.composite
def scripts(draw):
    """A thread's items, and a page of it whose cursors are messages of that thread."""
    kinds = st.sampled_from(["message", "function_call", "reasoning"])
    items = tuple(item(type=kind) for kind in draw(st.lists(kinds, max_size=12)))
    cursors = st.sampled_from([None, *(one.id for one in items if one.type == "message")])
    order = draw(st.sampled_from(["asc", "desc"]))
    return items, Page(draw(st.integers(1, 6)), order, draw(cursors), draw(cursors))


@given(scripts())
@settings(
    deadline=None,
    max_examples=200,
    # Each example writes a thread of its own, so one store serves them all.
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
async def test_pages_are_those_of_a_list(store, script):
    """Every page holds the messages, the order and the has_more that a plain list would give."""
    items, page = script
    started = begin(items=items)
    await store.begin_run(ACME, started)
    ids = [item.id for item in items if item.type == "message"]

    found, more = await store.messages(ACME, started.thread_id, page)

    assert ([item.id for item in found], more) == Script(ids).page(page)


async def test_page_before_a_message_is_the_one_next_to_it(store):
    """``before`` gives the page that ends at the cursor, in the order asked for."""
    items = tuple(item() for _ in range(6))
    started = begin(items=items)
    await store.begin_run(ACME, started)
    page = Page(limit=2, order="desc", before=items[1].id)

    found, more = await store.messages(ACME, started.thread_id, page)

    assert found == [items[3], items[2]]
    assert more


async def test_page_of_an_unknown_thread_is_not_found(store):
    """A page of no thread is an error, not an empty page."""
    with pytest.raises(NotFoundError) as caught:
        await store.messages(ACME, "thread_9", Page())

    assert caught.value.kind == "thread"


@pytest.mark.parametrize("side", ["after", "before"])
async def test_cursor_must_be_a_message_of_the_thread(store, side):
    """A message of another thread, and an item that is no message, are no cursors."""
    call = item(type="function_call")
    here, there = begin(items=(item(), call)), begin()
    await store.begin_run(ACME, here)
    await store.begin_run(ACME, there)

    for cursor in (there.items[0].id, call.id):
        with pytest.raises(NotFoundError) as caught:
            await store.messages(ACME, here.thread_id, Page(**{side: cursor}))
        assert (caught.value.kind, caught.value.id) == ("message", cursor)
