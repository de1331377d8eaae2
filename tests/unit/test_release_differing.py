"""Comparing and exporting a tenant's files."""

import pytest

from tenants.releases.differing import differences
from tenants.releases.exporting import export

TEXT = b"one\ntwo\nthree\n"


def lines_of(before: bytes | None, after: bytes | None) -> list[str]:
    """The lines that tell two versions of ``a.md`` apart."""
    found = [
        *differences(
            {} if before is None else {"a.md": before}, {} if after is None else {"a.md": after}
        )
    ]
    assert [each.name for each in found] == ["a.md"]
    return [*found[0].lines]


def test_each_file_that_differs_is_told_with_its_kind():
    """Files that are the same are not named; others are added, removed or changed."""
    before = {"same.md": TEXT, "gone.md": TEXT, "other.md": TEXT}
    after = {"same.md": TEXT, "new.md": TEXT, "other.md": b"one\n"}

    found = [(each.name, each.kind) for each in differences(before, after)]

    assert found == [("gone.md", "removed"), ("new.md", "added"), ("other.md", "changed")]


def test_text_is_compared_line_by_line():
    """A changed line is a unified diff, as git writes it."""
    assert lines_of(TEXT, b"one\n2\nthree\n") == [
        "--- a/a.md",
        "+++ b/a.md",
        "@@ -1,3 +1,3 @@",
        " one",
        "-two",
        "+2",
        " three",
    ]
    assert lines_of(None, b"one\n")[:2] == ["--- /dev/null", "+++ b/a.md"]
    assert lines_of(b"one\n", None)[:2] == ["--- a/a.md", "+++ /dev/null"]


@pytest.mark.parametrize("binary", [b"\0\1", b"\xff\xfe"])
def test_binary_files_are_compared_by_size_and_digest(binary):
    """Bytes that are no text are never printed."""
    (line,) = lines_of(TEXT, binary)

    assert line.startswith("binary a.md: 14 bytes, SHA-256 ")
    assert " -> 2 bytes, SHA-256 " in line


def test_long_files_are_compared_by_size_and_digest():
    """Comparing two tables line by line would take minutes, and nobody reads what comes of it."""
    before = b"".join(b"line %d\n" % number for number in range(50_000))
    after = b"".join(b"line %d\n" % (number + (number % 7 == 0)) for number in range(50_000))

    (line,) = lines_of(before, after)
    (new,) = lines_of(None, after)

    assert line.startswith("long a.md: 538,890 bytes, SHA-256 ")
    assert new.startswith("long a.md: none -> ")


@pytest.mark.parametrize(("before", "after"), [(b"one\n", b"one"), (b"a\r\n", b"a\n"), (None, b"")])
def test_no_difference_goes_without_a_line(before, after):
    """What no line shows is told in words."""
    (line,) = lines_of(before, after)

    assert "only the ends of lines differ" in line


def test_export_writes_every_file(tmp_path):
    """A missing or empty directory gets all of the files, folders included."""
    (tmp_path / "empty").mkdir()
    files = {"tenant.toml": TEXT, "knowledge/deep/a.pdf": b"\0\xff"}

    for name in ("empty", "new/one"):
        export(files, tmp_path / name)

        found = {
            str(path.relative_to(tmp_path / name)): path.read_bytes()
            for path in (tmp_path / name).rglob("*")
            if path.is_file()
        }
        assert found == files
    assert {path.name for path in tmp_path.iterdir()} == {"empty", "new"}


def test_export_writes_over_nothing(tmp_path):
    """A directory that holds something stays as it is, and no half of an export beside it."""
    (tmp_path / "acme").mkdir()
    (tmp_path / "acme" / "mine.txt").write_text("mine")

    with pytest.raises(OSError, match="not empty"):
        export({"tenant.toml": TEXT}, tmp_path / "acme")
    with pytest.raises(OSError, match="exists"):
        export({"a": b"", "a/b": b""}, tmp_path / "beta")
    with pytest.raises(OSError, match="leads out"):
        export({"../../planted": b""}, tmp_path / "beta")

    assert [str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*")] == [
        "acme",
        "acme/mine.txt",
    ]
