"""Syncs that are killed, cut off or refused, and how the next one goes on."""

import openai
import pytest

from tenants.knowledge.errors import AccountError, FilesFailedError, IndexingStalledError
from tenants.knowledge.names import shown_name
from tenants.registry.files import FileObjects
from tests.fakes.faulty_upstream import Fault
from tests.fakes.knowledge import FILES, Knowing, change
from tests.fakes.objects import Interrupted, KilledError

pytest_plugins = ("tests.fakes.knowledge_fixtures",)

UPLOAD = "POST /v1/files"


@pytest.mark.parametrize("writes", range(12))
async def test_a_sync_killed_at_a_write_goes_on(tmp_path, faulty, writes):
    """Killed at any write to the registry, the next sync ends well and uploads nothing twice."""
    acme = Knowing(FileObjects(tmp_path), faulty)
    acme.onboard()
    interrupted = Interrupted(acme.objects, writes=writes)

    try:
        await acme.sync(interrupted)
    except KilledError:
        await acme.sync()
    else:
        assert len(interrupted.wrote) < 12  # Every write was tried.

    assert faulty.count(UPLOAD) == len(FILES)
    await acme.consistent()


@pytest.mark.parametrize("answered", [True, False])
@pytest.mark.parametrize("lives", range(1, 7))
async def test_a_sync_cut_off_from_upstream_goes_on(tmp_path, faulty, lives, answered):
    """Cut off after any request, its answer heard or lost, the next sync uploads nothing twice."""
    acme = Knowing(FileObjects(tmp_path), faulty)
    acme.onboard()
    faulty.lives, faulty.last_words = lives, answered

    try:
        await acme.sync()
        faulty.lives = None  # It was through before.
    except AccountError:
        assert acme.revision == 1
        faulty.lives = None
        await acme.sync()

    assert faulty.count(UPLOAD) == len(FILES)
    assert faulty.count("POST /v1/vector_stores") == 1
    await acme.consistent()


async def test_a_sync_cut_off_while_it_cleans_up_goes_on(knowing):
    """Cut off between deleting two files, the next sync deletes the rest."""
    await knowing.sync()
    change(knowing, {"knowledge/new.md": b"News."})
    knowing.upstream.faults = [Fault("DELETE .*", times=99)]
    with pytest.raises(AccountError):
        await knowing.sync()
    knowing.upstream.faults = [Fault("DELETE /v1/vector_stores/.*", times=1)]
    with pytest.raises(AccountError):
        await knowing.sync()

    await knowing.sync()

    await knowing.consistent({"knowledge/new.md": b""})


async def test_what_a_cut_off_sync_uploaded_and_nobody_wants_is_deleted(knowing):
    """A file that changed before its sync was taken up is no orphan: the next sync deletes it."""
    knowing.upstream.faults = [Fault("POST /v1/vector_stores/.*/file_batches", times=99)]
    with pytest.raises(AccountError):
        await knowing.sync()
    knowing.upstream.faults = []
    change(knowing, {"knowledge/new.md": b"News."})

    plan = await knowing.sync()

    assert {shown_name(left.filename) for left in plan.leftovers} == {"returns.md", "shipping.md"}
    await knowing.consistent({"knowledge/new.md": b""})


async def test_a_lost_store_is_made_anew_from_what_is_uploaded(knowing):
    """Where the store was deleted upstream, a new one gets the files that are still there."""
    await knowing.sync()
    lost = knowing.state.vector_store_id
    upload_count = knowing.upstream.count(UPLOAD)
    await _delete_store(knowing, lost)

    await knowing.sync()

    assert knowing.state.vector_store_id != lost
    assert knowing.upstream.count(UPLOAD) == upload_count
    await knowing.consistent()


async def _delete_store(knowing, store_id):
    upstream = openai.AsyncOpenAI(base_url=knowing.upstream.base_url, api_key=knowing.key)
    async with upstream as client:
        await client.vector_stores.delete(store_id)


@pytest.mark.parametrize("status", [401, 403])
async def test_a_refused_key_stops_at_once(knowing, status):
    """A key that is refused is said once, with its remedy, and nothing is published."""
    knowing.upstream.faults = [Fault(UPLOAD, status=status, times=99)]

    with pytest.raises(AccountError) as refused:
        await knowing.sync()

    assert refused.value.status == status
    assert "give the tenant's upstream a key" in str(refused.value)
    assert knowing.revision == 1


@pytest.mark.parametrize("status", [429, 500, 503])
@pytest.mark.parametrize("done", [False, True])
@pytest.mark.parametrize("asked", [UPLOAD, "POST /v1/vector_stores"])
async def test_a_passing_fault_is_outlived(knowing, asked, status, done):
    """A fault that passes is tried again, and what was done though its answer failed is found."""
    knowing.upstream.faults = [Fault(asked, status=status, times=2, done=done)]

    await knowing.sync()

    await knowing.consistent()


async def test_passing_faults_of_other_requests_are_outlived(knowing):
    """The client asks again by itself where that does no harm."""
    knowing.upstream.faults = [
        Fault("GET .*", status=500, times=1),
        Fault("POST /v1/vector_stores/.*/file_batches", status=429, times=1),
    ]

    await knowing.sync(retries=2)

    await knowing.consistent()


async def test_every_file_that_fails_is_reported(tmp_path, faulty):
    """All files that cannot be indexed or are refused are named, and nothing is published."""
    knowledge = FILES | {
        "knowledge/bad.md": b"[[index=failed]]",
        "knowledge/worse.md": b"[[index=failed]] as well",
    }
    acme = Knowing(FileObjects(tmp_path), faulty)
    acme.onboard(knowledge)

    with pytest.raises(FilesFailedError) as failed:
        await acme.sync()

    assert [fault.path for fault in failed.value.faults] == [
        "knowledge/bad.md",
        "knowledge/worse.md",
    ]
    assert "invalid_file" in str(failed.value)
    assert acme.revision == 1


async def test_a_mended_file_needs_no_other_upload(tmp_path, faulty):
    """Once the failing file is mended, it alone is uploaded, and the broken one deleted."""
    acme = Knowing(FileObjects(tmp_path), faulty)
    acme.onboard(FILES | {"knowledge/bad.md": b"[[index=failed]]"})
    with pytest.raises(FilesFailedError):
        await acme.sync()
    mended = FILES | {"knowledge/bad.md": b"It is good now."}
    change(acme, mended)

    plan = await acme.sync()

    assert [each.path for each in plan.upload] == ["knowledge/bad.md"]
    await acme.consistent(mended)


async def test_a_file_that_failed_is_tried_again(tmp_path, faulty):
    """A file whose indexing failed is indexed anew without another upload, and told again."""
    acme = Knowing(FileObjects(tmp_path), faulty)
    acme.onboard(FILES | {"knowledge/bad.md": b"[[index=failed]]"})

    for _ in range(2):
        with pytest.raises(FilesFailedError, match=r"knowledge/bad.md: .*could not index it"):
            await acme.sync()

    assert faulty.count(UPLOAD) == len(FILES) + 1
    assert faulty.count("POST /v1/vector_stores/.*/file_batches") == 2


async def test_a_file_that_is_refused_stops_no_other(knowing):
    """Where upstream takes one file not at all, the others are there for the next sync."""
    knowing.upstream.faults = [Fault(UPLOAD, status=400, times=1)]
    with pytest.raises(FilesFailedError, match="the upstream refuses it: No luck"):
        await knowing.sync()

    plan = await knowing.sync()

    assert (len(plan.keep), len(plan.upload)) == (1, 1)
    await knowing.consistent()


async def test_indexing_that_stalls_is_given_up(knowing):
    """Where nothing is indexed for long, it says so; taken up again, it only waits."""
    with pytest.raises(IndexingStalledError):
        await knowing.sync(stalled_seconds=0.0)

    await knowing.sync()

    assert knowing.upstream.count(UPLOAD) == len(FILES)
    await knowing.consistent()
