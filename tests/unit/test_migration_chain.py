"""The chain of schema versions, with made-up revisions."""

import copy
import sys
import types

import pytest

from migrations_of_config.chain import Revision, chain_of, released
from migrations_of_config.errors import BrokenChainError, NewerDocumentError, VersionError
from tenants.model import SCHEMA_VERSION

SPLIT = Revision(
    1,
    "Split ``model`` into ``engine`` and ``model``.",
    lambda document: (
        document | dict(zip(("engine", "model"), document["model"].split(":"), strict=True))
    ),
)
RENAME = Revision(
    2,
    "Rename ``engine`` to ``wire``.",
    lambda document: {("wire" if key == "engine" else key): document[key] for key in document},
)


def test_documents_go_through_every_revision_in_order():
    """However the revisions were found, the oldest comes first and the version is the newest."""
    chain = chain_of([RENAME, SPLIT])

    document = chain.upgrade({"schema_version": 1, "model": "responses:luna"})

    assert document == {"schema_version": 3, "model": "luna", "wire": "responses"}
    assert chain.newest == 3


def test_documents_begin_where_they_are():
    """A document of version 2 goes through the second revision alone."""
    chain = chain_of([SPLIT, RENAME])

    assert chain.pending({"schema_version": 2}) == (RENAME,)
    assert chain.upgrade({"schema_version": 2, "engine": "e"}) == {"schema_version": 3, "wire": "e"}


def test_the_given_document_stays_as_it_is():
    """A revision that is not pure harms nobody else's document."""
    chain = chain_of([Revision(1, "", lambda document: document["a"].clear() or document)])
    document = {"schema_version": 1, "a": {"b": [1]}}
    before = copy.deepcopy(document)

    chain.upgrade(document)

    assert document == before


def test_a_newer_document_is_refused_by_name():
    """The error says the document's version and the program's."""
    with pytest.raises(NewerDocumentError) as caught:
        chain_of([SPLIT]).upgrade({"schema_version": 3})

    assert (caught.value.version, caught.value.newest) == (3, 2)


@pytest.mark.parametrize("version", [None, 0, -1, True, "1", 1.0])
def test_versions_that_never_were_are_refused(version):
    """Nothing is guessed about a document without a version."""
    with pytest.raises(VersionError):
        chain_of([SPLIT]).upgrade({"schema_version": version})


@pytest.mark.parametrize("chain", [[RENAME], [SPLIT, SPLIT], [SPLIT, RENAME, RENAME]])
def test_chains_with_gaps_or_forks_are_refused(chain):
    """A revision that is missing or written twice is found at the start, not in a document."""
    with pytest.raises(BrokenChainError):
        chain_of(chain)


def test_revisions_are_the_modules_of_a_package(tmp_path, monkeypatch):
    """A file that is put into the package is a step of the chain."""
    text = '"""Add ``x``.\n\nMore.\n"""\nREVISES = 1\ndef upgrade(d):\n    return {**d, "x": 1}\n'
    (tmp_path / "r0001_add_x.py").write_text(text)
    package = types.ModuleType("made_up_revisions")
    package.__path__ = [str(tmp_path)]
    monkeypatch.setitem(sys.modules, "made_up_revisions", package)

    chain = released(package)

    assert [each.sentence for each in chain.revisions] == ["Add ``x``."]
    assert chain.upgrade({"schema_version": 1}) == {"schema_version": 2, "x": 1}
    del sys.modules["made_up_revisions.r0001_add_x"]


def test_the_released_chain_ends_at_the_model_s_version():
    """What the chain gives is what the program reads."""
    assert released().newest == SCHEMA_VERSION
