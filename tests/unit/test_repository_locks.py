"""The locks hold what pyproject.toml asks for, each package by version and hash."""

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def pins(lock):
    """The versions of a lock, by package."""
    text = (ROOT / lock).read_text(encoding="utf-8")
    found = re.findall(r"^([A-Za-z0-9._-]+)(?:\[[^]]*\])?==([^ ;\\]+)", text, re.MULTILINE)
    return {canonicalize_name(name): version for name, version in found}


RUNNING = PROJECT["dependencies"]
DEVELOPING = RUNNING + PROJECT["optional-dependencies"]["dev"]


@pytest.mark.parametrize(
    ("lock", "asked"), [("requirements.txt", RUNNING), ("requirements-dev.txt", DEVELOPING)]
)
def test_a_lock_is_fresh(lock, asked):
    """Every dependency that is asked for is pinned, to a version that it allows."""
    pinned = pins(lock)

    for requirement in map(Requirement, asked):
        name = canonicalize_name(requirement.name)
        assert name in pinned, f"{name} is not in {lock}: run `make lock`"
        assert pinned[name] in requirement.specifier, f"{name} is stale in {lock}: run `make lock`"


def test_both_locks_agree():
    """What develops is what runs and more: no package has two versions."""
    assert pins("requirements.txt").items() <= pins("requirements-dev.txt").items()


@pytest.mark.parametrize("lock", ["requirements.txt", "requirements-dev.txt"])
def test_every_pin_has_a_hash(lock):
    """Nothing can be installed that is not byte for byte what was locked."""
    blocks = re.split(r"\n(?=\S)", (ROOT / lock).read_text(encoding="utf-8").strip())

    unhashed = [block for block in blocks if not block.startswith("#") and "--hash=" not in block]

    assert not unhashed


@pytest.mark.parametrize("lock", ["requirements.txt", "requirements-dev.txt"])
def test_a_lock_names_no_index(lock):
    """A lock is the same for every machine: no index, no host, no local path."""
    text = (ROOT / lock).read_text(encoding="utf-8")

    assert not re.search(r"^(-i|--|-e|-f)|://| @ ", text, re.MULTILINE)
