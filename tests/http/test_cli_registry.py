"""``tenantctl`` on a registry: each command, in a directory and in a bucket."""

import json
import tomllib

import pytest

from tenants.keys import tenant_of
from tenants.registry import layout
from tenants.registry.opening import open_objects
from tests.fakes.gcs import fake_gcs
from tests.fakes.tenantctl import run, tenantctl
from tests.fakes.tenants import write_tenant


@pytest.fixture(params=["directory", "bucket"])
def environ(request, tmp_path):
    """The variables that lead to an empty registry."""
    if request.param == "directory":
        (tmp_path / "registry").mkdir()
        yield {"GATEWAY_TENANTS": f"dir:{tmp_path / 'registry'}"}
        return
    with fake_gcs("bucket") as gcs:
        yield {"GATEWAY_TENANTS": "gs://bucket/production", **gcs.environ}


@pytest.fixture
def ctl(environ):
    """A function that runs a command with ``--json`` and gives what it printed."""

    def call(*arguments, code=0):
        result = tenantctl(*arguments, "--json", **environ)
        assert result.exit_code == code, result.output
        assert result.stdout.count("\n") == 1
        return json.loads(result.stdout)

    return call


@pytest.fixture
def acme(tmp_path, ctl):
    """The directory of a tenant that was published as revision 1 and has one key."""
    directory = write_tenant(tmp_path / "files", instructions="Say one.")
    ctl("onboard", "acme", "--from", directory, "--by", "ada")
    return directory


def test_onboarding_publishes_and_issues_the_first_key(ctl, environ):
    """The object gives all that a program needs; the key is of the tenant and can chat."""
    made = ctl("onboard", "acme", "--name", "Acme Support", "--gateway", "https://agw.example")

    assert made["id"] == "acme"
    assert made["revision"] == 1
    assert tenant_of(made["key"]) == "acme"
    assert made["urls"]["chat"] == "https://agw.example/t/acme/chat"
    assert made["urls"]["websocket"] == "wss://agw.example/t/acme/ws/chat"
    (key,) = ctl("keys", "list", "acme")
    assert (key["id"], key["scope"]) == (made["key_id"], "chat")
    assert made["key"] not in tenantctl("keys", "list", "acme", **environ).output


@pytest.mark.usefixtures("acme")
def test_a_tenant_is_onboarded_once(ctl):
    """The second try says what to do in its place, and changes nothing."""
    refused = ctl("onboard", "acme", code=1)

    assert "tenantctl publish acme" in refused["errors"][0]["message"]
    assert [each["revision"] for each in ctl("history", "acme")] == [1]


def test_publishing_shows_what_changes_and_puts_it_in_force(ctl, acme, environ):
    """The difference is printed; the same again says that there is nothing to do."""
    (acme / "instructions.md").write_text("Say two.")

    words = tenantctl("publish", "acme", "--from", acme, "--note", "two", "--by", "bob", **environ)
    again = ctl("publish", "acme", "--from", acme)

    assert words.exit_code == 0
    assert "-Say one." in words.stdout
    assert "+Say two." in words.stdout
    assert "acme: revision 2 is in force." in words.stdout
    assert words.stderr == ""
    assert (again["changed"], again["revision"]) == (False, 2)
    newest, oldest = ctl("history", "acme")
    assert (newest["by"], newest["note"], newest["in_force"]) == ("bob", "two", True)
    assert (oldest["by"], oldest["in_force"]) == ("ada", False)


def test_a_dry_run_changes_nothing(ctl, acme):
    """Of whatever could change something."""
    (acme / "instructions.md").write_text("Say two.")
    (key,) = ctl("keys", "list", "acme")
    before = ctl("show", "acme"), ctl("keys", "list", "acme"), ctl("history", "acme", "--audit")

    for command in (
        ["publish", "acme", "--from", acme],
        ["suspend", "acme"],
        ["resume", "acme"],
        ["offboard", "acme"],
        ["keys", "issue", "acme"],
        ["keys", "rotate", "acme", key["id"]],
        ["keys", "revoke", "acme", key["id"]],
        ["migrate", "acme"],
        ["onboard", "globex"],
    ):
        ctl(*command, "--dry-run")

    after = ctl("show", "acme"), ctl("keys", "list", "acme"), ctl("history", "acme", "--audit")
    assert after == before
    assert [each["id"] for each in ctl("list")] == ["acme"]


def test_an_invalid_directory_is_refused_with_all_its_faults(ctl, acme):
    """Exit code 1, each fault with its file, and the revision in force stays."""
    (acme / "tenant.toml").write_text('schema_version = 1\ntenant_id = "acme"\nx = 1\n')

    refused = ctl("publish", "acme", "--from", acme, code=1)

    unknown = next(each for each in refused["errors"] if each["field"] == "x")
    assert (unknown["file"], unknown["line"]) == ("tenant.toml", 3)
    assert "unknown field" in unknown["message"]
    assert "assistant" in {each["field"] for each in refused["errors"]}
    assert ctl("show", "acme")["revision"] == 1


def test_rolling_back_and_forward(ctl, acme, tmp_path):
    """Without a number to the revision before; with one to any; what is in force is its files."""
    (acme / "instructions.md").write_text("Say two.")
    ctl("publish", "acme", "--from", acme)

    back = ctl("rollback", "acme")
    ctl("export", "acme", tmp_path / "one")
    forward = ctl("rollback", "acme", "2")
    ctl("export", "acme", tmp_path / "two")

    assert (back["revision"], back["before"], forward["revision"]) == (1, 2, 2)
    assert (tmp_path / "one" / "instructions.md").read_text() == "Say one."
    assert (tmp_path / "two" / "instructions.md").read_text() == "Say two."
    assert "rollback" in [each["action"] for each in ctl("history", "acme", "--audit")]


def test_differences_between_revisions_and_directories(ctl, acme):
    """Two numbers, one number, a directory, or nothing: the last change."""
    (acme / "instructions.md").write_text("Say two.")
    ctl("publish", "acme", "--from", acme)
    (acme / "instructions.md").write_text("Say three.")

    found = {
        words: [line for each in ctl("diff", "acme", *words)["files"] for line in each["lines"][3:]]
        for words in [(), ("1",), ("2", "1"), (str(acme),), ("1", str(acme))]
    }

    assert found == {
        (): ["-Say one.", "+Say two."],
        ("1",): ["-Say one.", "+Say two."],
        ("2", "1"): ["-Say two.", "+Say one."],
        (str(acme),): ["-Say two.", "+Say three."],
        ("1", str(acme)): ["-Say one.", "+Say three."],
    }


@pytest.mark.usefixtures("acme")
def test_what_was_exported_can_be_published(ctl, tmp_path):
    """It is the same release, to the byte."""
    ctl("export", "acme", tmp_path / "out")

    assert not ctl("publish", "acme", "--from", tmp_path / "out")["changed"]


@pytest.mark.usefixtures("acme")
def test_an_export_overwrites_nothing(ctl, tmp_path):
    """Neither a directory with files in it nor a file."""
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine").touch()

    refused = ctl("export", "acme", tmp_path / "full", code=1)

    assert "name a new one" in refused["errors"][0]["message"]
    assert [each.name for each in (tmp_path / "full").iterdir()] == ["mine"]


@pytest.mark.usefixtures("acme")
def test_suspending_and_resuming(ctl):
    """The listing says so; the same again changes nothing and is no error."""
    first, again = ctl("suspend", "acme", "--note", "unpaid"), ctl("suspend", "acme")
    listed = ctl("list")
    resumed = ctl("resume", "acme")

    assert (first["changed"], again["changed"], resumed["changed"]) == (True, False, True)
    assert [(each["id"], each["state"]) for each in listed] == [("acme", "suspended")]
    assert ctl("show", "acme")["state"] == "in_force"


@pytest.mark.usefixtures("acme")
def test_the_life_of_a_key(ctl):
    """Issued with its scopes and its end, rotated with an overlap, revoked."""
    issued = ctl(
        "keys", "issue", "acme", "--scope", "chat", "--scope", "history", "--expires", "9d"
    )
    rotated = ctl("keys", "rotate", "acme", issued["id"], "--overlap", "1h")
    revoked = ctl("keys", "revoke", "acme", rotated["id"])

    assert issued["scope"] == "chat history"
    assert issued["expires_at"] - issued["created_at"] == 9 * 86_400
    assert rotated["scope"] == "chat history"
    assert rotated["key"] != issued["key"]
    assert rotated["replaced_expires_at"] - rotated["created_at"] == 3600
    assert revoked["state"] == "revoked"
    states = {each["id"]: each["state"] for each in ctl("keys", "list", "acme")}
    assert states[issued["id"]] == "live"
    assert states[rotated["id"]] == "revoked"
    assert {*ctl("keys", "list", "acme")[0]} >= {
        *("id", "scope", "created_at", "expires_at", "last_used_at")
    }


@pytest.mark.usefixtures("acme")
def test_keys_are_told_once(ctl, environ):
    """When they are issued; nothing that is read later holds one."""
    issued = ctl("keys", "issue", "acme")

    later = [
        tenantctl(*command, *more, **environ).output
        for command in (["keys", "list", "acme"], ["show", "acme"], ["history", "acme", "--audit"])
        for more in ([], ["--json"])
    ]

    assert issued["key"] not in "".join(later)
    assert issued["id"] in "".join(later)


@pytest.mark.usefixtures("acme")
def test_an_offboarded_tenant_is_gone_and_kept(ctl, tmp_path):
    """Its files are where they were exported to; the id is free again."""
    gone = ctl("offboard", "acme", "--export", tmp_path / "kept", "--yes")

    assert gone["threads_deleted"] is False
    assert (tmp_path / "kept" / "instructions.md").read_text() == "Say one."
    assert ctl("list") == []
    assert "no tenant acme" in ctl("show", "acme", code=1)["errors"][0]["message"]
    assert ctl("onboard", "acme")["revision"] == 1


@pytest.mark.usefixtures("acme")
def test_nobody_is_offboarded_unasked(ctl, tmp_path):
    """Where nobody can be asked and nobody said yes, nothing happens."""
    refused = ctl("offboard", "acme", "--export", tmp_path / "kept", code=1)

    assert "--yes" in refused["errors"][0]["message"]
    assert ctl("show", "acme")["state"] == "in_force"
    assert not (tmp_path / "kept").exists()


@pytest.mark.usefixtures("acme")
def test_a_tenant_of_the_registry_is_validated(ctl):
    """By its id, as it is in force."""
    report = ctl("validate", "acme")

    assert report["valid"]
    assert report["assistants"][0]["id"] == "asst_acme"


@pytest.mark.usefixtures("acme")
def test_a_healthy_registry_is_well(ctl, environ):
    """The doctor finds nothing wrong, and leaves nothing behind."""
    report = ctl("doctor")

    assert report["ok"]
    assert {each["name"] for each in report["checks"]} == {
        *("feed", "writing", "tenants", "secrets", "models")
    }
    assert ctl("list") == ctl("list")
    assert "Nothing is wrong." in tenantctl("doctor", "--tenant", "acme", **environ).stdout


@pytest.mark.usefixtures("acme")
def test_migrating_what_is_new_already(ctl):
    """One or all: there is nothing to do, and no revision is made."""
    one, every = ctl("migrate", "acme"), ctl("migrate", "--all")

    assert [each["changed"] for each in one["documents"]] == [False]
    assert every["documents"] == []
    assert ctl("show", "acme")["revision"] == 1


@pytest.mark.usefixtures("acme")
def test_a_table_in_a_pipe_is_plain(environ, tmp_path):
    """Aligned columns without frames or colours, and nothing on the other stream."""
    done = run("list", environ=environ, folder=tmp_path)

    head, row = done.stdout.splitlines()
    assert (done.returncode, done.stderr) == (0, "")
    assert head.split() == ["ID", "NAME", "STATE", "REVISION", "PUBLISHED", "BY"]
    assert row.startswith("acme")
    assert row.index("in force") == head.index("STATE")
    assert row.endswith("UTC  ada")


def test_onboarding_takes_over_a_template(ctl, tmp_path):
    """Another tenant's directory, with the new id and what was wished written into its document."""
    template = write_tenant(tmp_path / "files", "template")

    made = ctl("onboard", "acme", "--from", template, "--name", "Acme", "--model", "gpt-6-sol")
    ctl("export", "acme", tmp_path / "out")

    document = tomllib.loads((tmp_path / "out" / "tenant.toml").read_text())
    assert document["tenant_id"] == "acme"
    assert document["display_name"] == "Acme"
    assert document["assistant"]["model"] == "gpt-6-sol"
    assert "tenant_id is written as acme" in made["notices"]


def test_onboarding_goes_on_where_it_was_stopped(ctl, acme, environ):
    """A tenant with its first revision and no key gets that, by the same command."""
    # What a process leaves that is killed between its two steps.
    (key,) = ctl("keys", "list", "acme")
    _forget_keys(environ)

    again = ctl("onboard", "acme", "--from", acme)

    assert again["revision"] == 1
    assert again["key_id"] != key["id"]
    assert [each["id"] for each in ctl("keys", "list", "acme")] == [again["key_id"]]


def _forget_keys(environ):
    open_objects(environ["GATEWAY_TENANTS"], environ).delete(layout.keys("acme"))


def test_a_new_tenant_s_secrets_are_named(ctl):
    """At the end, with the command that sets each: without it no run of the tenant begins."""
    url = "https://api.openai.com/v1"

    said = ctl("onboard", "globex", "--upstream-base-url", url)

    assert said["notices"] == [
        "It needs a secret: tenantctl secrets set globex openai-api-key < FILE"
    ]
