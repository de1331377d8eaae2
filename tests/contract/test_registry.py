"""The registry port, on every adapter: what it serves, and what a change does to it."""

import asyncio
import os
import shutil
import time

import pytest
from structlog.testing import capture_logs

from tenants.errors import (
    RegistryUnavailableError,
    TenantUnavailableError,
    UnknownTenantError,
)
from tenants.registry.directory import DirectoryRegistry
from tests.fakes.tenants import until, write_tenant

pytest_plugins = ("tests.fakes.served_directory",)

WITHIN_SECONDS = 1.0


async def test_tenant_is_loaded_once_and_then_found_in_memory(served):
    """The first request reads it; every other one finds the same value without waiting."""
    write_tenant(served.root)
    await served.registry.start()
    before = served.registry.cached("acme")

    tenants = await asyncio.gather(*(served.registry.load("acme") for _ in range(20)))

    assert before is None
    assert {id(tenant) for tenant in tenants} == {id(served.registry.cached("acme"))}
    assert tenants[0].default.instructions == "Be brief."
    assert served.events == ["loaded"]


@pytest.mark.parametrize(
    "tenant_id", ["other", "", ".", "..", "ACME", "acme/", "acme\n", "a" * 64, "-a", "tenants"]
)
async def test_unknown_id_is_unknown(served, tenant_id):
    """No id but the names of tenants' directories finds anything."""
    write_tenant(served.root)
    await served.registry.start()

    with pytest.raises(UnknownTenantError):
        await served.registry.load(tenant_id)
    assert served.registry.cached(tenant_id) is None


async def test_broken_tenant_is_unavailable_and_harms_no_other(served):
    """Everything that is wrong is logged under its id; its neighbour is served."""
    write_tenant(served.root, "broken", document="temperature = 9\n[nonsense]\n")
    write_tenant(served.root, "good")
    with capture_logs() as logs:
        await served.registry.start()
        with pytest.raises(TenantUnavailableError):
            await served.registry.load("broken")
        await served.registry.load("good")
        await served.counted("loaded", "rejected")

    (line,) = (line for line in logs if line["event"] == "tenant_rejected")
    assert line["tenant_id"] == "broken"
    assert len(line["faults"]) == 2
    assert served.registry.ids() == ["broken", "good"]


async def test_tenants_are_validated_in_the_background(served):
    """Without any request all tenants come into memory and faults into the log."""
    for number in range(5):
        write_tenant(served.root, f"t{number}")
    write_tenant(served.root, "broken", document="x = 1\n")

    await served.registry.start()

    await served.counted(*["loaded"] * 5, "rejected")
    assert served.registry.loaded() == 5


async def test_change_is_served_within_a_second(served):
    """A saved file is in force within a second, without a restart."""
    directory = write_tenant(served.root)
    await served.registry.start()
    await served.counted("loaded")

    (directory / "instructions.md").write_text("Rhyme.")

    await until(lambda: served.instructions() == "Rhyme.", WITHIN_SECONDS)


async def test_change_right_after_the_start_is_not_missed(served):
    """What changes while the registry starts is served all the same."""
    directory = write_tenant(served.root)
    await served.registry.start()
    await served.registry.load("acme")

    (directory / "instructions.md").write_text("Rhyme.")

    await until(lambda: served.instructions() == "Rhyme.", WITHIN_SECONDS)


async def test_broken_change_leaves_the_last_good_revision_in_force(served):
    """A bad save is told and counted once; the next good one is served."""
    directory = write_tenant(served.root)
    await served.registry.start()
    await served.counted("loaded")
    good = served.registry.cached("acme")
    document = (directory / "tenant.toml").read_text()

    with capture_logs() as logs:
        (directory / "tenant.toml").write_text(document + "temperature = 9\n")
        await served.counted("loaded", "rejected")
    assert served.registry.cached("acme") is good
    assert await served.registry.load("acme") is good
    assert [line["tenant_id"] for line in logs if line["event"] == "tenant_rejected"] == ["acme"]

    (directory / "tenant.toml").write_text(document + "temperature = 1\n")
    await until(lambda: served.registry.cached("acme").default.temperature == 1, WITHIN_SECONDS)


async def test_broken_tool_module_leaves_the_last_good_one_in_force(served):
    """A syntax error in ``tools.py`` changes nothing for clients."""
    source = "def f() -> str:\n    return 'x'\nTOOL_MAP = {'f': f}\n"
    directory = write_tenant(served.root, tools=source)
    await served.registry.start()
    await served.counted("loaded")

    (directory / "tools.py").write_text("def f(:\n")
    await served.counted("loaded", "rejected")

    assert served.registry.cached("acme").default.functions == ("f",)
    (directory / "tools.py").write_text(source.replace("f'", "g'").replace("'f'", "'g'"))
    await until(lambda: served.registry.cached("acme").default.functions == ("g",), WITHIN_SECONDS)


async def test_tenant_that_is_repaired_becomes_available(served):
    """What was never good is served once it is."""
    write_tenant(served.root, document="x = 1\n")
    await served.registry.start()
    await served.counted("rejected")

    write_tenant(served.root)

    await until(lambda: served.instructions() == "Be brief.", WITHIN_SECONDS)


async def test_new_directory_is_served_and_a_removed_one_is_unknown(served):
    """Tenants come and go without a restart."""
    write_tenant(served.root, "first")
    await served.registry.start()
    await served.counted("loaded")

    write_tenant(served.root, "second")
    await until(lambda: served.instructions("second") is not None, WITHIN_SECONDS)
    shutil.rmtree(served.root / "first")
    await until(lambda: served.registry.ids() == ["second"], WITHIN_SECONDS)

    with pytest.raises(UnknownTenantError):
        await served.registry.load("first")
    assert served.events.count("removed") == 1


async def test_saves_as_editors_do_them_are_served(served):
    """Temporary file and rename, and delete and create: both end with the new text."""
    directory = write_tenant(served.root)
    await served.registry.start()
    await served.counted("loaded")
    target = directory / "instructions.md"

    (directory / ".instructions.md.swp~").write_text("Renamed.")
    (directory / ".instructions.md.swp~").rename(target)
    await until(lambda: served.instructions() == "Renamed.", WITHIN_SECONDS)

    target.unlink()
    assert served.instructions() == "Renamed."
    target.write_text("Recreated.")
    await until(lambda: served.instructions() == "Recreated.", WITHIN_SECONDS)


async def test_half_a_save_never_takes_the_tenant_away(served):
    """While a document is written in pieces the last good revision is served."""
    directory = write_tenant(served.root)
    await served.registry.start()
    await served.counted("loaded")
    text = (directory / "tenant.toml").read_text() + 'initial_message = "Whole."\n'

    with (directory / "tenant.toml").open("w") as file:
        file.write(text[:40])
        file.flush()
        await until(lambda: "rejected" in served.events)
        assert served.instructions() == "Be brief."
        file.write(text[40:])

    await until(
        lambda: served.registry.cached("acme").default.initial_message == "Whole.", WITHIN_SECONDS
    )


async def test_reverted_breakage_is_quiet_and_told_again_when_it_returns(served):
    """Going back to the good text is no new revision; breaking it again is a new rejection."""
    directory = write_tenant(served.root)
    await served.registry.start()
    await served.counted("loaded")
    good = (directory / "tenant.toml").read_text()

    (directory / "tenant.toml").write_text("x")
    await served.counted("loaded", "rejected")
    (directory / "tenant.toml").write_text(good)
    await until(lambda: not served.registry.health("acme").refused)
    (directory / "tenant.toml").write_text("x")

    await served.counted("loaded", "rejected", "rejected")


async def test_links_out_of_the_registry_are_not_followed(served, tmp_path):
    """Neither a tenant nor one of its files is read from elsewhere."""
    write_tenant(tmp_path / "elsewhere", "linked")
    (served.root / "linked").symlink_to(tmp_path / "elsewhere" / "linked")
    (tmp_path / "secret.txt").write_text("planted")
    directory = write_tenant(served.root, "reader")
    (directory / "instructions.md").unlink()
    (directory / "instructions.md").symlink_to(tmp_path / "secret.txt")
    await served.registry.start()

    with pytest.raises(UnknownTenantError):
        await served.registry.load("linked")
    with pytest.raises(TenantUnavailableError):
        await served.registry.load("reader")


async def test_links_as_kubernetes_mounts_them_are_followed(served):
    """A ConfigMap's files are links within the directory, swapped as a whole."""
    directory = write_tenant(served.root)
    for version in ("..1", "..2"):
        (directory / version).mkdir()
        for name in ("tenant.toml", "instructions.md"):
            shutil.copy(directory / name, directory / version / name)
    (directory / "..2" / "instructions.md").write_text("Second.")
    (directory / "..data").symlink_to("..1")
    for name in ("tenant.toml", "instructions.md"):
        (directory / name).unlink()
        (directory / name).symlink_to(f"..data/{name}")
    await served.registry.start()
    await until(lambda: served.instructions() == "Be brief.")

    (directory / "..data_tmp").symlink_to("..2")
    (directory / "..data_tmp").rename(directory / "..data")

    await until(lambda: served.instructions() == "Second.", WITHIN_SECONDS)


async def test_special_files_are_not_opened(served):
    """A pipe in place of a document cannot hang the registry."""
    (served.root / "pipe").mkdir()
    os.mkfifo(served.root / "pipe" / "tenant.toml")
    await served.registry.start()

    with pytest.raises(TenantUnavailableError):
        await asyncio.wait_for(served.registry.load("pipe"), 2)


async def test_module_that_hangs_at_import_harms_no_other(served, monkeypatch):
    """It is rejected after its time; the others are served meanwhile."""
    monkeypatch.setattr("tenants.registry.directory.COMPILE_TIMEOUT_SECONDS", 0.3)
    write_tenant(served.root, "a-hangs", tools="import threading\nthreading.Event().wait(3)\n")
    write_tenant(served.root, "good")
    await served.registry.start()

    await asyncio.wait_for(served.registry.load("good"), 0.25)

    with pytest.raises(TenantUnavailableError):
        await served.registry.load("a-hangs")


async def test_module_that_ends_its_process_harms_nobody(served):
    """Its last good revision stays in force, the fault is logged, the others are served."""
    source = "def f() -> str:\n    return 'x'\nTOOL_MAP = {'f': f}\n"
    directory = write_tenant(served.root, tools=source)
    await served.registry.start()
    await served.counted("loaded")
    good = served.registry.cached("acme")

    with capture_logs() as logs:
        (directory / "tools.py").write_text("import os\nos._exit(0)\n")
        await served.counted("loaded", "rejected")
    write_tenant(served.root, "other", tools=source)
    other = await served.registry.load("other")

    assert await served.registry.load("acme") is good
    assert other.default.functions == ("f",)
    (line,) = (line for line in logs if line["event"] == "tenant_rejected")
    assert line["tenant_id"] == "acme"
    assert line["faults"] == ["tools.py: importing it ended the process that reads it"]


async def test_tenant_that_was_just_made_is_served_at_once(served):
    """An id that is not known is looked for on the disk before it is refused."""
    await served.registry.start()
    await until(served.registry._watching.is_set)
    write_tenant(served.root, "new")
    known = served.registry.ids()

    tenant = await served.registry.load("new")

    assert known == []
    assert tenant.default.instructions == "Be brief."
    assert served.registry.ids() == ["new"]


async def test_directory_that_is_not_there_is_told_at_the_start(tmp_path):
    """The operator learns at once, not from the first request."""
    registry = DirectoryRegistry(
        tmp_path / "nowhere", private_upstreams=frozenset(), on_event=lambda _: None
    )

    with pytest.raises(RegistryUnavailableError) as raised:
        await registry.start()
    assert "nowhere" in raised.value.detail


async def test_many_tenants_do_not_hold_up_the_start_or_the_loop(served):
    """With 1,000 tenants to validate, the start and every step of the loop stay short."""
    source = "def f(a: int) -> int:\n    return a\nTOOL_MAP = {'f': f}\n"
    for number in range(1000):
        write_tenant(served.root, f"t{number}", tools=source)

    began = time.perf_counter()
    await served.registry.start()
    await served.registry.load("t999")
    ready_seconds = time.perf_counter() - began
    longest_seconds = 0.0
    while served.registry.loaded() < 200:
        step = time.perf_counter()
        await asyncio.sleep(0)
        longest_seconds = max(longest_seconds, time.perf_counter() - step)

    assert ready_seconds < 1.0
    assert longest_seconds < 0.2


async def test_registry_follows_even_where_watching_is_not_possible(served, monkeypatch):
    """Without the system's watches it looks again and again, and says so."""

    def refuse(*_args):
        raise OSError("no inotify watches are left")

    monkeypatch.setattr("tenants.registry.directory.watch", refuse)
    directory = write_tenant(served.root)
    with capture_logs() as logs:
        await served.registry.start()
        await served.counted("loaded")

    (directory / "instructions.md").write_text("Rhyme.")

    await until(lambda: served.instructions() == "Rhyme.", WITHIN_SECONDS)
    assert [line["event"] for line in logs].count("registry_watch_failed") == 1


async def test_directory_that_is_moved_in_is_followed_as_well(served, tmp_path):
    """A tenant that was prepared elsewhere is served, and so are its later changes."""
    await served.registry.start()
    write_tenant(tmp_path / "prepared").rename(served.root / "acme")
    await until(lambda: served.instructions() == "Be brief.", WITHIN_SECONDS)

    (served.root / "acme" / "instructions.md").write_text("Rhyme.")

    await until(lambda: served.instructions() == "Rhyme.", WITHIN_SECONDS)


async def test_stopped_registry_starts_again(served):
    """Stopping ends the following, and what changed meanwhile is found at the next start."""
    directory = write_tenant(served.root)
    await served.registry.start()
    await served.counted("loaded")
    await served.registry.stop()
    (directory / "instructions.md").write_text("Rhyme.")

    await served.registry.start()

    await until(lambda: served.instructions() == "Rhyme.", WITHIN_SECONDS)
