"""Properties of every import: nothing is lost silently, and no key is written anywhere."""

import json

from hypothesis import given, settings
from hypothesis import strategies as st

from migrations_of_config.earlier.fields import KNOWN
from migrations_of_config.earlier.importing import Source, import_config
from migrations_of_config.earlier.report import Lost, Placed, Quarantined

TEXT = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=12)
WORD = st.sampled_from(["city", "unit", "list", "class", "str", "retrieval", "token"])
UNKNOWN = TEXT.filter(lambda name: name not in KNOWN)
KEY = st.text("abcXYZ019_-", min_size=8, max_size=30).map("sk-{}".format)
MAYBE_KEY = TEXT | KEY | st.builds("{} {}".format, WORD, KEY)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | MAYBE_KEY,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT | KEY, inner, max_size=3),
    max_leaves=6,
)
SCHEMA = st.deferred(
    lambda: st.fixed_dictionaries(
        {},
        optional={
            "type": st.sampled_from(["string", "integer", "array", "object", "odd", ["null"], 3]),
            "description": MAYBE_KEY | st.integers(),
            "enum": st.lists(st.integers() | MAYBE_KEY, max_size=3),
            "default": JSON,
            "minimum": JSON,
            "items": SCHEMA | JSON,
            "anyOf": st.lists(SCHEMA, max_size=2),
            "properties": st.dictionaries(WORD | TEXT | KEY, SCHEMA, max_size=2),
            "required": st.lists(WORD, max_size=2),
            "additionalProperties": st.booleans() | SCHEMA,
        },
    )
)
FUNCTION = st.fixed_dictionaries(
    {"name": WORD | MAYBE_KEY},
    optional={"description": MAYBE_KEY, "parameters": SCHEMA | JSON, "other": JSON},
)
TEXTS = st.lists(MAYBE_KEY, max_size=3)
FIELDS = {
    **dict.fromkeys(("assistant_id", "assistant_name", "initial_message", "model"), MAYBE_KEY),
    **dict.fromkeys(("functions_module", "vector_store_name", "instructions"), MAYBE_KEY),
    **dict.fromkeys(("code_interpreter", "retrieval", "file_search"), st.booleans() | st.none()),
    **dict.fromkeys(("initial_messages", "function_names", "file_paths"), TEXTS | st.none()),
    **dict.fromkeys(("vector_store_file_paths", "vector_store_files"), TEXTS),
    **dict.fromkeys(("orchestrator_type", "message_parser_type", "stream_handler_type"), JSON),
    "tool_executor_type": JSON,
    **dict.fromkeys(("function_definitions", "functions"), st.lists(FUNCTION, max_size=2)),
    "openai_apikey": st.none() | KEY | st.text("KEY0123456789_", min_size=24),
    "client_id": st.just("acme"),
}
DOCUMENTS = st.builds(
    lambda known, unknown: {**unknown, **known, "instructions": known.get("instructions") or "x"},
    st.fixed_dictionaries({}, optional=FIELDS),
    st.dictionaries(UNKNOWN | KEY, JSON, max_size=2),
)


def imported(document):
    """A document, imported."""
    return import_config(Source("acme", json.dumps(document).encode()), tenant_id="acme")


def leaves(value, path=""):
    """The paths of all that is in a document and has no parts."""
    if isinstance(value, dict) and value:
        for key, each in value.items():
            yield from leaves(each, f"{path}.{key}" if path else key)
    elif isinstance(value, list) and value:
        for at, each in enumerate(value):
            yield from leaves(each, f"{path}[{at}]")
    else:
        yield path


def keys_of(value):
    """Every text of a document that looks like a key, and all that stands in the key's field."""
    if isinstance(value, dict):
        for key, each in value.items():
            if key == "openai_apikey" and each:
                yield each
            yield from (*keys_of(key), *keys_of(each))
    elif isinstance(value, list):
        for each in value:
            yield from keys_of(each)
    elif isinstance(value, str) and "sk-" in value:
        yield from (word for word in value.split() if word.startswith("sk-") and len(word) > 10)


def everything(result):
    """All that an import puts out."""
    values = [each.value for each in result.entries if isinstance(each, Placed)]
    return repr((result, values)) + "".join(result.files.values())


@settings(max_examples=50, deadline=None)
@given(DOCUMENTS)
def test_no_leaf_is_lost_silently(document):
    """Each stands in the report: placed, dropped, without a place, or quarantined."""
    result = imported(document)

    sources = [each.source for each in result.entries if isinstance(each, Placed | Lost)]
    sources += [each.source for each in result.entries if isinstance(each, Quarantined)]
    for path in leaves(document):
        if "sk-" not in path:  # Such a name is itself quarantined.
            assert any(
                path == source or (source and path.startswith((f"{source}.", f"{source}[")))
                for source in sources
            ), path


@settings(max_examples=50, deadline=None)
@given(DOCUMENTS)
def test_no_key_is_written_anywhere(document):
    """Neither into the files nor into the report."""
    written = everything(imported(document))

    for key in keys_of(document):
        assert key not in written


@settings(max_examples=30, deadline=None)
@given(st.dictionaries(UNKNOWN, JSON, min_size=1, max_size=3))
def test_unknown_fields_keep_their_values_in_the_report(unknown):
    """Whoever reads the report could type them in again."""
    result = imported({"assistant_id": "asst_a"} | unknown)

    told = {each.source: each.value for each in result.entries if isinstance(each, Lost)}
    for name, value in unknown.items():
        if "sk-" not in json.dumps({name: value}) and name in told:
            assert json.loads(told[name]) == value
