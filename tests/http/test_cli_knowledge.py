"""``tenantctl knowledge sync`` as an operator runs it, against a real, local upstream."""

import asyncio
import json
import signal

import pytest

from tenants.registry.files import FileObjects
from tests.fakes.faulty_upstream import Fault
from tests.fakes.gcs import fake_gcs
from tests.fakes.knowledge import DOCUMENT, FILES, KEY, Knowing, change, files_of, write_files
from tests.fakes.tenantctl import Terminal, run, started, tenantctl

pytest_plugins = ("tests.fakes.knowledge_fixtures",)

SYNC = ("knowledge", "sync", "acme")


@pytest.fixture
def environ(tmp_path, faulty):
    """What an operator's shell knows."""
    return {
        "GATEWAY_TENANTS": f"dir:{tmp_path / 'registry'}",
        "OPENAI_API_KEY": KEY,
        "OPENAI_BASE_URL": faulty.base_url,
    }


@pytest.fixture
def ctl(environ):
    """Runs a command beside the upstream."""

    async def call(*arguments, **more):
        return await asyncio.to_thread(tenantctl, *arguments, **environ | more)

    return call


async def test_a_sync_says_what_it_did(knowing, ctl):
    """In words and as one object, with nothing on standard error; the key is nowhere."""
    told = await ctl(*SYNC, "--by", "ada", "--note", "first")
    again = await ctl(*SYNC, "--json")

    assert (told.exit_code, told.stderr) == (0, "")
    assert "upload knowledge/returns.md" in told.stdout
    assert "acme: revision 2 is in force." in told.stdout
    outcome = json.loads(again.stdout)
    assert outcome["kept"] == sorted(FILES)
    assert (outcome["uploaded"], outcome["changed"], outcome["revision"]) == ([], False, 2)
    assert outcome["vector_store_id"] == knowing.state.vector_store_id
    assert KEY not in told.stdout + again.stdout
    history = json.loads((await ctl("history", "acme", "--json")).stdout)
    assert [each["note"] for each in history] == ["first", ""]


async def test_a_registry_in_a_bucket_is_synced(ctl, faulty, tmp_path):
    """In a bucket as in a directory: onboarded, synced, and synced again without an upload."""
    directory = write_files(tmp_path / "files" / "acme", files_of("acme"))
    with fake_gcs("bucket") as gcs:
        place = {"GATEWAY_TENANTS": "gs://bucket/production", **gcs.environ}
        onboarded = await ctl("onboard", "acme", "--from", directory, **place)
        synced = await ctl(*SYNC, "--json", **place)
        again = await ctl(*SYNC, "--json", **place)

    assert "not offered to the model until its files are uploaded" in onboarded.stdout
    assert json.loads(synced.stdout)["revision"] == 2
    assert json.loads(again.stdout)["kept"] == sorted(FILES)
    assert faulty.count("POST /v1/files") == len(FILES)


async def test_a_dry_run_sends_nothing(knowing, ctl):
    """It shows the plan and says so."""
    told = await ctl(*SYNC, "--dry-run")

    assert told.exit_code == 0
    assert "upload knowledge/shipping.md" in told.stdout
    assert "a dry run" in told.stdout
    assert knowing.upstream.count("POST .*") == 0


async def test_deleting_asks_first(knowing, ctl, tmp_path):
    """Without a terminal it needs --yes, and does nothing at all without it."""
    await knowing.sync()
    fewer = {name: FILES[name] for name in list(FILES)[:1]}
    directory = write_files(tmp_path / "files" / "acme", files_of("acme", fewer))

    refused = await ctl(*SYNC, "--from", directory)
    done = await ctl(*SYNC, "--from", directory, "--yes")

    assert (refused.exit_code, done.exit_code) == (1, 0)
    assert "--yes" in refused.stderr
    assert knowing.revision == 3
    await knowing.consistent(fewer)


async def test_on_a_terminal_the_operator_is_asked(knowing, environ, tmp_path):
    """The plan is shown, then the question; a no changes nothing."""
    await knowing.sync()
    fewer = {name: FILES[name] for name in list(FILES)[:1]}
    directory = write_files(tmp_path / "files" / "acme", files_of("acme", fewer))

    def refuse():
        terminal = Terminal(*SYNC, "--from", directory, environ=environ, folder=tmp_path)
        terminal.sees("delete knowledge/shipping.md")
        terminal.sees("Delete what is wanted no more")
        terminal.types("n")
        return terminal.ends()

    assert await asyncio.to_thread(refuse) == 1
    assert knowing.revision == 2


async def test_validate_and_publish_say_what_is_not_synced(knowing, ctl, tmp_path):
    """An operator is told that the search is not offered, or finds older files, and the remedy."""
    directory = write_files(tmp_path / "files" / "acme", files_of("acme"))
    before = await ctl("validate", "acme")
    await knowing.sync()
    synced = await ctl("validate", "acme")
    (directory / "knowledge" / "new.md").write_text("News.")
    published = await ctl("publish", "acme", "--from", directory)

    assert "not offered to the model until its files are uploaded" in before.stdout
    assert "tenantctl knowledge sync acme" in before.stdout
    assert "knowledge sync" not in synced.stdout
    assert "hosted tool file_search" in synced.stdout
    assert "file_search finds what was uploaded before" in published.stdout
    assert "knowledge.json" not in published.stdout


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"OPENAI_API_KEY": ""}, "set OPENAI_API_KEY"),
        ({"OPENAI_API_KEY": "sk-invalid"}, "it refuses the key"),
        ({"OPENAI_API_KEY": "sk-a\nplanted"}, "set it anew"),
        ({"OPENAI_API_KEY": "sk-\u2026planted"}, "set it anew"),
        ({"OPENAI_BASE_URL": "http://127.0.0.1:9/v1"}, "cannot be reached"),
    ],
)
async def test_an_account_that_does_not_work_is_told(knowing, ctl, change, words):
    """In one line with its remedy, exit code 1, and nothing changed."""
    told = await ctl(*SYNC, **change)

    assert told.exit_code == 1
    assert words in told.stderr
    assert "Traceback" not in told.stderr
    assert "planted" not in told.stdout + told.stderr
    assert knowing.revision == 1


async def test_a_tenant_has_its_own_account(tmp_path, faulty, ctl):
    """The tenant's own upstream and its secret are used, not the operator's."""
    own = DOCUMENT.format(id="acme") + (
        f'[upstream]\nbase_url = "{faulty.base_url}"\napi_key = "secret:openai-api-key"\n'
    )
    files = files_of("acme") | {"tenant.toml": own.encode()}
    directory = write_files(tmp_path / "registry" / "acme", files)
    options = (*SYNC, "--private-upstreams", "127.0.0.1")

    missing = await ctl(*options)
    done = await ctl(*options, AGW_ACME__OPENAI_API_KEY="sk-theirs", OPENAI_API_KEY="")

    assert "secrets set acme openai-api-key" in missing.stderr
    assert (done.exit_code, done.stderr) == (0, "")
    there = await Knowing(FileObjects(tmp_path), faulty, key="sk-theirs").there()
    assert len(there["uploaded"]) == len(FILES)
    assert faulty.base_url in (directory / "knowledge.json").read_text()


async def test_a_store_at_an_account_that_was_left_is_named(knowing, ctl):
    """Nobody else knows of it any more: where it is and under which key, in words and JSON."""
    await knowing.sync()
    left = knowing.state.vector_store_id
    change(knowing, FILES, DOCUMENT + '[upstream]\napi_key = "secret:own"\n')

    told = await ctl(*SYNC, AGW_ACME__OWN="sk-own")
    again = await ctl(*SYNC, "--json", AGW_ACME__OWN="sk-own")

    assert f"The vector store {left} stays at the operator's upstream" in told.stdout
    assert json.loads(again.stdout)["left_stores"] == [
        {"vector_store_id": left, "base_url": None, "secret": None}
    ]


@pytest.mark.parametrize(
    ("knowledge", "words"),
    [
        ({}, "no file matches"),
        ({"knowledge/a.zip": b"x"}, "this type cannot be searched"),
        ({"knowledge/a.md": b""}, "this is empty"),
        ({"knowledge/big.md": b"x" * (32 * 2**20 + 1)}, "larger than 32 MiB"),
        ({f"knowledge/{n}.md": b"x" for n in range(1001)}, "more than 1,000 files"),
    ],
    ids=["none", "type", "empty", "size", "count"],
)
async def test_files_that_do_not_fit_are_told_before_anything_is_sent(
    knowing, ctl, tmp_path, knowledge, words
):
    """What upstream would not take is said at once, and no request is made."""
    directory = write_files(tmp_path / "files" / "acme", files_of("acme", knowledge))

    told = await ctl(*SYNC, "--from", directory)

    assert told.exit_code == 1
    assert words in told.stderr
    assert knowing.upstream.asked == []


async def test_links_that_lead_out_are_refused(knowing, ctl, tmp_path):
    """A file that is a link to somewhere else is never uploaded."""
    directory = write_files(tmp_path / "files" / "acme", files_of("acme"))
    (tmp_path / "secret.md").write_text("secret")
    (directory / "knowledge" / "link.md").symlink_to(tmp_path / "secret.md")

    told = await ctl(*SYNC, "--from", directory)

    assert told.exit_code == 1
    assert "leads out of the tenant's directory" in told.stderr
    assert knowing.upstream.asked == []


@pytest.mark.parametrize(
    ("tenant", "words"), [("nobody", "There is no tenant nobody"), ("plain", "has no knowledge")]
)
async def test_a_tenant_without_knowledge_is_told(ctl, tmp_path, tenant, words):
    """A tenant that is not there, and one that has no knowledge, each in one line."""
    bare = DOCUMENT.format(id="plain").partition("[tools]")[0].encode()
    write_files(tmp_path / "registry" / "plain", files_of("plain", {}) | {"tenant.toml": bare})

    told = await ctl("knowledge", "sync", tenant)

    assert told.exit_code == 1
    assert words in told.stderr


async def test_in_a_pipe_there_are_plain_lines_alone(knowing, environ, tmp_path):
    """No progress bar, no control character, and no warning of a library beside it."""
    told = await asyncio.to_thread(run, *SYNC, environ=environ, folder=tmp_path)

    assert (told.returncode, told.stderr) == (0, "")
    assert told.stdout.replace("\n", "").isprintable()
    await knowing.consistent()


@pytest.mark.parametrize(
    "ending",
    [
        (signal.SIGKILL, "POST /v1/vector_stores"),
        (signal.SIGKILL, "POST /v1/files"),
        (signal.SIGKILL, "POST /v1/vector_stores/.*/file_batches"),
        (signal.SIGINT, "POST /v1/vector_stores/.*/file_batches"),
    ],
)
async def test_a_process_that_ends_while_it_sends_leaves_nothing_twice(
    knowing, ctl, environ, tmp_path, ending
):
    """Killed or interrupted while upstream does what it asked, the next run takes that up."""
    how, knowing.upstream.held = ending
    with started(*SYNC, environ=environ, folder=tmp_path) as process:
        await knowing.upstream.holds()
        process.send_signal(how)
        await knowing.upstream.release()
        await asyncio.to_thread(process.communicate)

    told = await ctl(*SYNC)

    assert told.exit_code == 0, told.stderr
    assert knowing.upstream.count("POST /v1/files") == len(FILES)
    await knowing.consistent()


async def test_faults_of_single_files_are_all_told(knowing, ctl):
    """Every file that upstream refuses is named in one report."""
    knowing.upstream.faults = [Fault("POST /v1/files", status=400, times=2)]

    told = await ctl(*SYNC)

    assert told.exit_code == 1
    assert [line.partition(":")[0] for line in told.stderr.splitlines()[:2]] == sorted(FILES)
    assert "Nothing was published" in told.stderr
