"""What all of ``tenantctl``'s commands have in common."""

import inspect
import json
import subprocess
import sys
from types import ModuleType

import pytest
import rich_click as click
from click.testing import CliRunner

import migrations_of_config.errors
import tenants.cli.errors
import tenants.errors
import tenants.registry.objects
import tenants.releases.errors
from tenants.cli import main
from tenants.cli.frame import Command, Lazy, LazyGroup
from tenants.cli.key_times import Expiry, span
from tenants.cli.options import default_gateway, default_registry
from tenants.cli.words import told
from tests.fakes.tenantctl import environment, run, tenantctl
from tests.fakes.tenants import write_tenant

PACKAGES: list[ModuleType] = [
    tenants.errors,
    tenants.registry.objects,
    tenants.releases.errors,
    tenants.cli.errors,
    migrations_of_config.errors,
]
NOT_AN_OPERATOR_S = {
    tenants.errors.TenantUnavailableError,  # of who serves
    migrations_of_config.errors.BrokenChainError,  # of who releases a version of this program
}
DAY = 86_400


def commands(group=main, path=()):
    """Every command with its path, those of groups too."""
    for name, each in group.commands.items():
        command = each.load() if isinstance(each, Lazy) else each
        yield (*path, name), command
        if isinstance(command, click.Group):
            yield from commands(command, (*path, name))


def given(parameters):
    """The arguments that cannot be any text."""
    values = {"faults": (migrations_of_config.errors.Fault("acme", "acme"),), "most_bytes": 1 << 20}
    return {each.name: values[each.name] for each in parameters if each.name in values}


def errors():
    """Every error of the packages that commands work with, but for roots."""
    for module in PACKAGES:
        for value in vars(module).values():
            ours = inspect.isclass(value) and value.__module__ == module.__name__
            raised = ours and issubclass(value, Exception) and not value.__subclasses__()
            if raised and value not in NOT_AN_OPERATOR_S:
                yield value


EVERY = pytest.mark.parametrize(
    ("path", "command"), [pytest.param(*each, id=" ".join(each[0])) for each in commands()]
)


@EVERY
def test_every_command_has_help_with_an_example(path, command):
    """A description, each option explained, and a line to try."""
    result = tenantctl(*path, "--help")

    assert result.exit_code == 0
    assert f"Example: tenantctl {path[0]}" in " ".join(result.stdout.split()) or path == (
        "completion",
    )
    unexplained = [
        each.name
        for each in command.params
        if isinstance(each, click.Option) and not each.help and not each.hidden
    ]
    assert unexplained == []


@EVERY
def test_every_command_prints_json_where_it_prints_facts(path, command):
    """All but groups and what prints a script for a shell."""
    options = {name for each in command.params for name in each.opts}

    assert "--json" in options or isinstance(command, click.Group) or path == ("completion",)


def test_help_and_completion_import_no_command():
    """Nor any library that takes long, so that the shell does not wait."""
    program = "import sys; from tenants.cli import main; main(['--help'], standalone_mode=False);"
    program += "print([n for n in sys.modules if n in {'tenants.releases', 'google', 'openai',"
    program += " 'aiohttp', 'cattrs', 'tenants.cli.onboard'}])"

    done = subprocess.run(
        [sys.executable, "-c", program],
        env=environment({}),
        capture_output=True,
        text=True,
        check=True,
    )

    assert done.stdout.splitlines()[-1] == "[]"


def test_everything_wrong_with_a_command_line_is_told_at_once(tmp_path):
    """Unknown options with the nearest known one, and each value that is none."""
    result = tenantctl(
        *("publish", "No!", "--form", "x", "--from", tmp_path / "away", "--registry", "ftp:x"),
        "--note=a\nb",
    )

    text = " ".join(result.stderr.replace("│", " ").split())
    assert result.exit_code == 2
    assert "No such option: --form. Did you mean --from?" in text
    assert "'No!' is no tenant's id" in text
    assert "'ftp:x' names no registry" in text
    assert "write one line" in text
    assert "does not exist" in text
    assert result.stdout == ""


def test_bad_usage_is_an_object_where_that_is_asked_for():
    """A program that reads standard output finds each fault there, and nothing on the other one."""
    result = tenantctl("publish", "No!", "--form", "x", "--json")

    messages = [each["message"] for each in json.loads(result.stdout)["errors"]]
    assert result.exit_code == 2
    assert "No such option: --form. Did you mean --from?" in messages
    assert any("no tenant's id" in each for each in messages)
    assert result.stderr == ""


def test_bad_usage_shows_the_right_one():
    """In plain lines, of the command that was meant; of the program where none was."""
    of_command = tenantctl("rollback", "acme", "first").stderr
    of_program = tenantctl("--form").stderr

    assert "'first' is no revision's number" in of_command
    assert "Usage: tenantctl rollback [OPTIONS] ID [REV]" in of_command.splitlines()
    assert "Usage: tenantctl [OPTIONS] COMMAND [ARGS]..." in of_program.splitlines()
    assert "─" not in of_command


def test_help_has_no_frames():
    """So that a pipe, a narrow terminal and a search show it as it is meant."""
    assert "─" not in tenantctl("keys", "issue", "--help").stdout


def test_a_tenant_that_is_mistyped_is_told_with_the_nearest_ones(tmp_path):
    """Published or in working form; a program finds them too."""
    environ = {"GATEWAY_TENANTS": f"dir:{tmp_path}"}
    tenantctl("onboard", "acme", **environ)
    write_tenant(tmp_path, "acmes")

    told_to_people = tenantctl("show", "acm", **environ).stderr
    told_to_programs = json.loads(tenantctl("show", "acm", "--json", **environ).stdout)

    assert "Did you mean acme or acmes?" in told_to_people
    assert "Did you mean" in told_to_programs["errors"][0]["message"]
    assert "Did you mean" not in tenantctl("show", "zzz", **environ).stderr


@pytest.mark.parametrize("options", [[], ["--json"]], ids=["words", "object"])
def test_a_terminal_without_a_character_is_no_reason_to_fail(tmp_path, options):
    """A name is written out for people; JSON is UTF-8 wherever it goes."""
    ascii_alone = {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"}
    environ = {"GATEWAY_TENANTS": f"dir:{tmp_path}", **ascii_alone}
    tenantctl("onboard", "acme", "--name", "Café", **environ)

    done = run("list", *options, environ=environ, folder=tmp_path, encoding="utf-8")

    assert done.returncode == 0, done.stderr
    assert ("Café" if options else r"Caf\xe9") in done.stdout


@pytest.mark.parametrize("kind", [*errors()], ids=lambda kind: kind.__name__)
def test_every_error_has_words(kind):
    """What is wrong and a remedy, not the sentence for faults of the program's own."""
    parameters = inspect.signature(kind).parameters.values()
    needed = [each for each in parameters if each.default is inspect.Parameter.empty]
    tuples = {each.name: ("acme",) for each in needed if "tuple" in str(each.annotation)}

    words = told(kind(**{each.name: "acme" for each in needed} | tuples | given(needed)))

    assert "fault of its own" not in words
    assert "acme" in words or not needed


broken = LazyGroup("broken", panels_of_commands={}, elsewhere={})


@broken.command(cls=Command)
@click.option("--how")
def fail(how):
    """Go wrong."""
    raise {"bug": ZeroDivisionError("sk-planted"), "stop": KeyboardInterrupt()}[how]


def test_a_fault_of_the_program_is_told_without_a_traceback():
    """By its kind alone: what its text holds is not known."""
    result = CliRunner().invoke(broken, ["fail", "--how", "bug"])

    assert result.exit_code == 1
    assert "ZeroDivisionError" in result.stderr
    assert "Traceback" not in result.output
    assert "sk-planted" not in result.output


def test_a_fault_of_the_program_can_be_looked_for():
    """With the level of logs that is for that."""
    result = CliRunner().invoke(broken, ["fail", "--how", "bug"], env={"LOGGING_LEVEL": "DEBUG"})

    assert isinstance(result.exception, ZeroDivisionError)


def test_being_stopped_is_told():
    """With the exit code that shells have for it, and what that means."""
    result = CliRunner().invoke(broken, ["fail", "--how", "stop"])

    assert result.exit_code == 130
    assert "Stopped: what was not reported as done was not done." in result.stderr


def test_a_dotenv_file_is_read_in_development(tmp_path):
    """As the gateway does it; in production it is not looked at."""
    (tmp_path / "registry").mkdir()
    (tmp_path / ".env").write_text(f"GATEWAY_TENANTS=dir:{tmp_path / 'registry'}\n")

    found = run("list", "--json", environ={}, folder=tmp_path)
    in_production = run("list", "--json", environ={"ENVIRONMENT": "production"}, folder=tmp_path)

    assert (found.returncode, json.loads(found.stdout)) == (0, [])
    assert in_production.returncode == 1


def test_a_broken_dotenv_file_is_told(tmp_path):
    """With its line; nothing is done."""
    (tmp_path / ".env").write_text("GATEWAY_TENANTS=dir:x\n=\n")

    done = run("list", environ={}, folder=tmp_path)

    assert done.returncode == 1
    assert ".env:2" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("environ", "place"),
    [
        ({}, "dir:./examples/tenants"),
        ({"GATEWAY_TENANTS": " gs://b-1/x "}, "gs://b-1/x"),
        ({"BUCKET_ID": "b-1"}, "dir:./examples/tenants"),
        ({"BUCKET_ID": "b-1", "ENVIRONMENT": "Production"}, "gs://b-1"),
    ],
)
def test_the_registry_of_who_names_none(environ, place):
    """The gateway's own, by the same variables."""
    assert default_registry(environ) == place


@pytest.mark.parametrize(
    ("environ", "url"),
    [
        ({}, "http://127.0.0.1:8000"),
        ({"GATEWAY_PORT": " 8123 "}, "http://127.0.0.1:8123"),
        ({"GATEWAY_PORT": "tcp://10.0.0.1:80"}, "http://127.0.0.1:8000"),
        ({"GATEWAY_PORT": "0"}, "http://127.0.0.1:8000"),
        ({"GATEWAY_HOST": "::", "GATEWAY_PORT": "80"}, "http://127.0.0.1:80"),
        ({"GATEWAY_HOST": "::1"}, "http://[::1]:8000"),
        ({"GATEWAY_HOST": "gateway.local"}, "http://gateway.local:8000"),
    ],
)
def test_the_gateway_of_who_names_none(environ, url):
    """The one on this machine, where its own variables put it."""
    assert default_gateway(environ) == url


def complete(words, **environ):
    """What a shell is offered after these words."""
    done = CliRunner().invoke(
        main,
        env={
            **environ,
            "_TENANTCTL_COMPLETE": "bash_complete",
            "COMP_WORDS": f"tenantctl {words}",
            "COMP_CWORD": str(len(words.split(" "))),
        },
        prog_name="tenantctl",
    )
    return [line.partition(",")[2] for line in done.stdout.split()]


def test_commands_are_completed():
    """By their beginning, in groups too."""
    assert complete("ro") == ["rollback"]
    assert complete("keys r") == ["revoke", "rotate"]


def test_tenants_are_completed_from_a_directory(tmp_path):
    """A bucket is not asked."""
    for name in ("acme", "acorn", "globex", "Not-one"):
        (tmp_path / name).mkdir()

    assert complete("show ac", GATEWAY_TENANTS=f"dir:{tmp_path}") == ["acme", "acorn"]
    assert complete(f"show --registry dir:{tmp_path} g") == ["globex"]
    assert complete("show ac", GATEWAY_TENANTS="gs://bucket") == []
    assert complete("show ac", GATEWAY_TENANTS=f"dir:{tmp_path}/away") == []


def test_the_registry_of_a_dotenv_file_is_completed(tmp_path, monkeypatch):
    """As commands read it; a file that makes no sense is passed over."""
    (tmp_path / "registry" / "acme").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("GATEWAY_TENANTS", raising=False)
    (tmp_path / ".env").write_text("GATEWAY_TENANTS=dir:registry\n")

    found = complete("show ac")
    (tmp_path / ".env").write_text("=\n")

    assert found == ["acme"]
    assert complete("show ac") == []


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("30m", 1800), ("24h", DAY), ("90d", 90 * DAY), ("4w", 28 * DAY), ("0d", None), ("9", None)],
)
def test_lengths_of_time(text, seconds):
    """A number and a unit; nothing else, and never nothing."""
    assert span(text) == seconds


def test_when_a_key_ends():
    """Never, after some time, or at a date in UTC; a date that is past is refused."""
    convert = Expiry().convert

    assert convert("never", None, None) is None
    assert convert("2099-01-01", None, None) == 4_070_908_800
    assert convert("2099-01-01T01:00+01:00", None, None) == 4_070_908_800
    for text in ("2001-01-01", "soon", "", "-1d"):
        with pytest.raises(click.BadParameter):
            convert(text, None, None)
