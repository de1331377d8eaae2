"""``docs/tenantctl.md`` and the commands say the same."""

import re
import shlex
from pathlib import Path

import pytest
import rich_click as click

from tenants.cli import main
from tenants.cli.frame import Lazy

DOCUMENT = (Path(__file__).parents[2] / "docs" / "tenantctl.md").read_text(encoding="utf-8")
HEADING = re.compile(r"^### tenantctl ([a-z ]+[a-z]).*$", re.MULTILINE)
OPTION = re.compile(r"--[a-z][a-z-]*")
EXAMPLE = re.compile(r"^tenantctl .*$", re.MULTILINE)
SHARED = {*OPTION.findall(DOCUMENT.partition("## Options of many commands")[2].split("\n## ")[0])}


def commands(group=main, path=""):
    """The options of every command that does something, by its path."""
    found = {}
    for name, each in group.commands.items():
        command = each.load() if isinstance(each, Lazy) else each
        if isinstance(command, click.Group):
            found |= commands(command, f"{path}{name} ")
        else:
            options = (option for param in command.params for option in param.opts)
            found[path + name] = {option for option in options if option.startswith("--")}
    return found


COMMANDS = commands()
SECTIONS = dict(zip(HEADING.findall(DOCUMENT), HEADING.split(DOCUMENT)[2::2], strict=True))


def test_every_command_has_its_section():
    """And no section speaks of what there is not."""
    assert {*SECTIONS} == {*COMMANDS}


@pytest.mark.parametrize("path", COMMANDS)
def test_a_section_names_the_command_s_options(path):
    """All but those that many commands have, and none that it has not."""
    named = {*OPTION.findall(SECTIONS[path].split("\n## ")[0])}
    shared = {"--help"} if "completion" in path else SHARED

    assert COMMANDS[path] - SHARED <= named
    assert named - shared - {"--generate-schema", "--from"} <= COMMANDS[path]


@pytest.mark.parametrize("line", EXAMPLE.findall(DOCUMENT))
def test_examples_are_of_commands_and_options_that_there_are(line):
    """Whoever pastes one is not told of bad usage."""
    words = shlex.split(line.partition("<")[0].partition(">")[0], comments=True)[1:]
    path = " ".join(words[:2]) if " ".join(words[:2]) in COMMANDS else words[0]

    assert {word for word in words if word.startswith("--")} <= COMMANDS[path]


@pytest.mark.parametrize("path", COMMANDS)
def test_every_section_has_an_example(path):
    """Of that command."""
    assert re.search(rf"^tenantctl {path}\b", SECTIONS[path], re.MULTILINE)
