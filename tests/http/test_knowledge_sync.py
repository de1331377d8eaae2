"""Syncing a tenant's knowledge to a vector store of a real, local upstream."""

import pytest

from tenants.knowledge.errors import AccountError
from tenants.knowledge.material import gather
from tenants.registry import layout
from tenants.registry.files import FileObjects
from tenants.releases.errors import PublishConflictError
from tenants.releases.pointers import Intent
from tenants.releases.publishing import publish
from tenants.releases.reading import read_release
from tenants.releases.release import PREPARING, prepare
from tenants.releases.switching import rollback
from tests.fakes.faulty_upstream import Fault
from tests.fakes.knowledge import DOCUMENT, FILES, NOW, Knowing, change, files_of, write_files
from tests.fakes.objects import Interrupted, KilledError

pytest_plugins = ("tests.fakes.knowledge_fixtures",)

UPLOAD = "POST /v1/files"
ANN = Intent("ann", NOW)


async def test_the_first_sync_uploads_everything_and_publishes(knowing):
    """Every file is uploaded and indexed, and a revision names the store and the files."""
    plan = await knowing.sync()

    assert [each.path for each in plan.upload] == sorted(FILES)
    assert knowing.revision == 2
    assert b"file_search" in read_release(knowing.objects, "acme").compiled.default.tools
    await knowing.consistent()


async def test_the_tools_name_the_synced_store(knowing):
    """What is sent to the upstream are both hosted tools, with the store that was made."""
    before = read_release(knowing.objects, "acme").compiled.default.tools
    await knowing.sync()
    after = read_release(knowing.objects, "acme").compiled.default.tools

    store = knowing.state.vector_store_id.encode()
    assert before == b'[{"type":"code_interpreter","container":{"type":"auto"}}]'
    assert after == (
        b'[{"type":"file_search","vector_store_ids":["%b"]},'
        b'{"type":"code_interpreter","container":{"type":"auto"}}]' % store
    )


async def test_an_unchanged_sync_writes_nothing(knowing):
    """Synced again, nothing is sent but questions, and no revision is published."""
    await knowing.sync()
    done = len(knowing.upstream.asked)

    plan = await knowing.sync()

    assert not plan.sends
    assert not plan.deletes
    assert {asked.partition(" ")[0] for asked in knowing.upstream.asked[done:]} == {"GET"}
    assert knowing.revision == 2
    await knowing.consistent()


async def test_one_changed_file_is_the_one_that_is_uploaded(knowing):
    """Only the changed file goes up; what it replaces is deleted, the other one is kept."""
    await knowing.sync()
    kept = {file.path: file.file_id for file in knowing.state.files}
    changed = FILES | {"knowledge/returns.md": b"Returns are accepted within 60 days."}
    change(knowing, changed)

    plan = await knowing.sync()

    assert [each.path for each in plan.upload] == ["knowledge/returns.md"]
    assert knowing.upstream.count(UPLOAD) == 3
    now = {file.path: file.file_id for file in knowing.state.files}
    assert now["knowledge/shipping.md"] == kept["knowledge/shipping.md"]
    assert now["knowledge/returns.md"] != kept["knowledge/returns.md"]
    await knowing.consistent(changed)


async def test_a_removed_file_goes_once_the_new_revision_is_in_force(knowing):
    """It is deleted after the publish: while that fails, the old revision has all it names."""
    await knowing.sync()
    fewer = {"knowledge/returns.md": FILES["knowledge/returns.md"]}
    change(knowing, fewer)
    whole = await knowing.there()

    with pytest.raises(KilledError):
        await knowing.sync(Interrupted(knowing.objects, writes=1))
    assert await knowing.there() == whole

    plan = await knowing.sync()
    assert [each.path for each in plan.remove] == ["knowledge/shipping.md"]
    assert knowing.upstream.count(UPLOAD) == 2
    await knowing.consistent(fewer)


async def test_a_rollback_is_synced_back(knowing):
    """After a rollback a sync brings the store in line with the revision in force."""
    await knowing.sync()
    change(knowing, {"knowledge/other.md": b"Something else."})
    await knowing.sync()
    rollback(knowing.objects, "acme", ANN, to=2)

    await knowing.sync()

    await knowing.consistent()


async def test_a_directory_is_synced_and_published(knowing, tmp_path):
    """With a directory, its files are published, together with the store that they are in."""
    knowledge = {"knowledge/deep/er.txt": b"Deep knowledge.", "knowledge/a.pdf": b"%PDF-1 \xff\xfe"}
    directory = write_files(tmp_path / "elsewhere" / "acme", files_of("acme", knowledge))

    await knowing.sync(directory=directory)

    assert knowing.revision == 2
    assert "knowledge/deep/er.txt" in read_release(knowing.objects, "acme").files
    await knowing.consistent(knowledge)


async def test_publishing_files_keeps_what_is_synced(knowing):
    """A publish that brings no state goes on searching the store, until the next sync."""
    await knowing.sync()

    change(knowing, FILES | {"knowledge/new.md": b"News."})

    assert b"file_search" in read_release(knowing.objects, "acme").compiled.default.tools


async def test_a_tenant_in_working_form_keeps_its_form(tmp_path, faulty):
    """A directory that was never published gets its state beside its files, and no revision."""
    knowing = Knowing(FileObjects(tmp_path), faulty)
    write_files(tmp_path / "acme", files_of("acme"))

    await knowing.sync()

    material = gather(knowing.objects, "acme", PREPARING)
    state = material.job(NOW).state
    assert material.held is None
    assert {file.path for file in state.files} == set(FILES)
    assert (tmp_path / "acme" / "knowledge.json").is_file()


async def test_a_dry_run_changes_nothing(knowing):
    """It says what would be uploaded, and neither upstream nor registry is written."""
    before = [(each.name, each.generation) for each in knowing.objects.list("**")]

    plan = await knowing.sync(dry_run=True)

    assert [each.path for each in plan.upload] == sorted(FILES)
    assert await knowing.there() == {"uploaded": set()}
    assert [(each.name, each.generation) for each in knowing.objects.list("**")] == before


async def test_progress_is_told(knowing):
    """Who watches hears of uploading and indexing, up to the last file."""
    await knowing.sync()

    assert ("Uploading", 2, 2) in knowing.told_last
    assert knowing.told_last[-1] == ("Indexing", 2, 2)


async def test_who_publishes_meanwhile_wins(knowing):
    """A publish during the sync is not overwritten: the sync is told, and can be run again."""
    stolen = Stealing(knowing)

    with pytest.raises(PublishConflictError):
        await knowing.sync(stolen)

    await knowing.sync()
    await knowing.consistent()


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


async def test_a_state_of_another_tenant_is_not_believed(tmp_path, faulty):
    """Files that bring another tenant's state neither search its store nor change it."""
    tenants = [Knowing(FileObjects(tmp_path), faulty, each) for each in ("acme", "globex")]
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


async def test_a_copied_working_form_gets_its_own_store(tmp_path, faulty):
    """A directory that was copied with its state is synced to a store of its own."""
    acme = Knowing(FileObjects(tmp_path), faulty)
    acme.onboard()
    await acme.sync()
    stolen = read_release(acme.objects, "acme").files["knowledge.json"]
    write_files(tmp_path / "copy", files_of("copy", {"knowledge/own.md": b"Own."}))
    (tmp_path / "copy" / "knowledge.json").write_bytes(stolen)

    await Knowing(acme.objects, faulty, "copy").sync()

    assert len((await acme.there())[acme.state.vector_store_id]) == len(FILES)
    assert acme.state.vector_store_id not in (tmp_path / "copy" / "knowledge.json").read_text()


async def test_two_tenants_of_one_account_keep_apart(tmp_path, faulty):
    """With the same files under one key, each has its own store and its own copies."""
    tenants = [Knowing(FileObjects(tmp_path), faulty, each) for each in ("acme", "globex")]
    for each in tenants:
        each.onboard()
    faulty.faults = [Fault("POST /v1/vector_stores/.*/file_batches", times=99)]
    for each in tenants:
        with pytest.raises(AccountError):
            await each.sync()
    faulty.faults = []

    for each in tenants:
        await each.sync()

    acme, globex = ({file.file_id for file in each.state.files} for each in tenants)
    assert not acme & globex
    assert tenants[0].state.vector_store_id != tenants[1].state.vector_store_id
    assert faulty.count(UPLOAD) == 2 * len(FILES)
    there = await tenants[0].there()
    assert there.pop("uploaded") == acme | globex
    assert sorted(map(sorted, there.values())) == sorted(map(sorted, (acme, globex)))
