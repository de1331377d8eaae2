"""Raw function schemas as signatures, held against what the gateway makes of the signatures."""

import json
import types

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from migrations_of_config.earlier.stubs import definitions_of, write
from tenants.modules import load_module

NAME = st.sampled_from(["city", "unit", "list", "type", "str", "Any", "name", "from_", "x1", "_y"])
TEXT = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=20)
DESCRIBED = {"description": TEXT}


def shaped(required, described=DESCRIBED):
    """A schema's keywords."""
    return st.fixed_dictionaries(required, optional=described)


def without_description(schema):
    """What an array holds says only its type."""
    return {key: value for key, value in schema.items() if key != "description"}


SCALAR = shaped({"type": st.sampled_from(["string", "integer", "number", "boolean"])})
CHOICE = shaped({"type": st.just("string"), "enum": st.lists(TEXT, min_size=1, unique=True)})
SCHEMAS = st.recursive(
    SCALAR | CHOICE,
    lambda inner: (
        shaped({"type": st.just("array"), "items": inner.map(without_description)})
        | st.dictionaries(NAME, inner, min_size=1, max_size=3).map(
            lambda properties: {
                "type": "object",
                "properties": properties,
                "required": sorted(properties)[:2],
            }
        )
    ),
    max_leaves=5,
)


def described(source):
    """What the gateway tells a model of a module's functions, by name."""
    module = load_module(source.encode(), "tools.py")
    module.close()
    assert not module.faults, (module.faults, source)
    return {name: json.loads(each.schema) for name, each in module.functions.items()}


def bare(schema):
    """A schema without what strict mode adds and the order of what has none."""
    result = {key: value for key, value in schema.items() if key != "additionalProperties"}
    for key in ("enum", "required"):
        if key in result:
            result[key] = sorted(result[key])
    if "items" in result:
        result["items"] = bare(result["items"])
    if "properties" in result:
        result["properties"] = {key: bare(each) for key, each in result["properties"].items()}
    return result


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(NAME, SCHEMAS, min_size=1, max_size=3))
def test_signatures_say_what_the_schemas_said(properties):
    """Types, choices, records, descriptions and what is required come back as they were."""
    parameters = {"type": "object", "properties": properties, "required": sorted(properties)}
    schemas = [{"name": "f", "description": "Do it.", "parameters": parameters}]

    stub = write(definitions_of("functions", schemas), [])

    assert stub.unsaid == ()
    found = described(stub.source)["f"]
    assert found["description"] == "Do it."
    assert bare(found["parameters"]) == bare(parameters)


@pytest.mark.parametrize(
    ("schema", "path", "value"),
    [
        ({"type": "string", "pattern": "a+"}, ".pattern", "a+"),
        ({"type": "integer", "minimum": 0}, ".minimum", 0),
        ({"type": "odd"}, ".type", "odd"),
        ({"$ref": "#/x"}, ".$ref", "#/x"),
        ({"enum": [1.5]}, ".enum", [1.5]),
        ({"type": "array", "items": {"type": "string", "maxLength": 3}}, ".items.maxLength", 3),
        (
            {"type": "object", "properties": {"a-b": {"type": "string"}}},
            ".properties",
            {"a-b": {"type": "string"}},
        ),
        ({"anyOf": [{"type": "integer"}, {"type": "number"}]}, ".anyOf", [{}, {}]),
    ],
)
def test_what_a_signature_cannot_say_is_named(schema, path, value):
    """By its path, with its value; the module can be served all the same."""
    schemas = [{"name": "f", "parameters": {"type": "object", "properties": {"a": schema}}}]

    stub = write(definitions_of("functions", schemas), [])

    assert "f" in described(stub.source)
    ((place, found),) = stub.unsaid
    assert place == f"functions[0].parameters.properties.a{path}"
    assert found == (value if value != [{}, {}] else schema["anyOf"])


@pytest.mark.parametrize(
    ("schema", "required", "kind"),
    [
        ({"type": "string", "default": "x"}, False, "default"),
        ({"type": ["string", "null"]}, True, "anyOf"),
        ({"anyOf": [{"type": "integer"}, {"type": "null"}]}, True, "anyOf"),
        ({"type": "object"}, True, "type"),
        ({"type": "object", "additionalProperties": {"type": "integer"}}, True, "type"),
        ({"type": "string"}, False, "anyOf"),
    ],
)
def test_optional_and_free_arguments_have_a_form(schema, required, kind):
    """None of these needs a word of the report."""
    parameters = {"type": "object", "properties": {"a": schema}, "required": ["a"] * required}

    stub = write(definitions_of("functions", [{"name": "f", "parameters": parameters}]), [])

    assert stub.unsaid == ()
    assert kind in described(stub.source)["f"]["parameters"]["properties"]["a"]


@pytest.mark.parametrize("name", ["get-weather", "class", "1st", "str", "Any", "TOOL_MAP", "a b"])
def test_functions_keep_their_names_for_the_model(name):
    """Whatever Python makes of them."""
    stub = write(definitions_of("functions", [{"name": name}, {"name": "other"}]), ["third"])

    space = {}
    exec(compile(stub.source, "tools.py", "exec"), space)  # noqa: S102  (written a line above)
    assert [*space["TOOL_MAP"]] == [name, "other", "third"]
    assert all(isinstance(each, types.FunctionType) for each in space["TOOL_MAP"].values())


@pytest.mark.parametrize("text", ['Say "hi" \\n.', "One.\n\nTwo\nthree.", "Ends with \\", '"'])
def test_descriptions_survive_quoting(text):
    """A docstring says what the schema said, quotes and backslashes included."""
    stub = write(definitions_of("functions", [{"name": "f", "description": text}]), [])

    assert described(stub.source)["f"]["description"] == text
    assert stub.unsaid == ()


def test_descriptions_that_a_docstring_would_change_are_named():
    """Such as one with a section of its own."""
    text = "Do it.\n\nReturns:\n    nothing"

    stub = write(definitions_of("functions", [{"name": "f", "description": text}]), [])

    assert stub.unsaid == (("functions[0].description", text),)
