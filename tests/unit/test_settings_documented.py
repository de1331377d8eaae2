"""docs/settings.md says what the code does."""

import re
from pathlib import Path

import pytest

from gateway.settings import ACTED_ON, ALIASES, UNBUILT

DOCUMENT = (Path(__file__).parents[2] / "docs" / "settings.md").read_text(encoding="utf-8")


def rows(heading):
    """The cells of the table under a heading, a list for each row."""
    section = DOCUMENT.split(f"## {heading}\n")[1].split("\n## ")[0]
    return [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in section.splitlines()
        if line.startswith("| `")
    ]


def test_every_variable_that_is_acted_on_is_documented():
    """The table lists exactly the variables that the settings read, in their order."""
    assert [row[0].strip("`") for row in rows("Acted on")] == list(ACTED_ON)


@pytest.mark.parametrize("row", rows("Acted on"), ids=lambda row: row[0])
def test_the_documented_default_is_the_default(row):
    """Writing the documented default into the variable changes nothing."""
    field = ACTED_ON[row[0].strip("`")]

    if row[2] == "unset":
        assert not field.default
    else:
        assert field.metadata["parse"](row[2].strip("`")) == field.default


def test_every_variable_that_is_refused_is_documented():
    """What stops the start is listed as such."""
    documented = {row[0].strip("`") for row in rows("Refused by this version")}

    assert {name for name in documented if name.startswith("GATEWAY_")} == set(UNBUILT)


def test_every_alias_is_documented():
    """Older names of variables are named beside the new ones."""
    assert all(re.search(f"`{alias}`", DOCUMENT) for alias in ALIASES)
