"""``tenantctl``: what an operator sees, and with which exit code."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from tenants.cli import main
from tests.fakes.tenants import write_tenant

ROOT = Path(__file__).resolve().parents[2]
TOOLS = "def f(a: int) -> int:\n    '''Do it.'''\n    return a\nTOOL_MAP = {'f': f}\n"


def tenantctl(*arguments, **environ):
    """Run a command in this process."""
    return CliRunner().invoke(main, [str(each) for each in arguments], env=environ)


def test_valid_tenant_is_shown_with_its_functions(tmp_path):
    """Exit code 0, the assistants, and what a model is told of each function."""
    result = tenantctl("validate", write_tenant(tmp_path, tools=TOOLS))

    assert result.exit_code == 0
    assert "acme is valid" in result.stdout
    assert "asst_acme" in result.stdout
    assert '"description": "Do it."' in result.stdout


def test_valid_tenant_as_json(tmp_path):
    """``--json`` prints one object and nothing else."""
    result = tenantctl("validate", "--json", write_tenant(tmp_path, tools=TOOLS))

    report = json.loads(result.stdout)
    assert report["valid"]
    assert report["faults"] == []
    assert [function["name"] for function in report["functions"]] == ["f"]
    assert report["assistants"] == [{"alias": "default", "id": "asst_acme", "model": "gpt-6-luna"}]


def test_every_fault_is_told_with_file_line_and_field(tmp_path):
    """Exit code 1, and each line can be clicked on in an editor."""
    directory = write_tenant(tmp_path, tools=TOOLS.replace(": int)", ")"), document="x = 1\n")

    result = tenantctl("validate", directory)

    assert result.exit_code == 1
    first, second, last = result.stdout.splitlines()
    assert first.startswith(f"{directory}/tenant.toml:10: tools.x: unknown field; known here: ")
    assert second == f"{directory}/tools.py:1: f(a): annotate it, such as city: str"
    assert last == "acme is not valid: 2 to mend"


def test_faults_as_json(tmp_path):
    """A program gets the same faults in parts."""
    result = tenantctl("validate", "--json", write_tenant(tmp_path, document="temperature = 3\n"))

    assert result.exit_code == 1
    assert json.loads(result.stdout) == {
        "tenant_id": "acme",
        "valid": False,
        "faults": [
            {
                "file": "tenant.toml",
                "line": 6,
                "field": "assistant.temperature",
                "message": "a temperature is between 0 and 2",
            }
        ],
    }


@pytest.mark.parametrize("option", [True, False])
def test_private_upstreams_are_the_operator_s_to_allow(tmp_path, option):
    """By option or by the gateway's own variable."""
    document = '[upstream]\nbase_url = "http://llm:8000/v1"\napi_key = "secret:k"\n'
    directory = write_tenant(tmp_path, document=document)

    refused = tenantctl("validate", directory)
    allowed = (
        tenantctl("validate", "--private-upstreams", "other, llm", directory)
        if option
        else tenantctl("validate", directory, GATEWAY_PRIVATE_UPSTREAMS="llm:8000")
    )

    assert (refused.exit_code, allowed.exit_code) == (1, 0)


@pytest.mark.parametrize(
    "arguments", [["validate"], ["validate", "./nowhere"], ["validate", "--nope", "."], ["nope"]]
)
def test_bad_usage_is_exit_code_2(arguments):
    """What the operator typed wrong is told apart from what is wrong with a tenant."""
    assert tenantctl(*arguments).exit_code == 2


@pytest.mark.parametrize("arguments", [["--help"], ["validate", "--help"], ["completion", "-h"]])
def test_help_has_an_example(arguments):
    """Every command shows how it is used."""
    result = tenantctl(*arguments)

    assert result.exit_code == 0
    assert "Example: " in result.stdout


@pytest.mark.parametrize("shell", ["bash", "fish", "zsh"])
def test_completion_script_is_printed(shell):
    """Shells get click's own script for this program."""
    assert "_TENANTCTL_COMPLETE" in tenantctl("completion", shell).stdout


def test_operator_s_tool_loads_nothing_of_the_gateway(tmp_path):
    """It works on a machine that runs no gateway, from the tenant's own directory too."""
    program = "import sys; from tenants.cli import main; main(sys.argv[1:], standalone_mode=False);"
    program += "print([n for n in sys.modules if n.split('.')[0] in {'gateway', 'aiohttp'}])"

    done = subprocess.run(
        [sys.executable, "-c", program, "validate", "."],
        cwd=write_tenant(tmp_path, tools=TOOLS),
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )

    assert done.stdout.startswith("acme is valid")
    assert done.stdout.splitlines()[-1] == "[]"
