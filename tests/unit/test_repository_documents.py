"""What the documents say is so: targets, links and metrics."""

import re
import subprocess
from pathlib import Path

import pytest

from gateway.telemetry.metrics import Metrics

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
TARGETS = set(re.findall(r"^\.PHONY: ([a-z-]+)$", MAKEFILE, re.MULTILINE))
DOCUMENTS = [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")]


def test_make_lists_every_target(require_program):
    """`make` alone names each target with a sentence."""
    listing = subprocess.run(
        [require_program("make"), "--no-print-directory"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout

    listed = set(re.findall(r"^\s*\x1b\[1m([a-z-]+) *\x1b\[0m \S", listing, re.MULTILINE))
    assert listed == TARGETS


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_documents_name_targets_that_exist(document):
    """Each `make …` that a document tells people to type can be typed."""
    text = document.read_text(encoding="utf-8")

    assert set(re.findall(r"`make ([a-z-]+)", text)) <= TARGETS


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_links_lead_somewhere(document):
    """Each link to a file of the repository finds it."""
    text = document.read_text(encoding="utf-8")
    links = re.findall(r"\]\((?!https?://|#)([^)#]+)", text)

    missing = [link for link in links if not (document.parent / link).exists()]

    assert not missing


def test_the_readme_lists_every_metric():
    """The metrics that are documented are those that are served."""
    served = re.findall(r"^# TYPE (agw_\w+)", Metrics().render().decode(), re.MULTILINE)

    assert set(re.findall(r"`(agw_\w+)`", README)) == set(served)


def test_the_image_is_made_of_files_that_exist():
    """The Dockerfile copies nothing that the repository or the build context lacks."""
    dockerfile = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    context = (ROOT / ".dockerignore").read_text(encoding="utf-8")
    copied = {
        name
        for line in re.findall(r"^COPY (?!--)(.+) \S+$", dockerfile, re.MULTILINE)
        for name in line.split()
    }

    assert copied == set(re.findall(r"^!(\S+)$", context, re.MULTILINE))
    assert all((ROOT / name).exists() for name in copied)


def test_ci_runs_the_gates_and_the_tests():
    """.ci/run can be run, and runs what the README tells people to run."""
    script = ROOT / ".ci" / "run"

    assert script.stat().st_mode & 0o111
    assert {"make check", "make test"} <= set(script.read_text(encoding="utf-8").splitlines())
