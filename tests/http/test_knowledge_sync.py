"""Syncing a tenant's knowledge to a vector store of a real, local upstream."""

import openai
import pytest

from tenants.knowledge.errors import AccountError, FilesFailedError, IndexingStalledError
from tenants.knowledge.material import gather
from tenants.knowledge.names import shown_name
from tenants.registry import layout
from tenants.registry.files import FileObjects
from tenants.releases.errors import PublishConflictError
from tenants.releases.pointers import Intent
from tenants.releases.publishing import publish
from tenants.releases.reading import read_release
from tenants.releases.release import PREPARING, prepare
from tenants.releases.switching import rollback
from tests.fakes.faulty_upstream import Fault, FaultyUpstream
from tests.fakes.knowledge import DOCUMENT, FILES, NOW, Knowing, change, files_of, write_files
from tests.fakes.objects import Interrupted, KilledError

UPLOAD = "POST /v1/files"
ANN = Intent("ann", NOW)


@pytest.fixture
async def upstream():
    """A simulator that counts and fails."""
    async with FaultyUpstream() as faulty:
        yield faulty


@pytest.fixture
def acme(tmp_path, upstream):
    """A published tenant with two files of knowledge."""
    knowing = Knowing(FileObjects(tmp_path), upstream)
    knowing.onboard()
    return knowing


async def test_the_first_sync_uploads_everything_and_publishes(acme):
    """Every file is uploaded and indexed, and a revision names the store and the files."""
    plan = await acme.sync()

    assert [each.path for each in plan.upload] == sorted(FILES)
    assert acme.revision == 2
    assert b"file_search" in read_release(acme.objects, "acme").compiled.default.tools
    await acme.consistent()


async def test_the_tools_name_the_synced_store(acme):
    """What is sent to the upstream are both hosted tools, with the store that was made."""
    before = read_release(acme.objects, "acme").compiled.default.tools
    await acme.sync()
    after = read_release(acme.objects, "acme").compiled.default.tools

    store = acme.state.vector_store_id.encode()
    assert before == b'[{"type":"code_interpreter","container":{"type":"auto"}}]'
    assert after == (
        b'[{"type":"file_search","vector_store_ids":["%b"]},'
        b'{"type":"code_interpreter","container":{"type":"auto"}}]' % store
    )


async def test_an_unchanged_sync_writes_nothing(acme):
    """Synced again, nothing is sent but questions, and no revision is published."""
    await acme.sync()
    done = len(acme.upstream.asked)

    plan = await acme.sync()

    assert not plan.sends
    assert not plan.deletes
    assert {asked.partition(" ")[0] for asked in acme.upstream.asked[done:]} == {"GET"}
    assert acme.revision == 2
    await acme.consistent()


async def test_one_changed_file_is_the_one_that_is_uploaded(acme):
    """Only the changed file goes up; what it replaces is deleted, the other one is kept."""
    await acme.sync()
    kept = {file.path: file.file_id for file in acme.state.files}
    changed = FILES | {"knowledge/returns.md": b"Returns are accepted within 60 days."}
    change(acme, changed)

    plan = await acme.sync()

    assert [each.path for each in plan.upload] == ["knowledge/returns.md"]
    assert acme.upstream.count(UPLOAD) == 3
    now = {file.path: file.file_id for file in acme.state.files}
    assert now["knowledge/shipping.md"] == kept["knowledge/shipping.md"]
    assert now["knowledge/returns.md"] != kept["knowledge/returns.md"]
    await acme.consistent(changed)


async def test_a_removed_file_goes_once_the_new_revision_is_in_force(acme):
    """It is deleted after the publish: while that fails, the old revision has all it names."""
    await acme.sync()
    fewer = {"knowledge/returns.md": FILES["knowledge/returns.md"]}
    change(acme, fewer)
    whole = await acme.there()

    with pytest.raises(KilledError):
        await acme.sync(Interrupted(acme.objects, writes=1))
    assert await acme.there() == whole

    plan = await acme.sync()
    assert [each.path for each in plan.remove] == ["knowledge/shipping.md"]
    assert acme.upstream.count(UPLOAD) == 2
    await acme.consistent(fewer)


async def test_a_rollback_is_synced_back(acme):
    """After a rollback a sync brings the store in line with the revision in force."""
    await acme.sync()
    change(acme, {"knowledge/other.md": b"Something else."})
    await acme.sync()
    rollback(acme.objects, "acme", ANN, to=2)

    await acme.sync()

    await acme.consistent()


async def test_a_directory_is_synced_and_published(acme, tmp_path):
    """With a directory, its files are published, together with the store that they are in."""
    knowledge = {"knowledge/deep/er.txt": b"Deep knowledge.", "knowledge/a.pdf": b"%PDF-1 \xff\xfe"}
    directory = write_files(tmp_path / "elsewhere" / "acme", files_of("acme", knowledge))

    await acme.sync(directory=directory)

    assert acme.revision == 2
    assert "knowledge/deep/er.txt" in read_release(acme.objects, "acme").files
    await acme.consistent(knowledge)


async def test_publishing_files_keeps_what_is_synced(acme):
    """A publish that brings no state goes on searching the store, until the next sync."""
    await acme.sync()

    change(acme, FILES | {"knowledge/new.md": b"News."})

    assert b"file_search" in read_release(acme.objects, "acme").compiled.default.tools


async def test_a_tenant_in_working_form_keeps_its_form(tmp_path, upstream):
    """A directory that was never published gets its state beside its files, and no revision."""
    knowing = Knowing(FileObjects(tmp_path), upstream)
    write_files(tmp_path / "acme", files_of("acme"))

    await knowing.sync()

    material = gather(knowing.objects, "acme", PREPARING)
    state = material.job(NOW).state
    assert material.held is None
    assert {file.path for file in state.files} == set(FILES)
    assert (tmp_path / "acme" / "knowledge.json").is_file()


async def test_a_dry_run_changes_nothing(acme):
    """It says what would be uploaded, and neither upstream nor registry is written."""
    before = [(each.name, each.generation) for each in acme.objects.list("**")]

    plan = await acme.sync(dry_run=True)

    assert [each.path for each in plan.upload] == sorted(FILES)
    assert await acme.there() == {"uploaded": set()}
    assert [(each.name, each.generation) for each in acme.objects.list("**")] == before


async def test_progress_is_told(acme):
    """Who watches hears of uploading and indexing, up to the last file."""
    await acme.sync()

    assert ("Uploading", 2, 2) in acme.told_last
    assert acme.told_last[-1] == ("Indexing", 2, 2)


@pytest.mark.parametrize("writes", range(12))
async def test_a_sync_killed_at_a_write_goes_on(tmp_path, upstream, writes):
    """Killed at any write to the registry, the next sync ends well and uploads nothing twice."""
    acme = Knowing(FileObjects(tmp_path), upstream)
    acme.onboard()
    interrupted = Interrupted(acme.objects, writes=writes)

    try:
        await acme.sync(interrupted)
    except KilledError:
        await acme.sync()
    else:
        assert len(interrupted.wrote) < 12  # Every write was tried.

    assert upstream.count(UPLOAD) == len(FILES)
    await acme.consistent()


@pytest.mark.parametrize("answered", [True, False])
@pytest.mark.parametrize("lives", range(1, 7))
async def test_a_sync_cut_off_from_upstream_goes_on(tmp_path, upstream, lives, answered):
    """Cut off after any request, its answer heard or lost, the next sync uploads nothing twice."""
    acme = Knowing(FileObjects(tmp_path), upstream)
    acme.onboard()
    upstream.lives, upstream.last_words = lives, answered

    try:
        await acme.sync()
        upstream.lives = None  # It was through before.
    except AccountError:
        assert acme.revision == 1
        upstream.lives = None
        await acme.sync()

    assert upstream.count(UPLOAD) == len(FILES)
    assert upstream.count("POST /v1/vector_stores") == 1
    await acme.consistent()


async def test_a_sync_cut_off_while_it_cleans_up_goes_on(acme):
    """Cut off between deleting two files, the next sync deletes the rest."""
    await acme.sync()
    change(acme, {"knowledge/new.md": b"News."})
    acme.upstream.faults = [Fault("DELETE .*", times=99)]
    with pytest.raises(AccountError):
        await acme.sync()
    acme.upstream.faults = [Fault("DELETE /v1/vector_stores/.*", times=1)]
    with pytest.raises(AccountError):
        await acme.sync()

    await acme.sync()

    await acme.consistent({"knowledge/new.md": b""})


async def test_what_a_cut_off_sync_uploaded_and_nobody_wants_is_deleted(acme):
    """A file that changed before its sync was taken up is no orphan: the next sync deletes it."""
    acme.upstream.faults = [Fault("POST /v1/vector_stores/.*/file_batches", times=99)]
    with pytest.raises(AccountError):
        await acme.sync()
    acme.upstream.faults = []
    change(acme, {"knowledge/new.md": b"News."})

    plan = await acme.sync()

    assert {shown_name(left.filename) for left in plan.leftovers} == {"returns.md", "shipping.md"}
    await acme.consistent({"knowledge/new.md": b""})


async def test_a_lost_store_is_made_anew_from_what_is_uploaded(acme):
    """Where the store was deleted upstream, a new one gets the files that are still there."""
    await acme.sync()
    lost = acme.state.vector_store_id
    upload_count = acme.upstream.count(UPLOAD)
    await _delete_store(acme, lost)

    await acme.sync()

    assert acme.state.vector_store_id != lost
    assert acme.upstream.count(UPLOAD) == upload_count
    await acme.consistent()


async def _delete_store(knowing, store_id):
    upstream = openai.AsyncOpenAI(base_url=knowing.upstream.base_url, api_key=knowing.key)
    async with upstream as client:
        await client.vector_stores.delete(store_id)


@pytest.mark.parametrize("status", [401, 403])
async def test_a_refused_key_stops_at_once(acme, status):
    """A key that is refused is said once, with its remedy, and nothing is published."""
    acme.upstream.faults = [Fault(UPLOAD, status=status, times=99)]

    with pytest.raises(AccountError) as refused:
        await acme.sync()

    assert refused.value.status == status
    assert "give the tenant's upstream a key" in str(refused.value)
    assert acme.revision == 1


@pytest.mark.parametrize("status", [429, 500, 503])
@pytest.mark.parametrize("done", [False, True])
@pytest.mark.parametrize("asked", [UPLOAD, "POST /v1/vector_stores"])
async def test_a_passing_fault_is_outlived(acme, asked, status, done):
    """A fault that passes is tried again, and what was done though its answer failed is found."""
    acme.upstream.faults = [Fault(asked, status=status, times=2, done=done)]

    await acme.sync()

    await acme.consistent()


async def test_passing_faults_of_other_requests_are_outlived(acme):
    """The client asks again by itself where that does no harm."""
    acme.upstream.faults = [
        Fault("GET .*", status=500, times=1),
        Fault("POST /v1/vector_stores/.*/file_batches", status=429, times=1),
    ]

    await acme.sync(retries=2)

    await acme.consistent()


async def test_every_file_that_fails_is_reported(tmp_path, upstream):
    """All files that cannot be indexed or are refused are named, and nothing is published."""
    knowledge = FILES | {
        "knowledge/bad.md": b"[[index=failed]]",
        "knowledge/worse.md": b"[[index=failed]] as well",
    }
    acme = Knowing(FileObjects(tmp_path), upstream)
    acme.onboard(knowledge)

    with pytest.raises(FilesFailedError) as failed:
        await acme.sync()

    assert [fault.path for fault in failed.value.faults] == [
        "knowledge/bad.md",
        "knowledge/worse.md",
    ]
    assert "invalid_file" in str(failed.value)
    assert acme.revision == 1


async def test_a_mended_file_needs_no_other_upload(tmp_path, upstream):
    """Once the failing file is mended, it alone is uploaded, and the broken one deleted."""
    acme = Knowing(FileObjects(tmp_path), upstream)
    acme.onboard(FILES | {"knowledge/bad.md": b"[[index=failed]]"})
    with pytest.raises(FilesFailedError):
        await acme.sync()
    mended = FILES | {"knowledge/bad.md": b"It is good now."}
    change(acme, mended)

    plan = await acme.sync()

    assert [each.path for each in plan.upload] == ["knowledge/bad.md"]
    await acme.consistent(mended)


async def test_a_file_that_failed_is_tried_again(tmp_path, upstream):
    """A file whose indexing failed is indexed anew without another upload, and told again."""
    acme = Knowing(FileObjects(tmp_path), upstream)
    acme.onboard(FILES | {"knowledge/bad.md": b"[[index=failed]]"})

    for _ in range(2):
        with pytest.raises(FilesFailedError, match=r"knowledge/bad.md: .*could not index it"):
            await acme.sync()

    assert upstream.count(UPLOAD) == len(FILES) + 1
    assert upstream.count("POST /v1/vector_stores/.*/file_batches") == 2


async def test_a_file_that_is_refused_stops_no_other(acme):
    """Where upstream takes one file not at all, the others are there for the next sync."""
    acme.upstream.faults = [Fault(UPLOAD, status=400, times=1)]
    with pytest.raises(FilesFailedError, match="the upstream refuses it: No luck"):
        await acme.sync()

    plan = await acme.sync()

    assert (len(plan.keep), len(plan.upload)) == (1, 1)
    await acme.consistent()


async def test_indexing_that_stalls_is_given_up(acme):
    """Where nothing is indexed for long, it says so; taken up again, it only waits."""
    with pytest.raises(IndexingStalledError):
        await acme.sync(stalled_seconds=0.0)

    await acme.sync()

    assert acme.upstream.count(UPLOAD) == len(FILES)
    await acme.consistent()


async def test_who_publishes_meanwhile_wins(acme):
    """A publish during the sync is not overwritten: the sync is told, and can be run again."""
    stolen = Stealing(acme)

    with pytest.raises(PublishConflictError):
        await acme.sync(stolen)

    await acme.sync()
    await acme.consistent()


class Stealing:
    """Objects where somebody else publishes just before the pointer is moved."""

    def __init__(self, knowing):
        self._knowing = knowing
        self._objects = knowing.objects

    def __getattr__(self, name):
        return getattr(self._objects, name)

    def write(self, name, content, *, expected, labels=None):
        """See ``Objects``."""
        if name == layout.pointer("acme"):
            document = DOCUMENT.format(id="acme").replace("gpt-6-luna", "gpt-6-sol").encode()
            files = files_of("acme") | {"tenant.toml": document}
            publish(self._objects, prepare("acme", files), ANN)
        return self._objects.write(name, content, expected=expected, labels=labels)


async def test_a_state_of_another_tenant_is_not_believed(tmp_path, upstream):
    """Files that bring another tenant's state neither search its store nor change it."""
    tenants = [Knowing(FileObjects(tmp_path), upstream, each) for each in ("acme", "globex")]
    acme, globex = tenants
    for each in tenants:
        each.onboard()
    await acme.sync()
    stolen = read_release(acme.objects, "acme").files["knowledge.json"]
    files = files_of("globex", {"knowledge/own.md": b"Own."}) | {"knowledge.json": stolen}
    before = await acme.there()

    release = prepare("globex", files, before=read_release(globex.objects, "globex").files)
    publish(globex.objects, release, ANN)
    await globex.sync(directory=write_files(tmp_path / "files" / "globex", files))

    assert acme.state.vector_store_id.encode() not in release.compiled.default.tools
    assert globex.state.vector_store_id != acme.state.vector_store_id
    there = await acme.there()
    assert there[acme.state.vector_store_id] == before[acme.state.vector_store_id]


async def test_a_copied_working_form_gets_its_own_store(tmp_path, upstream):
    """A directory that was copied with its state is synced to a store of its own."""
    acme = Knowing(FileObjects(tmp_path), upstream)
    acme.onboard()
    await acme.sync()
    stolen = read_release(acme.objects, "acme").files["knowledge.json"]
    write_files(tmp_path / "copy", files_of("copy", {"knowledge/own.md": b"Own."}))
    (tmp_path / "copy" / "knowledge.json").write_bytes(stolen)

    await Knowing(acme.objects, upstream, "copy").sync()

    assert len((await acme.there())[acme.state.vector_store_id]) == len(FILES)
    assert acme.state.vector_store_id not in (tmp_path / "copy" / "knowledge.json").read_text()


async def test_two_tenants_of_one_account_keep_apart(tmp_path, upstream):
    """With the same files under one key, each has its own store and its own copies."""
    tenants = [Knowing(FileObjects(tmp_path), upstream, each) for each in ("acme", "globex")]
    for each in tenants:
        each.onboard()
    upstream.faults = [Fault("POST /v1/vector_stores/.*/file_batches", times=99)]
    for each in tenants:
        with pytest.raises(AccountError):
            await each.sync()
    upstream.faults = []

    for each in tenants:
        await each.sync()

    acme, globex = ({file.file_id for file in each.state.files} for each in tenants)
    assert not acme & globex
    assert tenants[0].state.vector_store_id != tenants[1].state.vector_store_id
    assert upstream.count(UPLOAD) == 2 * len(FILES)
    there = await tenants[0].there()
    assert there.pop("uploaded") == acme | globex
    assert sorted(map(sorted, there.values())) == sorted(map(sorted, (acme, globex)))
