"""Tools' functions: what a model is told of them, and how its JSON becomes their arguments."""

import json
from typing import Annotated, Any, Literal, Optional

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenants.functions import (
    ArgumentsError,
    ToolContext,
    bind,
    describe,
)
from tests.fakes.argument_types import Box, Pair, Point, Row, Tree, Unit, taking

CONTEXT = ToolContext("acme", "thread_1", "corr-1", {"crm": "planted"})


def tool(call) -> dict[str, Any]:
    """What the model is told of a function."""
    return json.loads(describe("f", call).schema)


def property_of(annotation, **defaults) -> tuple[dict[str, Any], bool]:
    """The schema of the one argument ``x``, and whether its function is strict."""
    described = tool(taking({"x": annotation}, **defaults))
    return described["parameters"]["properties"]["x"], described["strict"]


NULL = {"type": "null"}


@pytest.mark.parametrize(
    ("annotation", "schema", "strict"),
    [
        (str, {"type": "string"}, True),
        (int, {"type": "integer"}, True),
        (float, {"type": "number"}, True),
        (bool, {"type": "boolean"}, True),
        (None, NULL, True),
        (list[int], {"type": "array", "items": {"type": "integer"}}, True),
        (list, {"type": "array"}, False),
        (dict, {"type": "object"}, False),
        (dict[str, int], {"type": "object", "additionalProperties": {"type": "integer"}}, False),
        (Any, {}, False),
        (Optional[str], {"anyOf": [{"type": "string"}, NULL]}, True),  # noqa: UP045
        (int | str | None, {"anyOf": [{"type": "integer"}, {"type": "string"}, NULL]}, True),
        (Literal["a", "b"], {"enum": ["a", "b"], "type": "string"}, True),
        (Literal[1, 2], {"enum": [1, 2], "type": "integer"}, True),
        (
            Unit,
            {"enum": ["c", "f"], "type": "string", "description": "A unit of temperature."},
            True,
        ),
        (Annotated[int, "how many"], {"type": "integer", "description": "how many"}, True),
        (
            Point,
            {
                "type": "object",
                "description": "A place on the earth.",
                "properties": {
                    "lat": {"type": "number", "description": "degrees north"},
                    "lon": {"type": "number", "description": "degrees east"},
                    "name": {"anyOf": [{"type": "string"}, NULL]},
                },
                "required": ["lat", "lon", "name"],
                "additionalProperties": False,
            },
            True,
        ),
        (
            Row,
            {
                "type": "object",
                "description": "A row.",
                "properties": {"id": {"type": "integer"}, "text": {"type": "string"}},
                "required": ["id", "text"],
                "additionalProperties": False,
            },
            True,
        ),
    ],
)
def test_type_becomes_its_schema(annotation, schema, strict):
    """Every type of the contract has its schema, strict where OpenAI's rules allow it."""
    assert property_of(annotation) == (schema, strict)


@pytest.mark.parametrize("annotation", [Box, Pair, tuple[int, str], set[int]])
def test_type_that_strict_mode_cannot_say_is_described_all_the_same(annotation):
    """Defaults inside, tuples and sets are told to the model without strict mode."""
    schema, strict = property_of(annotation)

    assert schema
    assert not strict


def test_default_is_told_and_makes_the_argument_optional():
    """A default stays in the schema, which strict mode does not allow."""
    described = tool(taking({"days": int, "unit": Unit}, days=3, unit=Unit.CELSIUS))

    assert not described["strict"]
    assert described["parameters"]["required"] == []
    assert described["parameters"]["properties"]["days"] == {"type": "integer", "default": 3}
    assert described["parameters"]["properties"]["unit"]["default"] == "c"


@pytest.mark.parametrize("annotation", [int | None, int])
def test_default_of_none_is_null_in_strict_mode(annotation):
    """An argument that may be left out becomes one that may be null, also without saying so."""
    schema, strict = property_of(annotation, x=None)

    assert schema == {"anyOf": [{"type": "integer"}, NULL]}
    assert strict


def test_one_default_takes_the_whole_function_out_of_strict_mode():
    """Without strict mode every optional argument keeps its default."""
    described = tool(taking({"a": int, "b": int, "c": int}, b=None, c=1))

    assert described["parameters"]["required"] == ["a"]
    assert described["parameters"]["properties"]["b"]["default"] is None
    assert not described["strict"]


def test_docstring_describes_the_function_and_its_arguments():
    """Google style: summary and text to the function, ``Args:`` to its arguments."""

    def get_weather(city: str, unit: Annotated[Unit, "c or f"]) -> str:
        """Tell the weather.

        It is made up.

        Args:
            city: the city's name,
                in English
            unit: not read, since the annotation says more

        Returns:
            Text.
        """
        return city + unit.value

    described = tool(get_weather)

    assert described["description"] == "Tell the weather.\n\nIt is made up."
    properties = described["parameters"]["properties"]
    assert " ".join(properties["city"]["description"].split()) == "the city's name, in English"
    assert properties["unit"]["description"] == "c or f"


def test_recursive_type_is_told_by_reference():
    """What has no end inline refers to its definition, and its JSON is read whole."""

    def f(tree: Tree) -> int:
        return len(tree.children)

    described = tool(f)

    tree = described["parameters"]["properties"]["tree"]
    assert tree["properties"]["children"]["items"] == {"$ref": "#/$defs/Tree"}
    assert set(described["parameters"]["$defs"]) == {"Tree"}
    bound = bind(describe("f", f), '{"tree": {"value": 1, "children": [{"value": 2}]}}', CONTEXT)
    assert bound == {"tree": Tree(1, [Tree(2)])}


def test_function_without_arguments_is_strict_and_empty():
    """OpenAI takes an empty object of parameters in strict mode."""
    described = tool(lambda: None)

    assert described["parameters"] == {
        "type": "object",
        "properties": {},
        "required": [],
        "additionalProperties": False,
    }
    assert described["strict"]


def test_context_is_hidden_from_the_model_and_filled_in():
    """Plain, optional and annotated, a parameter of ToolContext gets the turn's."""

    def f(a: ToolContext, x: int, b: ToolContext | None = None):
        return a, x, b

    described = describe("f", f)

    assert list(json.loads(described.schema)["parameters"]["properties"]) == ["x"]
    assert bind(described, '{"x": 1}', CONTEXT) == {"a": CONTEXT, "x": 1, "b": CONTEXT}


def test_secrets_of_a_context_are_not_in_its_text():
    """A function that prints its context gives nothing away."""
    assert "planted" not in repr(CONTEXT)


def test_arguments_are_converted_to_the_signature_s_types():
    """Functions get dataclasses, enums and the like, not what JSON has."""

    def f(at: Point, box: Box, row: Row, unit: Unit, n: float):
        return at, box, row, unit, n

    arguments = {
        "at": {"lat": 1, "lon": 2.5},
        "box": {"size": 3, "tags": ["a"]},
        "row": {"id": 1, "text": "t"},
        "unit": "f",
        "n": 4,
    }

    assert bind(describe("f", f), json.dumps(arguments), CONTEXT) == {
        "at": Point(1.0, 2.5),
        "box": Box(3, ["a"]),
        "row": {"id": 1, "text": "t"},
        "unit": Unit.FAHRENHEIT,
        "n": 4.0,
    }


def test_missing_optional_arguments_are_left_to_the_function():
    """Its own default counts, whatever it is."""

    def f(x: int, y: int = 7):
        return x + y

    assert bind(describe("f", f), '{"x": 1}', CONTEXT) == {"x": 1}


def test_all_that_is_wrong_with_arguments_is_told():
    """Types, missing and unknown ones, each by name."""

    def f(a: int, b: str, at: Point):
        return a, b, at

    with pytest.raises(ArgumentsError) as raised:
        bind(describe("f", f), '{"a": "1", "at": {"lat": "x", "lon": 1}, "c": 1}', CONTEXT)

    assert [problem.split(":")[0] for problem in raised.value.problems] == ["a", "at", "b", "c"]
    assert "$.lat" in raised.value.problems[1]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from(["at", "box", "unit", "n", "z"]), JSON))
def test_any_json_is_bound_or_refused(arguments):
    """Whatever a model writes, the function gets its types or the model a message."""

    def f(at: Point, box: Box, unit: Unit, n: int = 0):
        return at, box, unit, n

    bound = bound_or_refused(describe("f", f), json.dumps(arguments))

    if bound is not None:
        assert isinstance(bound["at"], Point)
        assert isinstance(bound["box"], Box)
        assert isinstance(bound["unit"], Unit)


@given(st.text())
def test_any_text_is_bound_or_refused(text):
    """Text that is no JSON is refused as well."""
    assert bound_or_refused(describe("f", lambda: None), text) in ({}, None)


def bound_or_refused(function, arguments: str) -> dict[str, Any] | None:
    """The arguments, or None where they were refused."""
    try:
        return bind(function, arguments, CONTEXT)
    except ArgumentsError:
        return None
