"""``tenantctl secrets``, as an operator and a script meet it, on each store that can be written."""

import asyncio
import contextlib
import json
import os
import pty
import sys
from pathlib import Path

import attrs
import grpc
import pytest

from tests.fakes.secret_manager import PROJECT, SecretManager
from tests.fakes.tenants import write_tenant

ROOT = Path(__file__).parents[2]
VALUE = "sk-planted-value"
DOCUMENT = """
[upstream]
api_key = "secret:openai-api-key"
[tools.mcp.crm]
url = "https://mcp.example/mcp"
authorization = "secret:crm-mcp"
[tools]
secrets = ["crm-token"]
"""


@attrs.frozen
class Done:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def json(self):
        """Its output, decoded."""
        return json.loads(self.out)


@attrs.frozen
class Operator:
    """Runs ``tenantctl secrets`` with these variables."""

    environ: dict[str, str]

    async def start(self, *arguments, stdin=asyncio.subprocess.PIPE):
        """Start a command."""
        return await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", "from tenants.cli import main; main()", "secrets"),
            *arguments,
            env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), **self.environ},
            stdin=stdin,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            start_new_session=True,
        )

    async def run(self, *arguments, given=b""):
        """Run a command; ``given`` is its standard input."""
        process = await self.start(*arguments)
        out, err = await process.communicate(given)
        return Done(process.returncode, out.decode(), err.decode())


@pytest.fixture
async def manager():
    """An empty Secret Manager."""
    async with SecretManager() as running:
        yield running


@pytest.fixture
def google(tmp_path, manager):
    """An operator of Secret Manager."""
    write_tenant(tmp_path / "tenants", document=DOCUMENT)
    return Operator(
        {
            "GATEWAY_TENANTS": f"dir:{tmp_path / 'tenants'}",
            "GATEWAY_SECRETS": f"gcp:{PROJECT}",
            "SECRET_MANAGER_EMULATOR_HOST": manager.address,
        }
    )


@pytest.fixture(params=["directory", "secret-manager"])
def operator(request, tmp_path, google):
    """An operator of each store."""
    if request.param == "secret-manager":
        return google
    (tmp_path / "secrets").mkdir()
    return Operator(google.environ | {"GATEWAY_SECRETS": f"dir:{tmp_path / 'secrets'}"})


async def test_a_secret_is_set_listed_and_rotated(operator):
    """Each command says what it did, to people and to programs, and never the value."""
    said = [
        await operator.run("set", "acme", "openai-api-key", given=f"{VALUE}\n".encode()),
        await operator.run("rotate", "acme", "openai-api-key", given=f"{VALUE}-2\r\n".encode()),
        await operator.run("list", "acme"),
        await operator.run("set", "acme", "crm-token", "--json", given=VALUE.encode()),
        listed := await operator.run("list", "acme", "--json"),
    ]

    assert {each.code for each in said} == {0}
    assert {each.err for each in said} == {""}
    assert VALUE not in str(said)
    assert "openai-api-key is rotated" in said[1].out
    assert "openai-api-key" in said[2].out
    assert said[3].json["name"] == "crm-token"
    assert [(row["name"], row["state"], row["referred_to"]) for row in listed.json] == [
        ("crm-token", "enabled", True),
        ("openai-api-key", "enabled", True),
        ("crm-mcp", "missing", True),
    ]
    assert all(row["created_at"] > 1_700_000_000 for row in listed.json[:2])


async def test_one_newline_is_cut_off(google, manager):
    """What an editor adds is no part of a value; everything else is."""
    await google.run("set", "acme", "pem", given=b"-----\n lines \n\n")

    assert manager.secrets["agw_acme_pem"][-1].data == b"-----\n lines \n"


async def test_rotation_keeps_the_way_back(google, manager):
    """The version before stays enabled, older ones are disabled, and nothing is destroyed."""
    await google.run("set", "acme", "key", given=b"one")
    await google.run("rotate", "acme", "key", given=b"two")

    third = await google.run("rotate", "acme", "key", "--json", given=b"three")
    versions = await google.run("list", "acme", "key", "--json")

    assert third.json["version"] == 3
    assert third.json["disabled"] == [1]
    assert [(row["version"], row["state"]) for row in versions.json] == [
        (3, "enabled"),
        (2, "enabled"),
        (1, "disabled"),
    ]
    assert [each.data for each in manager.secrets["agw_acme_key"]] == [b"one", b"two", b"three"]


async def test_rotation_keeps_a_version_that_the_document_names(google, manager, tmp_path):
    """A tenant that pinned one goes on: its version stays enabled, whatever its age."""
    write_tenant(tmp_path / "tenants", document='[upstream]\napi_key = "secret:key@1"\n')
    for value in (b"one", b"two", b"three"):
        await google.run("set", "acme", "key", given=value)

    done = await google.run("rotate", "acme", "key", "--json", given=b"four")

    assert done.json["disabled"] == [2]
    assert manager.secrets["agw_acme_key"][0].state == 1


async def test_rotation_disables_nothing_where_no_document_is_known(google, manager):
    """Any version may be in use then, and the operator is told."""
    for value in (b"one", b"two"):
        await google.run("set", "newcomer", "key", given=value)

    done = await google.run("rotate", "newcomer", "key", given=b"three")

    assert done.code == 0
    assert "Nothing was disabled" in done.out
    assert {each.state for each in manager.secrets["agw_newcomer_key"]} == {1}


async def test_rotation_that_cannot_disable_says_what_is_done(google, manager):
    """The new value is in use; what is left to do is named."""
    for value in (b"one", b"two"):
        await google.run("set", "acme", "key", given=value)
    manager.forbidden = {"DisableSecretVersion"}

    done = await google.run("rotate", "acme", "key", given=b"three")

    assert done.code == 1
    assert "Done so far: version 3 is written, and in use." in done.err
    assert manager.secrets["agw_acme_key"][-1].data == b"three"


async def test_only_what_is_there_is_rotated(operator):
    """A name that was mistyped makes no new secret."""
    done = await operator.run("rotate", "acme", "kye", given=VALUE.encode())

    assert done.code == 1
    assert "tenantctl secrets set acme kye" in done.err
    assert (await operator.run("list", "acme", "kye", "--json")).json == []


@pytest.mark.parametrize("value", [b"", b"\n", b" \r\n", b"a\0b", b"\xff", b"x" * 65_537], ids=repr)
async def test_what_is_no_value_is_refused(google, manager, value):
    """Nothing is written, and what was given is not repeated."""
    done = await google.run("set", "acme", "key", given=value)

    assert done.code == 1
    assert done.err.startswith("Nothing was written: the value ")
    assert not manager.calls


@pytest.mark.parametrize(
    "arguments",
    [
        ("set",),
        ("set", "acme"),
        ("set", "ACME", "key"),
        ("set", "acme", "sk-Planted_Value"),
        ("set", "acme", "key", VALUE),
        ("set", "acme", "key", "--secrets", "vault:x"),
        ("rotate", "acme", "key", VALUE, VALUE),
        ("list",),
    ],
)
async def test_bad_usage_is_exit_code_2(google, manager, arguments):
    """A value on the command line is refused without being repeated, also as a name."""
    done = await google.run(*arguments, given=b"x")

    assert done.code == 2
    assert VALUE not in done.out + done.err
    assert "Planted" not in done.out + done.err
    assert not manager.calls


async def test_the_environment_is_set_elsewhere(google):
    """The operator is told which variable, and what is there is listed."""
    operator = Operator(
        google.environ | {"GATEWAY_SECRETS": "env", "AGW_ACME__CRM_MCP": VALUE, "AGW_B__X": VALUE}
    )

    done = await operator.run("set", "acme", "openai-api-key", given=VALUE.encode())
    listed = await operator.run("list", "acme", "--json")

    assert done.code == 1
    assert "AGW_ACME__OPENAI_API_KEY" in done.err
    assert [(row["name"], row["state"]) for row in listed.json] == [
        ("crm-mcp", "enabled"),
        ("crm-token", "missing"),
        ("openai-api-key", "missing"),
    ]
    assert VALUE not in listed.out


async def test_tenant_that_is_not_onboarded_yet_may_have_secrets(google):
    """They are set before it is published; what its document says is not known then."""
    await google.run("set", "newcomer", "key", given=VALUE.encode())

    listed = await google.run("list", "newcomer", "--json")

    assert [(row["name"], row["referred_to"]) for row in listed.json] == [("key", None)]


@pytest.mark.parametrize("command", ["set", "list", "rotate"])
async def test_store_that_refuses_is_told_in_words(google, manager, command):
    """Exit code 1, the remedy, no traceback and no value; JSON too."""
    manager.away(grpc.StatusCode.PERMISSION_DENIED)
    arguments = (command, "acme") if command == "list" else (command, "acme", "key")

    told = await google.run(*arguments, given=VALUE.encode())
    encoded = await google.run(*arguments, "--json", given=VALUE.encode())

    assert (told.code, encoded.code) == (1, 1)
    assert "Grant them roles/secretmanager." in told.err
    assert "Grant them roles/secretmanager." in encoded.json["errors"][0]["message"]
    assert "Traceback" not in told.err + encoded.err
    assert VALUE not in str((told, encoded))


async def test_value_is_typed_unseen(google, manager):
    """On a terminal it is asked for, and not shown while it is typed."""
    terminal, stdin = pty.openpty()
    process = await google.start("set", "acme", "key", stdin=stdin)
    async with asyncio.timeout(20):
        asked = await process.stderr.readuntil(b": ")  # What is typed before is thrown away.
        os.write(terminal, f"{VALUE}\n".encode())
        out, err = await process.communicate()
    os.close(stdin)
    os.set_blocking(terminal, False)
    with contextlib.suppress(OSError):  # It shows nothing at all.
        asked += os.read(terminal, 1000)
    os.close(terminal)

    assert process.returncode == 0
    assert VALUE.encode() not in asked + out + err
    assert manager.secrets["agw_acme_key"][-1].data == VALUE.encode()


@pytest.mark.parametrize("arguments", [(), ("set",), ("list",), ("rotate",)])
async def test_help_has_an_example(google, arguments):
    """Every command shows how it is used."""
    done = await google.run(*arguments, "--help")

    assert done.code == 0
    assert "Example: tenantctl secrets" in done.out
