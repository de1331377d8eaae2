"""``tenantctl import``: what is written, shown and refused, and with which exit code."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from migrations_of_config.earlier.importing import Source, import_config
from tenants.cli.import_files import write
from tenants.compiling import compile_tenant
from tenants.sources import read_sources
from tests.fakes.tenantctl import Terminal, tenantctl

ROOT = Path(__file__).resolve().parents[2]
FIXTURES = ROOT / "tests" / "fixtures_of_config"


def names_in(directory):
    """What a directory holds, hidden entries too."""
    return sorted(path.name for path in directory.iterdir())


def blob(root, document, name="acme"):
    """A document under the name that it has in a bucket."""
    path = root / "configs" / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(document))
    return path


def test_an_import_can_be_served(tmp_path):
    """What needs nothing that this version lacks is served without a hand edit."""
    file = blob(tmp_path, {"assistant_id": "asst_abc", "function_names": ["get_weather"]})

    result = tenantctl("import", file, "--to", tmp_path / "tenants")

    tenant = compile_tenant(read_sources(tmp_path / "tenants" / "acme"), private_upstreams=set())
    assert result.exit_code == 0
    assert tenant.default.id == "asst_abc"
    assert tenant.default.functions == ("get_weather",)
    assert names_in(tmp_path / "tenants") == ["acme"]


@pytest.mark.parametrize("path", sorted(FIXTURES.glob("*.json")), ids=lambda path: path.stem)
def test_every_generation_is_imported(tmp_path, path):
    """Each exits 0; what this version cannot serve yet is still to do, in the validator's words."""
    result = tenantctl("import", path, "--id", "acme", "--to", tmp_path, "--json")

    report = json.loads(result.stdout)
    faults = {fault["field"] for fault in report["faults"]}
    assert result.exit_code == 0
    assert report["written"]
    assert report["valid"] == (not faults)
    assert faults <= {"tools.hosted", "knowledge"}
    assert {name: (tmp_path / "acme" / name).read_text() for name in report["files"]} == (
        report["files"]
    )
    assert "sk-planted" not in result.output


def test_a_dry_run_shows_all_and_writes_nothing(tmp_path):
    """The files as a diff, and the report."""
    file = blob(tmp_path, {"assistant_id": "asst_abc", "retrieval": True, "x": 1})

    result = tenantctl("import", file, "--to", tmp_path / "tenants", "--dry-run")

    assert result.exit_code == 0
    assert '+id = "asst_abc"' in result.stdout
    assert "retrieval -> tenant.toml: tools.hosted" in result.stdout
    assert "x = 1  (no generation has such a field)" in result.stdout
    assert not (tmp_path / "tenants").exists()


def test_an_existing_tenant_is_written_over_only_when_asked(tmp_path):
    """No by default; yes keeps the files that the import does not write."""
    file = blob(tmp_path, {"assistant_id": "asst_new"})
    directory = tmp_path / "acme"
    (directory / "knowledge").mkdir(parents=True)
    (directory / "tenant.toml").write_text('id = "asst_old"\n')
    (directory / "knowledge" / "a.md").write_text("kept")

    nobody = tenantctl("import", file, "--to", tmp_path)
    silent = tenantctl("import", file, "--to", tmp_path, "--json")
    after_refusals = (directory / "tenant.toml").read_text()
    terminal = Terminal("import", file, "--to", tmp_path, environ={}, folder=tmp_path)
    terminal.sees("Write over its files? [y/N]")
    terminal.types("y")

    assert [nobody.exit_code, silent.exit_code, terminal.ends()] == [1, 1, 0]
    assert "--yes writes over its files" in nobody.stderr
    assert not json.loads(silent.stdout)["written"]
    assert after_refusals == 'id = "asst_old"\n'
    assert '-id = "asst_old"' in nobody.stdout
    assert 'id = "asst_new"' in (directory / "tenant.toml").read_text()
    assert (directory / "knowledge" / "a.md").read_text() == "kept"
    assert names_in(tmp_path) == ["acme", "configs"]


def test_a_write_that_fails_leaves_what_was_there(tmp_path):
    """Whole or not at all: neither half a tenant nor a workshop is left."""
    directory = tmp_path / "acme"
    directory.mkdir()
    (directory / "tenant.toml").write_text("old")

    with pytest.raises(OSError, match="knowledge"):
        write(directory, {"tenant.toml": "new", "knowledge/missing/x": ""})

    assert (directory / "tenant.toml").read_text() == "old"
    assert names_in(tmp_path) == ["acme"]


def test_links_in_an_existing_tenant_are_not_followed(tmp_path):
    """A link named tenant.toml is replaced, and what it leads to stays as it is."""
    (tmp_path / "outside").write_text("mine")
    (tmp_path / "acme").mkdir()
    (tmp_path / "acme" / "tenant.toml").symlink_to(tmp_path / "outside")

    write(tmp_path / "acme", {"tenant.toml": "new"})

    assert (tmp_path / "outside").read_text() == "mine"
    assert (tmp_path / "acme" / "tenant.toml").read_text() == "new"


def test_every_fault_is_told(tmp_path):
    """Exit code 1, a line each with the field, or an object each."""
    file = blob(tmp_path, {"assistant_id": 1, "code_interpreter": "yes"})

    words = tenantctl("import", file, "--to", tmp_path)
    parts = tenantctl("import", file, "--to", tmp_path, "--json")

    assert [words.exit_code, parts.exit_code] == [1, 1]
    assert f"{file}: assistant_id: expected a string" in words.stderr
    assert f"{file}: code_interpreter: expected true or false" in words.stderr
    assert [each["field"] for each in json.loads(parts.stdout)["errors"]] == [
        "assistant_id",
        "code_interpreter",
    ]


@pytest.mark.parametrize(
    "arguments",
    [["import"], ["import", "nowhere"], ["import", "--id", "A B", str(ROOT / "LICENSE")]],
)
def test_bad_usage_is_exit_code_2(arguments):
    """What the operator typed wrong is told apart from what is wrong with a document."""
    assert tenantctl(*arguments).exit_code == 2


def test_a_tenant_s_own_directory_is_no_place_for_tenants(tmp_path):
    """Whoever names the tenant's directory meant the folder around it."""
    (tmp_path / "tenant.toml").touch()

    result = tenantctl("import", blob(tmp_path, {"assistant_id": "a"}), "--to", tmp_path)

    assert result.exit_code == 2


def test_modules_are_read_from_beside_the_file_alone(tmp_path):
    """A document cannot have a file from elsewhere copied into a tenant."""
    (tmp_path / "mine.py").write_text("TOOL_MAP = {}\n")
    document = {"instructions": "x", "functions_module": "../mine.py"}

    result = tenantctl("import", blob(tmp_path, document), "--to", tmp_path, "--json")

    assert "tools.py" not in json.loads(result.stdout)["files"]


def test_values_cannot_steer_the_terminal(tmp_path):
    """An escape sequence in a document is shown, not obeyed."""
    file = blob(tmp_path, {"instructions": "x\x1b[2J", "odd": "\x9b"})

    result = tenantctl("import", file, "--to", tmp_path)

    assert not {"\x1b", "\x9b"} & set(result.output)


def test_the_tool_module_is_not_run(tmp_path):
    """Neither to read it nor to validate the result; nothing of the gateway is loaded."""
    file = blob(tmp_path, {"assistant_id": "asst_a", "function_names": ["f"]})
    (file.parent / "tools.py").write_text("import os\nos.abort()\nTOOL_MAP = {}\n")
    program = "import sys; from tenants.cli import main; main(sys.argv[1:], standalone_mode=False);"
    program += "print([n for n in sys.modules if n.split('.')[0] in {'gateway', 'aiohttp'}])"

    done = subprocess.run(
        [sys.executable, "-c", program, "import", file, "--to", tmp_path],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )

    assert (tmp_path / "acme" / "tools.py").read_text().startswith("import os")
    assert done.stdout.splitlines()[-1] == "[]"


def test_help_has_an_example():
    """Each of the commands shows how it is used."""
    for command in ("import", "migrate", "schema"):
        assert "Example: " in tenantctl(command, "--help").stdout


def test_the_files_are_those_of_the_reader(tmp_path):
    """The command adds nothing of its own."""
    file = blob(tmp_path, {"assistant_id": "asst_abc"})

    tenantctl("import", file, "--to", tmp_path)

    files = import_config(Source(file.as_posix(), file.read_bytes())).files
    assert {each.name for each in (tmp_path / "acme").iterdir()} == {*files}
