"""From a tenant's directory to its compiled form."""

import json
import sys

import pytest

from tenants.errors import InvalidTenantError
from tenants.model import SecretRef
from tests.fakes.tenants import compile_directory, write_tenant

TOOLS = '''"""Tools."""


def double(n: int) -> int:
    """Double a number.

    Args:
        n: the number
    """
    return 2 * n


def greet(name: str) -> str:
    """Greet."""
    return name


TOOL_MAP = {"double": double, "greet": greet}
'''


def faults_of(directory) -> list[tuple[str, int | None, str]]:
    """What is wrong with a directory: file, line, field."""
    with pytest.raises(InvalidTenantError) as raised:
        compile_directory(directory)
    return [(fault.file, fault.line, fault.field) for fault in raised.value.faults]


def test_tenant_is_prepared_for_requests(tmp_path):
    """Instructions are read, models resolved, tools encoded: nothing is left to look up."""
    document = """[assistants.research]
id = "asst_research"
model = "smart"
instructions_file = "prompts/research.md"
initial_message = "What shall I find?"
[models]
smart = "gpt-6-sol"
[upstream]
base_url = "https://llm.example.com/v1/"
api_key = "secret:llm-key"
[access]
allowed_origins = ["https://acme.example"]
expose_tool_calls = true
"""
    directory = write_tenant(tmp_path, tools=TOOLS, document=document, instructions="Sé breve.\n")
    (directory / "prompts").mkdir()
    (directory / "prompts" / "research.md").write_text("\ufeffFind out.")

    tenant = compile_directory(directory)

    assert (tenant.tenant_id, tenant.display_name) == ("acme", "acme")
    assert tenant.default.instructions == "Sé breve.\n"
    assert tenant.default.functions == ("double", "greet")
    assert [tool["name"] for tool in json.loads(tenant.default.tools)] == ["double", "greet"]
    assert tenant.default.timeout_seconds == 5
    research = tenant.assistants["research"]
    assert (research.alias, research.model) == ("research", "gpt-6-sol")
    assert (research.instructions, research.initial_message) == ("Find out.", "What shall I find?")
    assert research.tools == tenant.default.tools
    assert tenant.upstream.base_url == "https://llm.example.com/v1"
    assert tenant.upstream.api_key == SecretRef("llm-key")
    assert tenant.allowed_origins == {"https://acme.example"}
    assert tenant.expose_tool_calls


def test_tenant_s_own_key_may_go_to_the_operator_s_upstream(tmp_path):
    """An account of its own needs no URL of its own."""
    tenant = compile_directory(
        write_tenant(tmp_path, document='[upstream]\napi_key = "secret:llm-key"\n')
    )

    assert (tenant.upstream.base_url, tenant.upstream.api_key) == (None, SecretRef("llm-key"))


def test_tenant_without_tools_has_none(tmp_path):
    """A ``tools.py`` that the document does not name is no tool module."""
    directory = write_tenant(tmp_path)
    (directory / "tools.py").write_text("raise SystemExit")

    tenant = compile_directory(directory)

    assert (tenant.default.tools, tenant.default.functions) == (b"[]", ())
    assert tenant.tool_module is None


def test_only_the_named_functions_are_offered(tmp_path):
    """``functions`` chooses among ``TOOL_MAP`` and gives the order."""
    directory = write_tenant(tmp_path, tools=TOOLS, document='functions = ["greet"]\n')

    assert compile_directory(directory).default.functions == ("greet",)


def test_revision_changes_with_every_file_and_with_nothing_else(tmp_path):
    """Equal files are one revision; a change of any of them is another."""
    directory = write_tenant(tmp_path, tools=TOOLS)
    first = compile_directory(directory).revision
    (directory / "notes.txt").write_text("not named by the document")

    same = compile_directory(directory).revision
    revisions = {first}
    for name in ("tenant.toml", "instructions.md", "tools.py"):
        file = directory / name
        file.write_text(file.read_text() + "\n")
        revisions.add(compile_directory(directory).revision)

    assert same == first
    assert len(revisions) == 4


def test_compiling_leaves_no_module_behind(tmp_path):
    """Memory goes with the tenants that are called, so modules are dropped once described."""
    before = set(sys.modules)

    compile_directory(write_tenant(tmp_path, tools=TOOLS))

    added = set(sys.modules) - before
    assert not [name for name in added if name.startswith("tenant_tools")]


def test_code_that_nobody_allowed_in_this_process_is_not_run(tmp_path):
    """Without ``isolation = "inline"`` the module is not even imported."""
    directory = write_tenant(tmp_path, tools=f"open({str(tmp_path / 'ran')!r}, 'w').close()\n")
    document = (directory / "tenant.toml").read_text().replace('isolation = "inline"\n', "")
    (directory / "tenant.toml").write_text(document)

    assert faults_of(directory) == [("tenant.toml", 6, "tools.isolation")]
    assert not (tmp_path / "ran").exists()


def test_faults_of_all_files_come_at_once(tmp_path):
    """Document, instructions and tools are told together."""
    tools = "def f(a, b: bytes): ...\nTOOL_MAP = {'f': f, 'g': 3}\n"
    directory = write_tenant(tmp_path, tools=tools, document="[assistant.extra]\n")
    (directory / "instructions.md").unlink()

    assert faults_of(directory) == [
        ("tenant.toml", 3, "assistant.instructions_file"),
        ("tenant.toml", 10, "assistant.extra"),
        ("tools.py", None, 'TOOL_MAP["g"]'),
        ("tools.py", 1, "f(a)"),
        ("tools.py", 1, "f(b)"),
    ]


@pytest.mark.parametrize(
    ("source", "line", "words"),
    [
        ("def f(:\n", 1, "not Python"),
        ("\n\nraise ValueError('boom')\n", 3, "ValueError: boom"),
        ("import sys\nsys.exit(3)\n", 2, "SystemExit: 3"),
        ("import nowhere_to_be_found\n", 1, "No module named"),
        ("def f():\n    return 1 / 0\nf()\n", 2, "ZeroDivisionError"),
        ("raise KeyboardInterrupt\n", 1, "KeyboardInterrupt"),
        ("x = 1\x00", None, "null bytes"),
        ("TOOL_MAP = {}\nprint('hello')\n", None, "prints"),
        ("def f(): ...\n", None, "TOOL_MAP = {"),
        ("TOOL_MAP = []\n", None, "TOOL_MAP = {"),
        ("TOOL_MAP = {1: print}\n", None, "TOOL_MAP = {"),
        ("def f(): ...\nTOOL_MAP = {f'f{n}': f for n in range(129)}\n", None, "at most 128"),
        ("def f(): ...\nTOOL_MAP = {'get weather': f}\n", None, "letters, digits"),
        ("TOOL_MAP = {'f': 'f'}\n", None, "not a function"),
        ("(" * 500 + ")" * 500, 1, ""),
    ],
)
def test_module_that_cannot_be_used_is_a_fault(tmp_path, source, line, words, capfd):
    """Whatever a module does at import becomes a fault with its line; nothing is printed."""
    directory = write_tenant(tmp_path, tools=source)

    with pytest.raises(InvalidTenantError) as raised:
        compile_directory(directory)

    (fault,) = raised.value.faults
    assert (fault.file, fault.line) == ("tools.py", line)
    assert words in fault.message
    assert capfd.readouterr() == ("", "")


def test_function_that_is_not_in_the_module_is_told_with_the_nearest(tmp_path):
    """A typing mistake in ``functions`` is found, on its line."""
    directory = write_tenant(tmp_path, tools=TOOLS, document='functions = ["greet", "dubble"]\n')

    with pytest.raises(InvalidTenantError) as raised:
        compile_directory(directory)

    (fault,) = raised.value.faults
    assert (fault.file, fault.line, fault.field) == ("tenant.toml", 10, "tools.functions")
    assert "did you mean double?" in fault.message


def test_modules_of_two_tenants_are_two(tmp_path):
    """Equal file names and equal class names do not meet."""
    tools = "from __future__ import annotations\nfrom dataclasses import dataclass\n"
    tools += "@dataclass\nclass Point:\n    {0}: int\ndef f(p: Point) -> int:\n    return p.{0}\n"
    tools += "TOOL_MAP = {{'f': f}}\n"

    tenants = [
        compile_directory(write_tenant(tmp_path, name, tools=tools.format(name)))
        for name in ("one", "two")
    ]

    assert [
        list(json.loads(t.default.tools)[0]["parameters"]["properties"]["p"]["properties"])
        for t in tenants
    ] == [["one"], ["two"]]


@pytest.mark.parametrize("content", [b"\xff\xfe", b"x" * 1_048_577])
def test_instructions_that_are_no_text_or_too_long_are_refused(tmp_path, content):
    """What is not UTF-8 or over a mebibyte is told at the field that names it."""
    directory = write_tenant(tmp_path)
    (directory / "instructions.md").write_bytes(content)

    assert faults_of(directory) == [("tenant.toml", 3, "assistant.instructions_file")]


def test_instructions_beyond_what_upstreams_take_are_refused(tmp_path):
    """256,000 characters are the most."""
    directory = write_tenant(tmp_path, instructions="x" * 256_001)

    assert faults_of(directory) == [("tenant.toml", 3, "assistant.instructions_file")]
    assert compile_directory(write_tenant(tmp_path, instructions="x" * 256_000))


def test_links_out_of_the_directory_and_in_circles_are_refused(tmp_path):
    """A tenant's files are its own."""
    (tmp_path / "secret.md").write_text("planted")
    directory = write_tenant(tmp_path / "tenants")
    (directory / "instructions.md").unlink()

    for target in (tmp_path / "secret.md", directory / "instructions.md", tmp_path):
        (directory / "instructions.md").symlink_to(target)
        assert faults_of(directory) == [("tenant.toml", 3, "assistant.instructions_file")]
        (directory / "instructions.md").unlink()


def test_directory_without_a_document_is_told(tmp_path):
    """What is missing is named."""
    assert faults_of(tmp_path) == [("tenant.toml", None, "")]


@pytest.mark.parametrize("tenant_id", ["weather", "support", "plain"])
def test_example_is_valid(request, tenant_id):
    """The examples compile as they stand in the repository."""
    tenant = compile_directory(request.config.rootpath / "examples" / "tenants" / tenant_id)

    assert tenant.tenant_id == tenant_id
    assert tenant.default.instructions
