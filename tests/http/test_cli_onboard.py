"""``tenantctl onboard``: from nothing, or from what was before, to a conversation."""

import asyncio
import json
import shlex
import subprocess
from pathlib import Path

import aiohttp
import pytest

from tests.fakes.gateway import serving
from tests.fakes.simulator import RecordingSimulator
from tests.fakes.tenantctl import Terminal, run, tenantctl
from tests.fakes.tenants import write_tenant

FIXTURES = Path(__file__).resolve().parents[1] / "fixtures_of_config"
GENERATIONS = [*sorted(FIXTURES.glob("*.json")), FIXTURES / "client_spec" / "spec.py"]
RUN_BY_NOBODY = "raise SystemExit("


@pytest.fixture
async def upstream():
    """What answers in a model's place."""
    async with RecordingSimulator() as simulator:
        yield simulator


@pytest.fixture
def environ(tmp_path, upstream):
    """The variables of a gateway that demands keys, and of the operator."""
    (tmp_path / "registry").mkdir()
    return {
        "GATEWAY_TENANTS": f"dir:{tmp_path / 'registry'}",
        "GATEWAY_STORE": f"sqlite:{tmp_path / 'gateway.db'}",
        "GATEWAY_REQUIRE_KEYS": "true",
        "OPENAI_BASE_URL": upstream.base_url,
        "OPENAI_API_KEY": "sk-operator-planted",
        "AGW_ACME__OPENAI_API_KEY": "sk-acme-planted",
    }


async def onboard(*arguments, environ):
    """Onboard from a process of its own; what it printed."""
    folder = Path(environ["GATEWAY_TENANTS"].removeprefix("dir:")).parent
    done = await asyncio.to_thread(
        run, "onboard", *arguments, "--json", environ=environ, folder=folder
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout)


async def chat(made, key):
    """Say something to a new tenant; the status and the answer."""
    async with aiohttp.ClientSession() as session:
        headers = {"authorization": f"Bearer {key}"}
        body = {"message": "Hello"}
        async with session.post(made["urls"]["chat"], json=body, headers=headers) as answer:
            return answer.status, await answer.json()


def as_it_was_used(path, folder):
    """The file with what lies beside it, without the line by which nobody can run it."""
    folder.mkdir()
    for each in path.parent.glob("*.py" if path.suffix == ".py" else path.name):
        text, _, _ = each.read_text().partition(RUN_BY_NOBODY)
        (folder / each.name).write_text(text)
    return folder / path.name


def all_that_is_kept(environ):
    """Every byte of the registry."""
    registry = Path(environ["GATEWAY_TENANTS"].removeprefix("dir:"))
    return b"".join(each.read_bytes() for each in registry.rglob("*") if each.is_file())


@pytest.mark.parametrize("path", GENERATIONS, ids=lambda path: path.stem)
async def test_every_generation_is_onboarded_and_answers(environ, path, tmp_path):
    """Without a hand edit, on a gateway that runs already; no key of it is written anywhere."""
    path = as_it_was_used(path, tmp_path / "earlier")
    async with serving(environ) as gateway:
        made = await onboard("acme", "--from", path, "--gateway", gateway.url, environ=environ)
        status, answer = await chat(made, made["key"])
        refused, _ = await chat(made, made["key"][:-1] + "!")

    assert (status, refused) == (200, 401)
    assert answer["responses"][0]
    kept = all_that_is_kept(environ)
    assert b"sk-planted" not in kept
    assert made["key"].encode() not in kept


def test_imported_files_are_those_that_are_onboarded(environ, tmp_path):
    """``import`` and ``onboard --from`` the same file make the same tenant."""
    path = FIXTURES / "g7.json"

    tenantctl("import", path, "--id", "acme", "--to", tmp_path / "imported", "--json")
    tenantctl("onboard", "acme", "--from", path, **environ)

    same = tenantctl(
        *("publish", "acme", "--from", tmp_path / "imported" / "acme", "--json"), **environ
    )
    assert json.loads(same.stdout)["changed"] is False


async def test_the_curl_line_works_as_pasted(environ, require_program, tmp_path):
    """In a shell, before the gateway that was named."""
    require_program("curl")
    async with serving(environ) as gateway:
        said = tenantctl("onboard", "acme", "--gateway", gateway.url, **environ).stdout
        line = next(line for line in said.splitlines() if line.strip().startswith("curl"))
        shell = ["sh", "-c", line]
        done = await asyncio.to_thread(
            subprocess.run, shell, capture_output=True, check=True, cwd=tmp_path
        )

    assert json.loads(done.stdout)["status"] == "completed"
    assert shlex.split(line)[0] == "curl"


def test_somebody_at_a_terminal_is_asked(environ, tmp_path):
    """For what is missing, with a default each; then once more, having seen all of it."""
    terminal = Terminal("onboard", "acme", environ=environ, folder=tmp_path)

    terminal.sees("Name [Acme]")
    terminal.types("Acme Support")
    terminal.sees("Model [gpt-6-luna]")
    terminal.types("")
    terminal.sees("Instructions [")
    terminal.types("You help with invoices.")
    terminal.sees("own account")
    terminal.types("")
    terminal.sees("+You help with invoices.")
    terminal.sees('+display_name = "Acme Support"')
    terminal.sees("Do it? [y/N]")
    terminal.types("y")

    assert terminal.ends() == 0
    assert "agw_acme_" in terminal.said
    assert "curl -sS" in terminal.said
    listed = json.loads(tenantctl("list", "--json", **environ).stdout)
    assert [(each["id"], each["name"]) for each in listed] == [("acme", "Acme Support")]


@pytest.mark.parametrize("how", ["no", "ctrl-c"])
def test_who_says_no_has_done_nothing(environ, tmp_path, how):
    """Neither after an n nor after Ctrl-C in the middle of a question."""
    terminal = Terminal("onboard", "acme", "--name", "Acme", environ=environ, folder=tmp_path)

    terminal.sees("Model [")
    if how == "no":
        terminal.types("")
        terminal.sees("Instructions [")
        terminal.types("")
        terminal.sees("own account")
        terminal.types("")
        terminal.sees("Do it? [y/N]")
        terminal.types("n")
    code = terminal.ends() if how == "no" else terminal.leaves()

    assert code == (1 if how == "no" else 130)
    assert "Traceback" not in terminal.said
    assert ("nobody agreed" if how == "no" else "Stopped") in terminal.said
    assert json.loads(tenantctl("list", "--json", **environ).stdout) == []


def test_a_terminal_gets_tables_and_dates(environ, tmp_path):
    """What a pipe gets without frames."""
    tenantctl("onboard", "acme", "--from", write_tenant(tmp_path / "files"), **environ)
    terminal = Terminal("list", environ=environ, folder=tmp_path)

    assert terminal.ends() == 0
    assert "───" in terminal.said
    assert "UTC" in terminal.said


def test_a_very_long_table_is_printed_at_once(environ, tmp_path):
    """Frames would take seconds, for thousands of tenants."""
    for number in range(1_001):
        (tmp_path / "registry" / f"acme-{number}").mkdir()
        (tmp_path / "registry" / f"acme-{number}" / "tenant.toml").touch()
    terminal = Terminal("list", environ=environ, folder=tmp_path)

    assert terminal.ends() == 0
    assert "───" not in terminal.said
    assert terminal.said.count("working form") == 1_001


def test_offboarding_asks_somebody_at_a_terminal(environ, tmp_path):
    """And says beforehand what will be gone."""
    tenantctl("onboard", "acme", "--from", write_tenant(tmp_path / "files"), **environ)
    terminal = Terminal("offboard", "acme", environ=environ, folder=tmp_path)

    terminal.sees("Then acme is deleted: 1 revision, its keys, its audit.")
    terminal.sees("Delete acme for good? [y/N]")
    terminal.types("y")

    assert terminal.ends() == 0
    assert (tmp_path / "acme.offboarded" / "tenant.toml").exists()
    assert "Its threads remain" in terminal.said
    assert json.loads(tenantctl("list", "--json", **environ).stdout) == []
