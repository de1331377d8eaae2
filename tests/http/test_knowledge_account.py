"""What a sync sends to an account, and what it makes of one that does not work."""

import pytest

from tenants.knowledge.errors import AccountError
from tenants.knowledge.progress import LeftStore
from tenants.knowledge.removing import remains
from tenants.knowledge.state import AccountRef
from tenants.releases.reading import read_release
from tests.fakes.knowledge import DOCUMENT, FILES, KEY, change

pytest_plugins = ("tests.fakes.knowledge_fixtures",)

_OPERATORS = {
    "OPENAI_CUSTOM_HEADERS": "Authorization: Bearer sk-planted\nX-Proxy-Key: planted",
    "OPENAI_ORG_ID": "org-planted",
    "OPENAI_PROJECT_ID": "proj_planted",
    "OPENAI_ADMIN_KEY": "sk-admin-planted",
}


async def test_nothing_of_the_operators_environment_is_sent(knowing, monkeypatch):
    """A tenant's upstream gets the tenant's key, and no header that the operator's shell names."""
    for name, value in _OPERATORS.items():
        monkeypatch.setenv(name, value)
    knowing.key = "sk-theirs"

    await knowing.sync()

    sent = knowing.upstream.headers
    assert {each["authorization"] for each in sent} == {"Bearer sk-theirs"}
    assert "planted" not in str(sent)


@pytest.mark.parametrize("asked", ["GET .*", "POST /v1/files", "POST /v1/vector_stores"])
async def test_an_upstream_that_hangs_is_given_up(knowing, asked):
    """Silence ends the sync in words; nothing is published, and the next one goes on."""
    knowing.upstream.held = asked
    with pytest.raises(AccountError, match="did not answer in time"):
        await knowing.sync(timeout_seconds=0.2)
    await knowing.upstream.release()

    await knowing.sync()

    await knowing.consistent()


_OWN = DOCUMENT + '[upstream]\napi_key = "secret:own"\n'


async def test_a_tenant_that_gets_its_own_account_leaves_the_operators(knowing):
    """Until it is synced there the search is not offered; then the old store is named as left."""
    await knowing.sync()
    before = knowing.state.vector_store_id
    change(knowing, FILES, _OWN)
    offered = read_release(knowing.objects, "acme").compiled.default.tools
    knowing.key = "sk-own"

    await knowing.sync()

    assert b"file_search" not in offered
    await knowing.consistent()
    found = remains(knowing.objects, "acme")
    assert found.account == AccountRef(None, "own")
    assert found.left == (LeftStore(before, AccountRef()),)


async def test_a_tenant_that_comes_back_to_an_account_finds_its_store(knowing):
    """What was left is taken up again, without another upload, and is left no more."""
    await knowing.sync()
    before = knowing.state.vector_store_id
    change(knowing, FILES, _OWN)
    knowing.key = "sk-own"
    await knowing.sync()
    there = knowing.state.vector_store_id
    change(knowing, FILES)
    knowing.key = KEY

    await knowing.sync()

    assert knowing.state.vector_store_id == before
    assert knowing.upstream.count("POST /v1/files") == 2 * len(FILES)
    left = remains(knowing.objects, "acme").left
    assert left == (LeftStore(there, AccountRef(None, "own")),)


async def test_another_key_of_the_same_account_uploads_nothing(knowing):
    """A secret by another name that holds a key of the same account finds the same store."""
    await knowing.sync()
    before = knowing.state.vector_store_id
    change(knowing, FILES, _OWN)

    await knowing.sync()

    assert knowing.state.vector_store_id == before
    assert knowing.state.account == AccountRef(None, "own")
    assert knowing.upstream.count("POST /v1/files") == len(FILES)
    found = remains(knowing.objects, "acme")
    assert (found.account, found.left) == (AccountRef(None, "own"), ())
    await knowing.consistent()


async def test_a_renamed_file_is_cited_by_its_new_name(knowing):
    """Upstream keeps a file's name for ever, so under another name it is uploaded anew."""
    await knowing.sync()
    renamed = {name.replace("returns", "back"): content for name, content in FILES.items()}
    change(knowing, renamed)

    plan = await knowing.sync()

    assert [each.path for each in plan.upload] == ["knowledge/back.md"]
    assert [each.path for each in plan.remove] == ["knowledge/returns.md"]
    await knowing.consistent(renamed)


async def test_two_files_of_the_same_content_are_two(knowing):
    """Each has its own name and its own copy; where one goes, the other stays."""
    twice = {"knowledge/a.md": b"The same.", "knowledge/b.md": b"The same."}
    change(knowing, twice)
    await knowing.sync()
    await knowing.consistent(twice)
    change(knowing, {"knowledge/b.md": b"The same."})

    await knowing.sync()

    await knowing.consistent({"knowledge/b.md": b"The same."})
