"""Earlier configuration that cannot be read: all of it at once, by path, without its values."""

import json

import pytest

from migrations_of_config.earlier.importing import Source, import_config
from migrations_of_config.errors import EarlierConfigError


def refused(content, path="configs/acme", **options):
    """The faults of a configuration, as pairs of a path and a sentence."""
    if not isinstance(content, bytes):
        content = json.dumps(content).encode()
    with pytest.raises(EarlierConfigError) as caught:
        import_config(Source(path, content), **options)
    return [(fault.field, fault.message) for fault in caught.value.faults]


def test_every_wrong_type_is_told_at_once():
    """Each with its path, what is there, and what belongs there."""
    found = refused(
        {
            "assistant_id": 7,
            "code_interpreter": "yes",
            "function_names": ["f", None, 1],
            "initial_messages": "Hello",
            "function_definitions": [{}, []],
        }
    )

    assert dict(found) == {
        "assistant_id": "expected a string, not a number: correct it",
        "code_interpreter": "expected true or false, not a string: correct it",
        "function_names[1]": "expected a string, not null: correct it",
        "function_names[2]": "expected a string, not a number: correct it",
        "initial_messages": "expected an array, not a string: correct it",
        "function_definitions[1]": "expected an object, not an array: correct it",
        "instructions": "required, and missing: write them",
    }


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "this is not JSON"),
        (b"{", "this is not JSON"),
        (b"\xff{}", "this is not UTF-8"),
        (b"[]", "expected an object"),
        (b'"sk-planted-0123456789"', "expected an object"),
        (b"null", "expected an object"),
        (b"{}", "none of an assistant's fields"),
        (b'{"a": 1}', "none of an assistant's fields"),
        (b'{"assistant_id": NaN}', "not JSON's"),
        (b'{"x": 1' + b"0" * 5000 + b"}", "not JSON's"),
        (b'{"a":' * 100_000, "nested too deeply"),
        (b'{"assistant_id": "a", "assistant_id": "b"}', "written twice"),
    ],
)
def test_what_is_no_configuration_says_so(content, words):
    """One sentence, without a traceback and without the content."""
    ((_, message),) = refused(content)

    assert words in message


@pytest.mark.parametrize("text", ["a\0b", "\ud800"])
def test_text_that_no_file_can_hold_is_refused(text):
    """NUL and half characters cannot be written as TOML or Markdown."""
    assert [field for field, _ in refused({"initial_message": text})] == ["initial_message"]


def test_a_line_is_told_where_the_reader_knows_it():
    """An editor can go there."""
    with pytest.raises(EarlierConfigError) as caught:
        import_config(Source("a.json", b'{"assistant_id": "x",\n"y": }'), tenant_id="acme")

    assert caught.value.faults[0].line == 2


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("configs/assistant", "give its id (--id)"),
        ("acme.json", "give its id (--id)"),
        ("configs/Acme_Corp", "give one (--id acme-corp)"),
    ],
)
def test_a_missing_or_wrong_id_is_asked_for(path, words):
    """With one that would do, where the name suggests one."""
    ((_, message),) = refused({"assistant_id": "asst_a"}, path)

    assert words in message


def test_a_document_with_a_version_is_sent_elsewhere():
    """tenant.toml is no earlier configuration."""
    ((_, message),) = refused(b"schema_version = 1", "acme/tenant.toml")

    assert "schema_version" in message


def test_faults_quote_no_values():
    """A value in the wrong place may be a secret."""
    content = {"assistant_id": ["sk-planted-0123456789"], "code_interpreter": "sk-planted-0123456"}

    assert "sk-planted" not in repr(refused(content))
