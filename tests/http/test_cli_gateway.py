"""The console script ``gateway``, run as people run it: in a process of its own."""

import contextlib
import json
import os
import re
import shlex
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PLAIN = """
schema_version = 1
tenant_id = "{0}"
display_name = "Acme"

[assistant]
id = "asst_{0}_default"
engine = "responses"
model = "gpt-6-luna"
instructions_file = "instructions.md"
"""
UPSTREAM = """
[upstream]
base_url = "https://api.openai.com/v1"
api_key = "secret:openai-api-key"
"""


def add_tenant(folder, tenant_id, extra=""):
    """Write a small tenant into a registry."""
    home = folder / "tenants" / tenant_id
    home.mkdir(parents=True)
    (home / "tenant.toml").write_text(PLAIN.format(tenant_id) + extra)
    (home / "instructions.md").write_text("Be brief.\n")


class Cli:
    """Runs ``gateway`` in a folder, with an environment of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        passed = ("PATH", "HOME", "LANG", "VIRTUAL_ENV", "COVERAGE_PROCESS_START")
        self.environ = {name: os.environ[name] for name in passed if name in os.environ}
        self.environ |= {"PYTHONPATH": str(ROOT), "GATEWAY_TENANTS": f"dir:{folder / 'tenants'}"}

    def start(self, *arguments):
        """Start it and go on."""
        return subprocess.Popen(
            [sys.executable, "-m", "gateway", *arguments],
            cwd=self.folder,
            env=self.environ,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *arguments):
        """Run it to its end; what it said on either stream, and its exit code."""
        process = self.start(*arguments)
        out, err = process.communicate(timeout=60)
        return process.returncode, out, err

    @contextlib.contextmanager
    def serving(self, *arguments):
        """Serve until the block ends; gives the process and what it said when it served."""
        process = self.start("serve", *arguments)
        try:
            yield process, _until(process.stderr, "curl ")
        finally:
            process.send_signal(signal.SIGINT)
            process.communicate(timeout=60)

    def report(self):
        """What ``gateway check --json`` says: exit code, and the checks by name."""
        code, out, _ = self.run("check", "--json")
        report = json.loads(out)
        assert report["ok"] is (code == 0)
        return code, {check["name"]: check for check in report["checks"]}


def _until(stream, start):
    """The lines of a stream up to one that begins so."""
    lines = []
    for line in stream:
        lines.append(line.strip())
        if lines[-1].startswith(start):
            return lines
    pytest.fail("it ended instead:\n" + "\n".join(lines))


@pytest.fixture
def cli(tmp_path):
    """The command in an empty folder with one good tenant."""
    add_tenant(tmp_path, "acme")
    return Cli(tmp_path)


@pytest.mark.parametrize("command", ["serve", "check"])
def test_all_bad_settings_are_told_at_once(cli, command):
    """A start with bad settings names every one of them and ends with 1, without a traceback."""
    cli.environ |= {"GATEWAY_PORT": "http", "LOGGING_LEVEL": "loud", "GATEWAY_TENNANTS": "x"}

    code, out, err = cli.run(command)

    assert code == 1
    for name in ("GATEWAY_PORT", "LOGGING_LEVEL", "GATEWAY_TENNANTS"):
        assert name in out + err
    assert "Traceback" not in out + err


def test_the_curl_line_works_as_pasted(cli, require_program):
    """What is printed once it serves gets an answer, on a fresh folder, without an account."""
    require_program("curl")

    with cli.serving("--port", "0") as (_, said):
        answer = subprocess.run(shlex.split(said[-1]), capture_output=True, check=True)

    body = json.loads(answer.stdout)
    assert body["status"] == "completed"
    assert body["responses"][0]
    assert any("simulator" in line for line in said)


def test_the_default_tenant_answers_at_the_root(cli, require_program):
    """With a default tenant the printed line needs no tenant in its path."""
    require_program("curl")
    cli.environ["GATEWAY_DEFAULT_TENANT"] = "acme"

    with cli.serving("--port", "0") as (_, said):
        subprocess.run([*shlex.split(said[-1]), "--fail"], capture_output=True, check=True)

    assert "/t/" not in said[-1]


def test_stdout_holds_the_log_alone(cli):
    """Each line on stdout is one JSON object, whatever people are told on stderr."""
    process = cli.start("serve", "--port", "0")
    command = shlex.split(_until(process.stderr, "curl ")[-1])
    subprocess.run(command, capture_output=True, check=True)

    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=60)

    events = [json.loads(line)["event"] for line in out.splitlines()]
    assert "turn_answered" in events


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_and_its_simulator(cli, sent):
    """Ctrl-C and SIGTERM end the gateway, and the simulator that it started with it."""
    with cli.serving("--port", "0") as (process, said):
        simulator = re.search(r"http://[\d.]+:(\d+)/v1", "\n".join(said))
        process.send_signal(sent)
        process.wait(timeout=60)

    assert process.returncode in {0, -sent}
    assert "Traceback" not in (process.stderr.read() if not process.stderr.closed else "")
    assert _closes(int(simulator[1]))


def _closes(port):
    """Whether nothing listens on a port any more, waiting for whoever is about to end."""
    for _ in range(200):
        with socket.socket() as client:
            client.settimeout(5)
            if client.connect_ex(("127.0.0.1", port)):
                return True
            with contextlib.suppress(ConnectionError):
                client.recv(1)
    return False


def test_a_taken_port_is_told(cli):
    """Where another program listens, the message says so and how to choose another port."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        code, _, err = cli.run("serve", "--port", port)

    assert code == 1
    assert port in err
    assert "--port" in err
    assert "Traceback" not in err


def test_a_store_in_use_is_told(cli):
    """A second gateway on the same store does not start, and the first one's runs go on."""
    with cli.serving("--port", "0"):
        code, _, err = cli.run("serve", "--port", "0")

    assert code == 1
    assert "GATEWAY_STORE" in err
    assert "Traceback" not in err


def test_a_dotenv_file_is_read(cli):
    """Settings may stand in a .env file of the working directory."""
    (cli.folder / ".env").write_text("GATEWAY_PORT=http\n")

    code, _, err = cli.run("serve")

    assert code == 1
    assert "GATEWAY_PORT" in err


def test_credentials_of_a_dotenv_file_reach_googles_library(cli):
    """Checked or served, the bucket is asked with the file that .env names."""
    del cli.environ["GATEWAY_TENANTS"]
    lines = ["GATEWAY_TENANTS=gs://tenants", "GOOGLE_APPLICATION_CREDENTIALS=away/key.json"]
    lines.append("GATEWAY_DEFAULT_TENANT=acme")
    (cli.folder / ".env").write_text("\n".join([*lines, "OPENAI_API_KEY=sk-planted"]))

    _, checks = cli.report()
    with cli.serving("--port", "0") as (process, _):
        told = next(line for line in process.stdout if "registry_stale" in line)

    assert "away/key.json was not found" in checks["registry"]["faults"][0]
    assert "away/key.json was not found" in json.loads(told)["reason"]


def test_changed_code_is_served_anew(cli, tmp_path):
    """With --reload the server starts again when its code changes, and Ctrl-C still ends it."""
    for package in ("gateway", "tenants", "migrations_of_config"):
        shutil.copytree(ROOT / package, tmp_path / "code" / package)
    cli.environ["PYTHONPATH"] = str(tmp_path / "code")

    with cli.serving("--port", "0", "--reload") as (process, _):
        (tmp_path / "code" / "tenants" / "changed.py").write_text('"""Changed."""\n')
        again = _until(process.stderr, "curl ")
        process.send_signal(signal.SIGINT)
        process.wait(timeout=60)

    assert again[0].startswith("Assistant gateway on ")
    assert process.returncode == 0


def test_an_account_of_the_operators_leaves_the_simulator_out(cli):
    """With OPENAI_API_KEY set, the upstream is OpenAI or what OPENAI_BASE_URL names."""
    cli.environ |= {"OPENAI_API_KEY": "sk-planted", "OPENAI_BASE_URL": "http://127.0.0.1:9/v1"}

    with cli.serving("--port", "0") as (_, said):
        text = "\n".join(said)

    assert "http://127.0.0.1:9/v1" in text
    assert "simulator" not in text
    assert "sk-planted" not in text


def test_check_finds_nothing_wrong(cli):
    """With good settings every part is reached and the exit code is 0, and nothing is made."""
    code, checks = cli.report()

    assert code == 0
    assert list(checks) == ["settings", "registry", "secrets", "store"]
    assert not (cli.folder / ".data").exists()


def test_check_works_beside_a_running_gateway(cli):
    """An operator may check while it serves: a store in use is a store that is reached."""
    with cli.serving("--port", "0"):
        code, _ = cli.report()

    assert code == 0


def test_check_names_what_is_wrong_with_a_tenant(cli):
    """A broken tenant is named with its file, line and field; the good one beside it is not."""
    add_tenant(cli.folder, "broken", extra="temperature = 9\n")

    code, checks = cli.report()

    assert code == 1
    (fault,) = checks["registry"]["faults"]
    assert fault.startswith("broken/tenant.toml:")
    assert "temperature" in fault


def test_check_names_a_missing_secret_and_its_home(cli):
    """A secret that a tenant refers to and nobody set is named with the variable to set."""
    add_tenant(cli.folder, "own", extra=UPSTREAM)

    code, checks = cli.report()
    cli.environ["AGW_OWN__OPENAI_API_KEY"] = "sk-planted"
    mended, _ = cli.report()

    assert (code, mended) == (1, 0)
    assert "AGW_OWN__OPENAI_API_KEY" in checks["secrets"]["faults"][0]


def test_check_names_a_missing_secret_file(cli):
    """With secrets in a directory, the file that is missing is named."""
    add_tenant(cli.folder, "own", extra=UPSTREAM)
    (cli.folder / "secrets").mkdir()
    cli.environ["GATEWAY_SECRETS"] = f"dir:{cli.folder / 'secrets'}"

    _, checks = cli.report()

    assert "agw_own_openai-api-key" in checks["secrets"]["faults"][0]


def test_check_names_a_secret_that_cannot_be_read(cli):
    """A secret that is there and cannot be read is not taken for a good one."""
    add_tenant(cli.folder, "own", extra=UPSTREAM)
    (cli.folder / "secrets" / "agw_own_openai-api-key").mkdir(parents=True)
    cli.environ["GATEWAY_SECRETS"] = f"dir:{cli.folder / 'secrets'}"

    code, checks = cli.report()

    assert code == 1
    assert "cannot be read" in checks["secrets"]["faults"][0]


@pytest.mark.parametrize("command", ["serve", "check"])
def test_missing_directories_are_told(cli, command):
    """A registry and a directory of secrets that are not there are both named."""
    cli.environ |= {"GATEWAY_TENANTS": "dir:nowhere", "GATEWAY_SECRETS": "dir:elsewhere"}

    code, out, err = cli.run(command)

    assert code == 1
    assert "GATEWAY_TENANTS" in out + err
    assert "GATEWAY_SECRETS" in out + err
    assert "Traceback" not in out + err


def test_check_names_an_unknown_default_tenant(cli):
    """A default tenant that the registry does not hold would answer 404 for ever."""
    cli.environ["GATEWAY_DEFAULT_TENANT"] = "amce"

    _, checks = cli.report()

    assert "amce" in checks["registry"]["faults"][0]


@pytest.mark.parametrize("command", ["serve", "check"])
def test_a_store_of_a_newer_version_is_told(cli, command):
    """A database that a newer version wrote is left alone, and named."""
    with contextlib.closing(sqlite3.connect(cli.folder / "new.db")) as connection:
        connection.execute("PRAGMA user_version = 999")
    cli.environ["GATEWAY_STORE"] = "sqlite:new.db"

    code, out, err = cli.run(command)

    assert code == 1
    assert "newer" in out + err
    assert "Traceback" not in out + err


def test_check_prints_for_people(cli):
    """Without --json each part is a line, and each fault a line below it."""
    cli.environ["GATEWAY_DEFAULT_TENANT"] = "amce"

    code, out, _ = cli.run("check")

    assert code == 1
    assert re.search(r"^ok +settings", out, re.MULTILINE)
    assert re.search(r"^wrong +registry.*\n +- .*amce", out, re.MULTILINE)


def test_the_simulator_can_be_served_alone(cli, require_program):
    """`gateway simulator` is an upstream with OpenAI's routes."""
    require_program("curl")
    process = cli.start("simulator", "--port", "0")
    base_url = re.search(r"http://\S+/v1", process.stderr.readline())[0]

    models = subprocess.run(
        ["curl", "-sS", f"{base_url}/models", "-H", "authorization: Bearer x"],
        capture_output=True,
        check=True,
    )
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)

    assert json.loads(models.stdout)["object"] == "list"
