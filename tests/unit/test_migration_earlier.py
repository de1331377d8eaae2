"""Every generation of the earlier service's configuration, from a historical document each."""

import json
import tomllib
from pathlib import Path

import pytest

from migrations_of_config.earlier.importing import Source, blob_tenant_id, import_config
from migrations_of_config.earlier.report import Lost, Placed, Quarantined, Todo

FIXTURES = Path(__file__).parents[1] / "fixtures_of_config"
HEAD = {"schema_version": 1, "tenant_id": "acme"}
NAMED = HEAD | {"display_name": "Acme Support"}
UNNAMED = HEAD | {"display_name": "Assistant"}
ASKING = "Ask me some questions"
TOOLS = {"module": "tools.py", "isolation": "inline"}


def fixture(name, **options):
    """A historical document, imported under the blob's name that gives the id."""
    content = (FIXTURES / f"{name}.json").read_bytes()
    return import_config(Source("configs/acme", content), **options)


def imported(document, path="configs/acme", **options):
    """A document, imported."""
    return import_config(Source(path, json.dumps(document).encode()), **options)


def toml(result):
    """What ``tenant.toml`` says."""
    return tomllib.loads(result.files["tenant.toml"])


def assistant(greeting="Hello!", identity="asst_abc123"):
    """The table that comes of a bucket's document."""
    return {"id": identity, "model": "gpt-6-luna", "initial_message": greeting}


def entries(result, kind):
    """The report's entries of a kind."""
    return [each for each in result.entries if isinstance(each, kind)]


@pytest.mark.parametrize(
    ("name", "document"),
    [
        ("g0", UNNAMED | {"assistant": assistant(ASKING)}),
        (
            "g1",
            UNNAMED
            | {"assistant": assistant(ASKING), "tools": {**TOOLS, "functions": ["get_weather"]}},
        ),
        ("g2", UNNAMED | {"assistant": assistant(ASKING), "tools": {"hosted": ["file_search"]}}),
        (
            "g3",
            UNNAMED
            | {
                "assistant": assistant("Welcome to Acme. What can I do for you?"),
                "tools": {"hosted": ["code_interpreter"]},
            },
        ),
        (
            "g4",
            NAMED
            | {
                "assistant": assistant(),
                "upstream": {"api_key": "secret:openai-api-key"},
                "tools": {
                    **TOOLS,
                    "hosted": ["file_search"],
                    "functions": ["get_weather", "find_customer"],
                },
            },
        ),
        (
            "g5",
            NAMED
            | {
                "assistant": assistant(identity="asst_acme_default"),
                "tools": {"hosted": ["file_search", "code_interpreter"]},
            },
        ),
        ("g6", NAMED | {"assistant": assistant(), "tools": {"hosted": ["file_search"]}}),
        (
            "g7",
            NAMED
            | {
                "assistant": assistant(),
                "tools": {
                    **TOOLS,
                    "hosted": ["file_search", "code_interpreter"],
                    "functions": ["get_weather"],
                },
            },
        ),
    ],
)
def test_each_generation_is_known_by_its_shape(name, document):
    """Its document says all that the earlier one said, and defaults where that said nothing."""
    result = fixture(name)

    assert toml(result) == document
    assert result.generation == name.upper()


def test_a_registration_is_read():
    """Instructions, model, vector store and a raw schema have their places."""
    result = fixture("registration")

    assert result.generation == "registration JSON"
    assert result.files["instructions.md"] == "You help customers of Acme.\n"
    assert toml(result) == NAMED | {
        "assistant": {
            "id": "asst_acme_default",
            "model": "gpt-4-turbo-preview",
            "initial_message": "Hello!",
        },
        "models": {"gpt-4-turbo-preview": "gpt-6-luna"},
        "tools": {**TOOLS, "hosted": ["file_search"], "functions": ["get_weather"]},
        "knowledge": {"vector_store": "Acme docs", "files": ["knowledge/terms.pdf"]},
    }
    assert [(each.source, each.reason) for each in entries(result, Lost) if not each.notice] == [
        (
            "vector_store_file_path",
            "no generation has such a field; did you mean vector_store_file_paths?",
        ),
        (
            "function_definitions[0].function.parameters.properties.city.maxLength",
            "a signature cannot say this",
        ),
    ]
    todo = "\n".join(each.text for each in entries(result, Todo))
    assert "gpt-4-turbo-preview no longer" in todo
    assert "copy docs/terms.pdf to knowledge/terms.pdf" in todo


def test_dropped_fields_are_noticed():
    """The four types of G5 are named with what they said."""
    dropped = [each for each in entries(fixture("g5"), Lost) if each.source.endswith("_type")]

    assert [(each.source, each.value, each.notice) for each in dropped] == [
        ("orchestrator_type", '"default"', True),
        ("stream_handler_type", '"default"', True),
        ("tool_executor_type", '"default"', True),
        ("message_parser_type", '"default"', True),
    ]


def test_a_key_is_quarantined():
    """The operator is told where it stood and where it belongs; it is in none of the outputs."""
    result = fixture("g4")

    assert "sk-planted" not in repr((result, result.files))
    assert entries(result, Quarantined) == [Quarantined("openai_apikey")]
    assert "AGW_ACME__OPENAI_API_KEY" in entries(result, Todo)[0].text


@pytest.mark.parametrize(
    ("path", "tenant_id"),
    [
        ("configs/acme", "acme"),
        ("/tmp/x/configs/acme.json", "acme"),  # noqa: S108  (only a path)
        ("configs/assistant", None),
        ("acme.json", None),
        ("acme", None),
        ("", None),
    ],
)
def test_a_blob_s_name_gives_the_id(path, tenant_id):
    """``configs/<CLIENT_ID>`` does; ``assistant`` is no tenant's name."""
    assert blob_tenant_id(path) == tenant_id


def test_the_operator_s_words_win():
    """What they replace is named, not lost."""
    result = fixture("g6", tenant_id="other", display_name="Other")

    assert toml(result)["tenant_id"] == "other"
    assert toml(result)["display_name"] == "Other"
    assert [each.source for each in entries(result, Lost) if not each.notice] == ["assistant_name"]


@pytest.mark.parametrize(
    ("retrieval", "file_search", "hosted"),
    [(True, False, True), (False, True, True), (True, True, True), (False, False, False)],
)
def test_both_names_of_file_search_count(retrieval, file_search, hosted):
    """It is on where either says so, and is named once."""
    result = imported(
        {"assistant_id": "asst_a", "retrieval": retrieval, "file_search": file_search}
    )

    assert toml(result).get("tools", {}).get("hosted", []) == ["file_search"] * hosted


def test_the_newer_greeting_wins_and_the_older_is_named():
    """Nothing is joined that was never said together."""
    result = imported({"initial_message": "New", "initial_messages": ["Old", "er"]})

    assert toml(result)["assistant"]["initial_message"] == "New"
    assert Lost(
        "initial_messages", '["Old", "er"]', "initial_message is there too, and counts"
    ) in (result.entries)


@pytest.mark.parametrize(
    ("model", "aliased", "told"),
    [
        ("gpt-3.5-turbo-1106", True, "no longer"),
        ("gpt-4", True, "no longer"),
        ("gpt-4-turbo", True, "no longer"),
        ("gpt-4o-2024-05-13", True, "no longer"),
        ("gpt-4o", False, "until 14 January 2027"),
        ("gpt-4.1-mini", False, "until 14 January 2027"),
        ("gpt-6-sol", False, None),
        ("my-vllm-model", False, None),
    ],
)
def test_retired_models_become_aliases(model, aliased, told):
    """The document keeps the name, and one line says what it stands for now."""
    result = imported({"instructions": "Be brief.", "model": model})

    todo = "\n".join(each.text for each in entries(result, Todo))
    assert toml(result)["assistant"]["model"] == model
    assert toml(result).get("models") == ({model: "gpt-6-luna"} if aliased else None)
    assert (told in todo) if told else (model not in todo)


def test_files_of_one_name_stay_apart():
    """Paths out of the tenant's directory are brought into it, each under a name of its own."""
    paths = ["/srv/a.pdf", "../a.pdf", "C:\\docs\\a.pdf", "b"]

    result = imported({"instructions": "x", "vector_store_file_paths": paths})

    assert toml(result)["knowledge"]["files"] == [
        "knowledge/a.pdf",
        "knowledge/a-2.pdf",
        "knowledge/a-3.pdf",
        "knowledge/b",
    ]


def test_a_module_beside_the_configuration_is_taken_as_it_is():
    """It is not run, and what must be mended in it is told with its line."""
    module = b"import os\nos.abort()\ndef f(a):\n    return a\nTOOL_MAP = {'f': f}\n"
    source = Source(
        "configs/acme",
        json.dumps({"assistant_id": "asst_a", "function_names": ["f", "g"]}).encode(),
        {"tools.py": module}.get,
    )

    result = import_config(source)

    todo = "\n".join(each.text for each in entries(result, Todo))
    assert result.files["tools.py"] == module.decode()
    assert "line 3: annotate a of f, such as str" in todo
    assert "write g into tools.py: its TOOL_MAP has no such function" in todo


def test_keys_in_a_given_module_are_taken_out():
    """The line is told; the key is in none of the outputs."""
    module = b"KEY = 'sk-planted-0123456789'\nTOOL_MAP = {}\n"

    content = b'{"functions_module": "tools", "instructions": "x"}'

    result = import_config(Source("configs/acme", content, {"tools.py": module}.get))

    assert "sk-planted" not in repr((result, result.files))
    assert entries(result, Quarantined) == [Quarantined("tools.py:1")]


def test_a_module_that_is_not_there_is_named():
    """The registration named a file that nobody gave."""
    result = imported({"instructions": "x", "functions_module": "acme.functions"})

    assert "tools.py" not in result.files
    assert [each.source for each in entries(result, Lost)] == ["functions_module"]
    assert any("copy acme.functions" in each.text for each in entries(result, Todo))


def test_every_placed_entry_is_in_a_file():
    """The report tells of nothing that was not written."""
    result = fixture("registration")

    for each in entries(result, Placed):
        assert each.file in result.files
