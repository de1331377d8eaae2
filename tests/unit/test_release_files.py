"""Which files a release takes, and what is said of those that it cannot take."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenants.documents import FILE
from tenants.errors import InvalidTenantError
from tenants.knowledge.state import AccountRef, KnowledgeState, encode
from tenants.releases.files import (
    LARGEST_KNOWLEDGE_FILE_BYTES,
    LARGEST_RELEASE_BYTES,
    MOST_FILES,
    Collected,
    collect,
    release_sources,
)
from tenants.releases.release import Preparing, prepare, prepare_directory
from tenants.sources import LARGEST_FILE_BYTES, digest
from tests.fakes.releases import files_of
from tests.fakes.tenants import DOCUMENT, write_tenant

TOOLS = "def f() -> str:\n    return ''\nTOOL_MAP = {'f': f}\n"
FILES = st.dictionaries(st.text(max_size=5), st.binary(max_size=5), max_size=4)


def faults_of(files, tenant_id="acme") -> dict[str, str]:
    """What is wrong with files in memory, by file."""
    with pytest.raises(InvalidTenantError) as raised:
        prepare(tenant_id, files)
    return {fault.file: fault.message for fault in raised.value.faults}


def test_directory_gives_what_its_document_names_and_its_knowledge(tmp_path):
    """Instructions, tools, all of knowledge and its state go along; everything else stays."""
    directory = write_tenant(tmp_path, tools=TOOLS)
    (directory / "knowledge" / "deep").mkdir(parents=True)
    (directory / "knowledge" / "deep" / "a.pdf").write_bytes(b"\0\xff")
    (directory / "knowledge" / ".DS_Store").write_bytes(b"x")
    (directory / "knowledge.json").write_bytes(encode(KnowledgeState("vs_1", AccountRef(), ())))
    (directory / "README.md").write_text("Not for a model.")
    (directory / "keys.json").write_text("{}")

    release = prepare_directory("acme", directory)

    assert set(release.files) == {
        FILE,
        "instructions.md",
        "tools.py",
        "knowledge.json",
        "knowledge/deep/a.pdf",
    }
    assert release.files["knowledge/deep/a.pdf"] == b"\0\xff"
    assert release.compiled.revision == release.sha256


def test_same_files_are_one_release_wherever_they_come_from(tmp_path):
    """A directory under any name and files in memory have one digest."""
    directory = write_tenant(tmp_path)

    first = prepare_directory("acme", directory)
    second = prepare_directory("acme", directory.rename(tmp_path / "work in progress"))

    assert first.sha256 == second.sha256 == prepare("acme", files_of()).sha256


def test_release_is_of_the_tenant_that_its_document_names(tmp_path):
    """One tenant's files cannot be published as another's by mistake."""
    write_tenant(tmp_path, "acme")

    with pytest.raises(InvalidTenantError, match='write tenant_id = "beta"'):
        prepare_directory("beta", tmp_path / "acme")


@given(FILES, FILES)
def test_digest_tells_any_two_sets_of_files_apart(one, other):
    """Equal digests mean equal names and bytes, whatever their order."""
    assert digest(one) == digest(dict(reversed(one.items())))
    assert (digest(one) == digest(other)) == (one == other)


def test_every_fault_of_every_file_is_told_at_once():
    """What is missing, named by nothing, misnamed or of the wrong kind comes in one answer."""
    files = files_of() | {
        "instruction.md": b"A typing error.",
        "compiled.json": b"{}",
        "../out.md": b"",
        "a\nb": b"",
        "knowledge/a": b"",
        "knowledge/a/b": b"",
        "instructions.md": b"\xff",
    }

    found = faults_of(files)

    assert set(found) == {
        "tenant.toml",
        "instruction.md",
        "compiled.json",
        "../out.md",
        "'a\\nb'",
        "knowledge/a/b",
    }
    assert "nothing in tenant.toml names it" in found["instruction.md"]
    assert "not UTF-8" in found["tenant.toml"]


def test_no_files_at_all_are_one_fault():
    """A release has a document."""
    assert faults_of({}) == {FILE: "does not exist: write it"}


def test_files_and_releases_have_a_largest_size():
    """Too large a file, too many of them, and too much together are each named."""
    many = {f"knowledge/{number}.md": b"" for number in range(MOST_FILES)}
    block = bytes(LARGEST_KNOWLEDGE_FILE_BYTES)
    much = {
        f"knowledge/{number}": block
        for number in range(LARGEST_RELEASE_BYTES // LARGEST_KNOWLEDGE_FILE_BYTES)
    }

    large = faults_of(files_of(instructions_md=bytes(LARGEST_FILE_BYTES + 1)))
    larger = faults_of(files_of(knowledge__a=bytes(LARGEST_KNOWLEDGE_FILE_BYTES + 1)))

    assert "larger than 1 MiB" in large["instructions.md"]
    assert "larger than 32 MiB" in larger["knowledge/a"]
    assert "more than 1,000 files" in faults_of(files_of() | many)["knowledge/"]
    assert "larger than 128 MiB" in faults_of(files_of() | much)["knowledge/"]
    assert not release_sources("acme", Collected(files_of(knowledge__a=block))).faults


def test_files_that_lead_out_of_a_directory_stay_out(tmp_path):
    """A link to somebody else's file is a fault, and its content is in no release."""
    directory = write_tenant(tmp_path)
    (tmp_path / "secret").write_text("planted")
    (directory / "knowledge").mkdir()
    (directory / "knowledge" / "a.md").symlink_to(tmp_path / "secret")
    (directory / "knowledge" / "loop.md").symlink_to(directory / "knowledge" / "loop.md")

    collected = collect(directory)
    with pytest.raises(InvalidTenantError) as raised:
        prepare_directory("acme", directory)

    assert b"planted" not in b"".join(collected.files.values())
    assert {fault.file for fault in raised.value.faults} == {"knowledge/a.md", "knowledge/loop.md"}


def test_directory_without_end_is_read_up_to_the_limit(tmp_path):
    """Nobody waits for a directory that is no tenant's."""
    directory = write_tenant(tmp_path)
    (directory / "knowledge").mkdir()
    for number in range(MOST_FILES + 20):
        (directory / "knowledge" / f"{number}.md").touch()

    assert len(collect(directory).files) == MOST_FILES + 1
    with pytest.raises(InvalidTenantError, match="more than 1,000 files"):
        prepare_directory("acme", directory)


@pytest.mark.parametrize(
    ("source", "words"),
    [
        (b"def f(:\n", "this is not Python"),
        (b"import nothing_of_the_kind\n", "ModuleNotFoundError"),
        (b"raise SystemExit(3)\n", "SystemExit"),
        (b"import os\nos._exit(3)\n", "ended the process"),
        (b"TOOL_MAP = 7\n", "write the functions by name"),
        (b"\xff\xfe", "not Python"),
    ],
)
def test_tool_module_that_cannot_be_imported_is_no_release(source, words):
    """What importing it does is told as a fault of its file."""
    document = DOCUMENT.format(tenant_id="acme") + (
        '[tools]\nmodule = "tools.py"\nisolation = "inline"\n'
    )

    found = faults_of(files_of(tenant_toml=document.encode(), tools_py=source))

    assert words in found["tools.py"]


def test_tools_are_refused_where_they_may_run_in_cells_alone(tmp_path):
    """A gateway that demands isolation takes no tool module, and does not even import it."""
    document = DOCUMENT.format(tenant_id="acme") + (
        '[tools]\nmodule = "tools.py"\nisolation = "inline"\n'
    )
    trace = tmp_path / "imported"
    tools = f"open({str(trace)!r}, 'w').close()\nTOOL_MAP = {{}}\n".encode()
    files = files_of(tenant_toml=document.encode(), tools_py=tools)

    with pytest.raises(InvalidTenantError) as raised:
        prepare("acme", files, Preparing(inline_tools=False))

    assert [(fault.field, fault.line) for fault in raised.value.faults] == [("tools.isolation", 8)]
    assert "GATEWAY_TOOL_ISOLATION=required" in str(raised.value)
    assert not trace.exists()
    assert prepare("acme", files).compiled.tool_module is not None
    assert trace.exists()
    assert prepare("acme", files_of(), Preparing(inline_tools=False))
