"""``tenantctl migrate`` and ``tenantctl schema``."""

import json
import tomllib
from pathlib import Path

import jsonschema_rs
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from migrations_of_config.chain import Revision, chain_of
from tenants import model
from tenants.cli import main
from tenants.cli.migrate_files import plan
from tenants.cli.schema import VALUES, document_schema
from tenants.cli.schema_words import WORDS
from tenants.conversion import structure
from tenants.fields import PARSERS
from tests.fakes.tenants import write_tenant

EXAMPLES = sorted((Path(__file__).parents[2] / "examples" / "tenants").glob("*/tenant.toml"))
SCHEMA = jsonschema_rs.validator_for(document_schema())
LEAST = {
    "schema_version": 1,
    "tenant_id": "acme",
    "assistant": {"id": "asst_acme", "model": "gpt-6-luna"},
}
LOOSER = {model.Url, model.Origin, model.FilePath, model.FilePattern, model.ModulePath}
CHAIN = chain_of([Revision(1, "Add x.", lambda document: {**document, "x": 1})])


def tenantctl(*arguments, **environ):
    """Run a command in this process."""
    return CliRunner().invoke(main, [str(each) for each in arguments], env=environ)


def test_nothing_to_do_is_said(tmp_path):
    """A document of the newest version stays as it is, byte for byte."""
    directory = write_tenant(tmp_path)
    before = (directory / "tenant.toml").read_bytes()

    one = tenantctl("migrate", directory)
    named = tenantctl("migrate", "acme", "--registry", f"dir:{tmp_path}")
    every = tenantctl("migrate", "--all", "--json", GATEWAY_TENANTS=f"dir:{tmp_path}")

    assert one.exit_code == 0
    assert named.stdout == one.stdout
    assert "Nothing to do: every document is at schema version 1, the newest" in one.stdout
    assert json.loads(every.stdout) == {
        "newest": 1,
        "dry_run": False,
        "documents": [
            {
                "place": str(directory / "tenant.toml"),
                "changed": False,
                "steps": [],
                "revision": None,
                "error": "",
            }
        ],
    }
    assert (directory / "tenant.toml").read_bytes() == before


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("schema_version = 2", "its schema_version 2 is newer than this program's 1"),
        ("", "write schema_version = 1"),
        ("schema_version =", "this is not TOML"),
        (None, "it cannot be read"),
    ],
)
def test_documents_that_cannot_be_brought_on_are_refused(tmp_path, text, words):
    """Exit code 1, and the sentence names the file."""
    if text is not None:
        (tmp_path / "tenant.toml").write_text(text)

    result = tenantctl("migrate", tmp_path)

    assert result.exit_code == 1
    assert f"{tmp_path / 'tenant.toml'}: {words}" in result.stdout


def test_a_plan_is_the_chain_s(tmp_path):
    """With a made-up revision: the new text, and the sentence of each step."""
    path = write_tenant(tmp_path) / "tenant.toml"

    found = plan(path, CHAIN)

    assert found.steps == ("Add x.",)
    assert tomllib.loads(found.after) == tomllib.loads(found.before) | {"schema_version": 2, "x": 1}


@pytest.mark.parametrize(
    "arguments",
    [
        ["migrate"],
        ["migrate", "--all", "."],
        ["migrate", "./nowhere"],
        ["migrate", "--all", "--registry", "somewhere"],
    ],
)
def test_bad_usage_is_exit_code_2(arguments):
    """One tenant or all of them, in a registry of a kind that is known."""
    assert tenantctl(*arguments).exit_code == 2


def test_the_schema_is_printed_by_both_names():
    """The command, its one-line form, and the option that it was before."""
    texts = [
        tenantctl(*words).stdout
        for words in (["schema"], ["schema", "--json"], ["--generate-schema"])
    ]

    assert [json.loads(text) for text in texts] == [document_schema()] * 3
    assert texts[1].count("\n") == 1


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.parent.name)
def test_the_examples_are_valid(path):
    """What is served is what the schema describes."""
    SCHEMA.validate(tomllib.loads(path.read_text(encoding="utf-8")))


def test_the_schema_is_one():
    """Draft 2020-12 itself says so."""
    jsonschema_rs.meta.validate(document_schema())


def tables(schema, path=()):
    """The paths of all tables with fields, a free key written as ``x``."""
    if "properties" in schema:
        yield path
        for name, part in schema["properties"].items():
            yield from tables(part, (*path, name))
    if isinstance(schema.get("additionalProperties"), dict):
        yield from tables(schema["additionalProperties"], (*path, "x"))


@pytest.mark.parametrize("path", [*tables(document_schema())], ids=".".join)
def test_unknown_fields_are_refused_by_both(path):
    """In every table, what the parser takes for unknown the schema refuses too."""
    document = json.loads(json.dumps(LEAST))
    table = document
    for key in path:
        table = table.setdefault(key, {})
    table["nonesuch"] = 1

    _, problems = structure(document)

    assert any(place == (*path, "nonesuch") and "unknown" in why for place, why in problems)
    assert any(
        "nonesuch" in error.message and [*error.instance_path] == [*path]
        for error in SCHEMA.iter_errors(document)
    )


def test_every_field_is_described():
    """No field of the model is without words, and no words are without a field."""
    schema = document_schema()
    described = {
        (kind, name) for kind, name in WORDS if name in {each.name for each in kind.__attrs_attrs__}
    }

    assert described == set(WORDS)
    assert "description" in schema["properties"]["tools"]["properties"]["mcp"]


@pytest.mark.parametrize("kind", [*VALUES], ids=str)
@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_the_schema_says_of_a_value_what_its_parser_says(kind, data):
    """The parser is the law: the schema refuses nothing else, and for most the same."""
    value = data.draw(
        st.text(max_size=6)
        | st.from_regex(r"(asst_|secret:|gpt-)?[a-z0-9.-]{1,8}(\.py)?", fullmatch=True)
        | st.integers(-3, 60)
        | st.floats(-1, 3).filter(lambda number: not number.is_integer())  # JSON takes 1.0 for 1
        | st.booleans()
        | st.lists(st.none(), max_size=1)
    )
    described = jsonschema_rs.is_valid(VALUES[kind], value)

    accepted = parses(kind, value)

    assert described if accepted else (kind in LOOSER or not described)


def parses(kind, value):
    """Whether the gateway takes this value."""
    try:
        PARSERS[kind](value)
    except ValueError:
        return False
    return True
