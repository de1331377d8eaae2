"""Taking away what a tenant's syncs have made at a real, local upstream."""

import asyncio

import openai
import pytest

from tenants.knowledge.account import Account
from tenants.knowledge.errors import AccountError
from tenants.knowledge.removing import remains, remove
from tenants.knowledge.state import AccountRef
from tests.fakes.faulty_upstream import Fault
from tests.fakes.knowledge import FILES, KEY, Knowing

pytest_plugins = ("tests.fakes.knowledge_fixtures",)

NOTHING = {"uploaded": set()}


async def removed(knowing):
    """What ``remove`` says, asked for in a thread."""
    return await asyncio.to_thread(_removed, knowing)


def _removed(knowing):
    account = Account(knowing.upstream.base_url, KEY, pause=lambda _: None, retries=0)
    try:
        return remove(account, remains(knowing.objects, knowing.tenant_id))
    finally:
        account.close()


async def test_nothing_of_a_tenant_stays_upstream(knowing):
    """Its store and its files are deleted, and done again that is no fault."""
    await knowing.sync()
    store_id = knowing.state.vector_store_id

    first, again = await removed(knowing), await removed(knowing)

    assert (first.stores, first.files) == ((store_id,), len(FILES))
    assert (again.stores, again.files) == ((), 0)
    assert await knowing.there() == NOTHING


async def test_what_a_killed_sync_left_is_removed_too(knowing):
    """Uploads that are in no store, and a store that nobody wrote down, are found by their mark."""
    knowing.upstream.faults = [Fault("POST /v1/vector_stores/.*/file_batches", times=99)]
    with pytest.raises(AccountError):
        await knowing.sync()

    await removed(knowing)

    assert await knowing.there() == NOTHING


@pytest.mark.parametrize("answered", [True, False])
@pytest.mark.parametrize("lives", range(1, 6))
async def test_a_removal_that_was_cut_off_goes_on(knowing, lives, answered):
    """Cut off after any request, its answer heard or lost, it ends when it is done again."""
    await knowing.sync()
    knowing.upstream.lives, knowing.upstream.last_words = lives, answered
    try:
        await removed(knowing)
    except AccountError:
        knowing.upstream.lives = None
        await removed(knowing)
    knowing.upstream.lives = None

    assert await knowing.there() == NOTHING


async def test_nothing_of_others_is_removed(knowing):
    """Another tenant of the same account, and files that somebody else uploaded, stay."""
    globex = Knowing(knowing.objects, knowing.upstream, "globex")
    globex.onboard()
    await knowing.sync()
    await globex.sync()
    async with openai.AsyncOpenAI(base_url=knowing.upstream.base_url, api_key=KEY) as client:
        foreign = await client.files.create(file=("a.md", b"Theirs."), purpose="assistants")
        store_id = knowing.state.vector_store_id
        await client.vector_stores.files.create(store_id, file_id=foreign.id)

    await removed(knowing)

    kept = {file.file_id for file in globex.state.files}
    assert await globex.there() == {
        "uploaded": kept | {foreign.id},
        globex.state.vector_store_id: kept,
    }


async def test_a_tenant_that_was_never_synced_has_nothing(knowing):
    """Nobody upstream is asked about it."""
    assert remains(knowing.objects, "acme") is None
    assert knowing.upstream.asked == []


async def test_the_account_is_known_from_the_registry_alone(knowing):
    """What is said is where the last sync was; nobody upstream is asked."""
    await knowing.sync()
    asked = len(knowing.upstream.asked)

    found = remains(knowing.objects, "acme")

    assert (found.account, found.left) == (AccountRef(), ())
    assert len(knowing.upstream.asked) == asked
