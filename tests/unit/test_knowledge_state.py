"""``knowledge.json``: written and read, and what is no state of knowledge."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenants.errors import InvalidTenantError
from tenants.knowledge.state import (
    AccountRef,
    KnowledgeState,
    StateError,
    SyncedFile,
    decode,
    encode,
)
from tests.fakes.tenants import compile_directory, write_tenant

STATE = KnowledgeState("vs_1", AccountRef(), (SyncedFile("knowledge/a.md", "a" * 64, "file-1"),))
KNOWLEDGE = '[knowledge]\nvector_store = "Docs"\n'
SEARCHING = '[tools]\nhosted = ["file_search"]\n' + KNOWLEDGE
_FILES = st.builds(
    SyncedFile,
    st.text(max_size=20),
    st.text("0123456789abcdef", min_size=64, max_size=64),
    st.from_regex(r"\A[A-Za-z0-9_-]{1,20}\Z"),
)


@given(
    st.lists(_FILES, unique_by=lambda file: file.path),
    st.builds(AccountRef, st.none() | st.text(max_size=30), st.none() | st.text(max_size=9)),
)
def test_a_state_comes_back_as_it_was(files, account):
    """Whatever was synced is read as it was written, in the order of the paths."""
    state = KnowledgeState("vs_1", account, tuple(sorted(files, key=lambda file: file.path)))

    assert decode(encode(state)) == state
    assert encode(KnowledgeState("vs_1", account, tuple(files))) == encode(state)


def other(**changes):
    """A state's text with some fields changed."""
    return json.dumps(json.loads(encode(STATE)) | changes)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "delete it"),
        ("[]", "delete it"),
        ("[" * 100_000, "delete it"),
        (other(vector_store_id="vs_1\n"), "delete it"),
        (other(vector_store_id='","x":"'), "delete it"),
        (other(files=[{"path": "a"}]), "delete it"),
        (other(format=2), "update it"),
    ],
)
def test_nonsense_is_refused_with_its_remedy(text, words):
    """What is no state, and one of a newer program, say how to go on."""
    with pytest.raises(StateError, match=words):
        decode(text)


def tools_of(root, document, state=None):
    """The types of the tools that a tenant offers."""
    directory = write_tenant(root, document=document)
    if state is not None:
        (directory / "knowledge.json").write_bytes(state)
    tools = json.loads(compile_directory(directory).default.tools)
    return [tool["type"] for tool in tools]


def test_a_search_is_offered_once_there_is_something_to_search(tmp_path):
    """Without a synced store ``file_search`` is left out; the code interpreter needs none."""
    both = '[tools]\nhosted = ["code_interpreter", "file_search"]\n' + KNOWLEDGE

    assert tools_of(tmp_path / "1", both) == ["code_interpreter"]
    assert tools_of(tmp_path / "2", both, encode(STATE)) == ["code_interpreter", "file_search"]
    assert tools_of(tmp_path / "3", KNOWLEDGE, encode(STATE)) == []


KEY = '[upstream]\napi_key = "secret:key"\n'


@pytest.mark.parametrize(
    ("upstream", "account", "types"),
    [
        ("", AccountRef(), ["file_search"]),
        (KEY, AccountRef(), []),
        (KEY.replace('key"', 'other"'), AccountRef(None, "key"), []),
        (KEY.replace('key"', 'key@2"'), AccountRef(None, "key"), ["file_search"]),
        ("", AccountRef(None, "key"), []),
        (KEY + 'base_url = "https://a.example/v1"\n', AccountRef(None, "key"), []),
        (
            KEY + 'base_url = "https://a.example/v1/"\n',
            AccountRef("https://a.example/v1", "key"),
            ["file_search"],
        ),
    ],
)
def test_a_store_of_another_account_is_not_searched(tmp_path, upstream, account, types):
    """Offered at an account that has no such store, the search would fail every turn."""
    state = encode(KnowledgeState("vs_1", account, ()))

    assert tools_of(tmp_path, SEARCHING + upstream, state) == types


def test_a_search_of_nothing_is_not_offered(tmp_path):
    """Once the document names no knowledge any more, what was synced before is not searched."""
    document = '[tools]\nhosted = ["file_search"]\n'

    assert tools_of(tmp_path, document, encode(STATE)) == []


def test_a_broken_state_is_a_fault_of_its_file(tmp_path):
    """It is reported beside the other faults of the tenant, under its own name."""
    with pytest.raises(InvalidTenantError) as invalid:
        tools_of(tmp_path, "nonsense = 1\n" + SEARCHING, b"{")

    assert {fault.file for fault in invalid.value.faults} == {"tenant.toml", "knowledge.json"}
