"""``tenantctl`` where something is away, refused, stopped, or nonsense."""

import json
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest

from tenants.cli.doctor_registry import look_at_writing
from tenants.registry.files import FileObjects
from tests.fakes.gcs import Fault, fake_gcs, refusal
from tests.fakes.tenantctl import Terminal, environment, run, started, tenantctl
from tests.fakes.tenants import write_tenant

INF = float("inf")
PROGRAM = f"{sys.executable} -c 'from tenants.cli import main; main()'"


@pytest.fixture
def gcs():
    """A bucket that can go wrong."""
    with fake_gcs("bucket") as fake:
        yield fake


@pytest.fixture
def environ(gcs):
    """The variables that lead to it."""
    return {"GATEWAY_TENANTS": "gs://bucket", **gcs.environ}


@pytest.fixture
def acme(tmp_path, environ):
    """The directory of a tenant that is published as revision 1."""
    directory = write_tenant(tmp_path / "files", instructions="Say one.")
    assert tenantctl("onboard", "acme", "--from", directory, **environ).exit_code == 0
    return directory


def said(*arguments, **environ):
    """What a command prints with ``--json``."""
    return json.loads(tenantctl(*arguments, "--json", **environ).stdout)


def every_command(directory, tmp_path):
    """A call of each command that needs the registry."""
    return [
        ("list",),
        ("show", "acme"),
        ("history", "acme"),
        ("diff", "acme"),
        ("publish", "acme", "--from", directory),
        ("rollback", "acme"),
        ("export", "acme", tmp_path / "out"),
        ("suspend", "acme"),
        ("resume", "acme"),
        ("offboard", "acme", "--yes"),
        ("onboard", "globex"),
        ("validate", "acme"),
        ("migrate", "--all"),
        ("keys", "issue", "acme"),
        ("keys", "list", "acme"),
        ("keys", "rotate", "acme", "key_x"),
        ("keys", "revoke", "acme", "key_x"),
        ("doctor",),
    ]


def test_a_bucket_that_refuses_is_told_with_its_remedy(gcs, environ, acme, tmp_path):
    """By every command: the role to grant, no traceback, nothing on standard output."""
    gcs.fail(refusal(403), times=INF)

    for command in every_command(acme, tmp_path):
        result = tenantctl(*command, **environ)

        assert result.exit_code == 1, command
        assert "The registry cannot be used" in result.stderr, command
        assert "roles/storage" in result.stderr, command
        assert "Traceback" not in result.output
        assert result.stdout == "", command


@pytest.mark.usefixtures("acme")
@pytest.mark.parametrize(
    "place", ["dir:{root}/away", "dir:{root}/file", "gs://nowhere"], ids=["away", "file", "bucket"]
)
def test_a_registry_that_is_not_there_is_told(environ, tmp_path, place):
    """A directory that is missing, a file in its place, a bucket that does not exist."""
    (tmp_path / "file").touch()
    environ = {**environ, "GATEWAY_TENANTS": place.format(root=tmp_path)}

    for command in every_command(tmp_path, tmp_path):
        result = tenantctl(*command, **environ)

        assert result.exit_code == 1, command
        assert "The registry cannot be used" in result.stderr, command
        assert "fault of its own" not in result.output


@pytest.mark.usefixtures("acme")
def test_of_operators_at_once_one_wins_and_the_others_are_told(environ, tmp_path):
    """Each who was told to have published is in the history, and nobody else is."""
    folders = []
    for number in range(4):
        folder = write_tenant(tmp_path / str(number), instructions=f"Say {number}.")
        folders.append(folder)

    def publish(folder):
        return run("publish", "acme", "--from", folder, environ=environ, folder=tmp_path)

    with ThreadPoolExecutor(4) as operators:
        done = [*operators.map(publish, folders)]

    won = [each for each in done if each.returncode == 0]
    lost = [each for each in done if each.returncode == 1]
    assert len(won) + len(lost) == 4
    assert won
    assert all("Somebody else was first" in each.stderr for each in lost)
    assert len(said("history", "acme", **environ)) == 1 + len(won)


def hold_the_pointer(gcs):
    """Let the answer to the next write of a pointer take its time."""
    gcs.fail(Fault(after_seconds=2.0), kind="write", name="current.json")


def wait_for_the_pointer(gcs, process):
    """Until it has been asked for the pointer's next write, or the process has ended."""
    before = len(gcs.asked)
    while not any(
        kind == "write" and name.endswith("current.json") for kind, name, _ in gcs.asked[before:]
    ):
        with suppress(subprocess.TimeoutExpired):
            process.wait(0.02)
            return


def test_a_publish_that_is_stopped_is_finished_first(gcs, environ, acme, tmp_path):
    """Ctrl-C while the pointer moves: it says that it finishes, does, and reports it."""
    (acme / "instructions.md").write_text("Say two.")
    hold_the_pointer(gcs)

    with started("publish", "acme", "--from", acme, environ=environ, folder=tmp_path) as process:
        wait_for_the_pointer(gcs, process)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=30)

    assert process.returncode == 0
    assert "Finishing: publishing acme" in err
    assert "revision 2 is in force" in out
    assert said("show", "acme", **environ)["revision"] == 2


def test_a_publish_that_is_stopped_twice_leaves_a_whole_tenant(gcs, environ, acme, tmp_path):
    """It says so; what is in force is one revision or the other, and the same command goes on."""
    (acme / "instructions.md").write_text("Say two.")
    hold_the_pointer(gcs)

    with started("publish", "acme", "--from", acme, environ=environ, folder=tmp_path) as process:
        wait_for_the_pointer(gcs, process)
        process.send_signal(signal.SIGINT)
        assert "Finishing" in process.stderr.readline() + process.stderr.readline()
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=30)
    doctor = tenantctl("doctor", **environ)
    again = said("publish", "acme", "--from", acme, **environ)

    assert process.returncode == 130
    assert "Stopped" in err
    assert "Traceback" not in err
    assert doctor.exit_code == 0
    assert again["revision"] in {2, 3}
    assert said("validate", "acme", **environ)["valid"]


@pytest.mark.parametrize("slow", [True, False])
@pytest.mark.usefixtures("acme")
def test_a_bar_shows_where_it_waits(gcs, environ, tmp_path, slow):
    """Once it has waited for a second, and not for a moment; Ctrl-C then leaves at once."""
    if slow:
        gcs.fail(Fault(after_seconds=8.0), kind="list")
    terminal = Terminal("list", environ={**environ, "TERM": "xterm"}, folder=tmp_path)

    if slow:
        terminal.sees("Tenants")
        terminal.interrupts()

    assert terminal.ends() == (130 if slow else 0)
    assert ("Tenants" in terminal.said) == slow
    assert "Traceback" not in terminal.said


@pytest.mark.parametrize(("command", "code"), [("onboard globex", 0), ("offboard acme", 1)])
@pytest.mark.usefixtures("acme")
def test_a_closed_standard_input_is_nobody(environ, tmp_path, command, code):
    """What needs no answer is done; what needs one is refused, without a traceback."""
    line = f"exec {PROGRAM} {command} <&-"

    done = subprocess.run(
        ["sh", "-c", line],
        env=environment(environ),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )

    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    assert ("--yes" in done.stderr) == (code == 1)


@pytest.mark.usefixtures("acme")
def test_a_reader_that_goes_away_is_no_fault(environ, tmp_path):
    """As with ``tenantctl list | head``."""
    done = subprocess.run(
        ["sh", "-c", f"{PROGRAM} history acme --audit | true"],
        env=environment(environ),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )

    assert "Traceback" not in done.stderr
    assert "fault of its own" not in done.stderr


def in_a_shell(line, environ, folder):
    """Run a line with a command in it; its exit code, and standard error."""
    done = subprocess.run(
        ["sh", "-c", f"exec {PROGRAM} {line}"],
        env=environment(environ),
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
        timeout=30,
    )
    return done.returncode, done.stderr


@pytest.mark.parametrize("option", ["", "--json"])
@pytest.mark.usefixtures("acme")
def test_a_key_that_cannot_be_shown_is_told(environ, tmp_path, option):
    """Where the disk is full it is to be revoked by hand."""
    code, told = in_a_shell(f"keys issue acme {option} > /dev/full", environ, tmp_path)

    assert code == 1
    assert len(told.splitlines()) == 1
    assert "Revoke a key that nobody has seen" in told
    assert len(said("keys", "list", "acme", **environ)) == 2


@pytest.mark.parametrize("option", ["", "--json"])
@pytest.mark.usefixtures("acme")
def test_without_a_standard_output_nothing_is_done(environ, tmp_path, option):
    """A key is told there, this once."""
    code, told = in_a_shell(f"keys issue acme {option} >&-", environ, tmp_path)

    assert code == 1
    assert "Nothing was done" in told
    assert len(said("keys", "list", "acme", **environ)) == 1


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("list", "Standard output cannot be written"),
        ("show acme --json", "Standard output cannot be written"),
        ("rollback acme --json", "acme has no earlier revision"),
    ],
)
@pytest.mark.usefixtures("acme")
def test_a_full_disk_is_told_in_words(environ, tmp_path, command, words):
    """In one line on standard error, an error too, without a word of the interpreter's."""
    code, told = in_a_shell(f"{command} > /dev/full", environ, tmp_path)

    assert (code, len(told.splitlines())) == (1, 1)
    assert words in told


@pytest.mark.parametrize(
    "arguments",
    [
        ["publish", "acme", "--from", "{file}"],
        ["export", "acme", "{file}"],
        ["validate", "{file}"],
        ["onboard", "acme", "--from", "{file}/away"],
        ["diff", "acme", "{file}"],
        ["rollback", "acme", "0"],
        ["rollback", "acme", "last"],
        ["keys", "issue", "acme", "--scope", "admin"],
        ["keys", "issue", "acme", "--expires", "yesterday"],
        ["keys", "rotate", "acme", "key_x", "--overlap", "0h"],
        ["keys", "list", "acme", "--gateway", "localhost"],
        ["onboard", "ACME"],
        ["onboard", "a" * 64],
        ["onboard", "acme", "--instructions", "@{file}/away"],
        ["list", "--registry", "s3://bucket"],
        ["suspend"],
        ["suspend", "acme", "globex"],
    ],
    ids=" ".join,
)
def test_nonsense_is_bad_usage(arguments, tmp_path):
    """Exit code 2 and words, whatever the registry is."""
    file = tmp_path / "file"
    file.touch()

    result = tenantctl(*(each.format(file=file) for each in arguments))

    assert result.exit_code == 2, result.output
    assert result.stdout == ""
    assert result.stderr


def test_nobody_commands_the_terminal(environ):
    """A name with an escape sequence is shown, not obeyed."""
    tenantctl("onboard", "acme", "--name", "x\x1b[2Jy", **environ)

    for command in (["list"], ["show", "acme"], ["history", "acme", "--audit"]):
        assert "\x1b" not in tenantctl(*command, **environ).output


@pytest.mark.parametrize(
    "name", ["current.json", "keys.json", "compiled.json"], ids=lambda name: name.partition(".")[0]
)
def test_what_is_broken_is_named(tmp_path, name):
    """By the doctor, with exit code 1; the list names the others as before."""
    root = tmp_path / "registry"
    root.mkdir()
    environ = {"GATEWAY_TENANTS": f"dir:{root}"}
    for tenant_id in ("acme", "globex"):
        tenantctl("onboard", tenant_id, **environ)
    (path,) = (root / "acme").rglob(name)
    path.write_text("{")

    report = said("doctor", **environ)

    faults = [fault for check in report["checks"] for fault in check["faults"]]
    assert not report["ok"]
    assert len(faults) == 1
    assert "acme" in faults[0]
    assert name in faults[0]
    assert [each["id"] for each in said("list", **environ)] == ["acme", "globex"]


class Forgetful(FileObjects):
    """Objects as some emulators keep them, which look at no precondition."""

    def write(self, name, content, *, expected, labels=None):
        """Write over anything."""
        del expected
        return super().write(name, content, expected=None, labels=labels)


def test_a_registry_without_compare_and_swap_is_found_out(tmp_path):
    """Two operators could undo each other's work there; the probe leaves nothing all the same."""
    check = look_at_writing(Forgetful(tmp_path))

    assert check.state == "wrong"
    assert "Compare-and-swap does not hold" in check.faults[0]
    assert [each.name for each in tmp_path.iterdir() if each.name != ".objects"] == []
