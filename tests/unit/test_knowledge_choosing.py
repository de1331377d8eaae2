"""Which files are a tenant's knowledge, and what of them an upstream would not take."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenants.knowledge.choosing import choose
from tenants.knowledge.errors import UnfitFilesError
from tenants.knowledge.names import is_of, shown_name, upload_name
from tenants.model import KnowledgeSettings


def settings(*patterns):
    """Settings with these patterns."""
    return KnowledgeSettings("Docs", tuple(patterns))


def chosen(files, *patterns):
    """The paths that patterns choose."""
    return [each.path for each in choose(settings(*patterns), files)]


def faults(files, *patterns):
    """What is wrong, by path or field."""
    with pytest.raises(UnfitFilesError) as unfit:
        choose(settings(*patterns), files)
    return {fault.path: fault.message for fault in unfit.value.faults}


FILES = {
    "tenant.toml": b"secret = 1",
    "knowledge/a.md": b"a",
    "knowledge/b.txt": b"b",
    "knowledge/deep/c.md": b"c",
}


def test_a_star_stays_in_its_folder_and_two_go_deeper():
    """``*`` is anything but a slash and ``**`` anything; no file comes twice."""
    assert chosen(FILES, "knowledge/*.md") == ["knowledge/a.md"]
    assert chosen(FILES, "knowledge/**.md", "knowledge/a.md") == [
        "knowledge/a.md",
        "knowledge/deep/c.md",
    ]


def test_a_file_is_known_by_its_content():
    """The digest is that of the content."""
    (only,) = choose(settings("knowledge/a.md"), FILES)

    assert only.sha256 == hashlib.sha256(b"a").hexdigest()


@pytest.mark.parametrize("pattern", ["tenant.toml", "*", "**.toml", "../*", "/etc/*"])
def test_nothing_outside_of_knowledge_is_chosen(pattern):
    """Whatever a pattern says, the tenant's document and what is outside are never uploaded."""
    assert "no file matches" in faults(FILES, pattern)["knowledge.files[0]"]


def test_everything_that_is_wrong_is_said_at_once():
    """Patterns without a file, types and contents that cannot be searched, all together."""
    files = {
        "knowledge/a.zip": b"x",
        "knowledge/b.md": b" \n",
        "knowledge/c.md": b"\xff\xfe\xfa\xd8x",
        "knowledge/d.txt": b"caf\xe9",
        "knowledge/e": b"x",
        "knowledge/f.md": b"good",
    }

    found = faults(files, "knowledge/*", "knowledge/*.pdf")

    assert "this type cannot be searched" in found["knowledge/a.zip"]
    assert "this type cannot be searched" in found["knowledge/e"]
    assert "this is empty" in found["knowledge/b.md"]
    assert "not UTF-8" in found["knowledge/c.md"]
    assert "not UTF-8" in found["knowledge/d.txt"]
    assert "no file matches knowledge/*.pdf" in found["knowledge.files[1]"]
    assert "knowledge/f.md" not in found


def test_a_path_is_no_longer_than_what_upstream_keeps_of_it():
    """512 characters fit into an attribute of a vector store's file, more would fail its batch."""
    fits = f"knowledge/{'a' * 499}.md"
    assert chosen({fits: b"a"}, "knowledge/*") == [fits]

    longer = f"knowledge/{'a' * 500}.md"
    assert "more than 512 characters" in faults({longer: b"a"}, "knowledge/*")[longer]


def test_no_pattern_at_all_is_a_fault():
    """Knowledge without files says how to name some."""
    assert "is empty" in faults(FILES)["knowledge.files"]


@pytest.mark.parametrize("content", ["grüß".encode(), "grüß".encode("utf-16"), b"plain"])
def test_texts_in_unicode_are_taken(content):
    """UTF-8 and, with its mark, UTF-16."""
    assert chosen({"knowledge/a.md": content}, "knowledge/*") == ["knowledge/a.md"]


_NAMES = st.text("abc~.-_0123456789 é", min_size=1, max_size=30).filter(
    lambda name: name.strip(". ") and not name.startswith(".")
)
TOKEN = "0123456789abcdef"
DIGEST = "f" * 64


@given(_NAMES, _NAMES)
def test_a_name_upstream_shows_the_files_own_name(name, other):
    """What a citation shows is the file's own name; marks differ by path, token and content."""
    marked = upload_name(f"knowledge/{name}", TOKEN, DIGEST)

    assert shown_name(marked) == name.rstrip("/")
    assert is_of(marked, TOKEN)
    assert not is_of(marked, TOKEN[::-1])
    assert marked != upload_name(f"knowledge/{name}", TOKEN, "e" * 64)
    assert (marked == upload_name(f"knowledge/{other}", TOKEN, DIGEST)) == (name == other)


@given(st.text(max_size=60))
def test_names_without_marks_are_shown_as_they_are(name):
    """A file that somebody else uploaded keeps its name, and is nobody's."""
    if "~" not in name:
        assert shown_name(name) == name
        assert not is_of(name, TOKEN)
