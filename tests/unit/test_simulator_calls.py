"""Which functions the simulated model calls, and with what arguments."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.simulator.answering import answer
from gateway.simulator.arguments import draw
from gateway.simulator.choosing import calls
from gateway.simulator.conversation import (
    Calling,
    Conversation,
    Function,
    FunctionCall,
    FunctionOutput,
    Message,
)
from gateway.simulator.directives import Script
from gateway.simulator.evidence import gather

TEXT = {"type": "string"}
NUMBER = {"type": "number"}


def function(name, description="", *, optional=(), **properties):
    """A function on offer; every property is required but for the optional ones."""
    required = [each for each in properties if each not in optional]
    schema = {"type": "object", "properties": properties, "required": required}
    return Function(name, description, schema)


WEATHER = function(
    "get_weather",
    "The current weather of a city.",
    optional=["unit"],
    city=TEXT,
    unit={"enum": ["celsius", "fahrenheit"]},
)
HOURS = function("opening_hours", "When a shop is open.")
ORDER = function("get_order", "Look an order up.", order_id=TEXT)
CUSTOMERS = function("search_customers", "Search the database of clients.", query=TEXT)
FLIGHT = function(
    "book_flight", origin=TEXT, destination=TEXT, date=TEXT, passengers={"type": "integer"}
)
ADD = function("add", "Add two numbers.", a=NUMBER, b=NUMBER)
COMPARE = function("compare_cities", cities={"type": "array", "items": TEXT})
TICKETS = function("list_tickets", status={"enum": ["open", "closed"]}, urgent={"type": "boolean"})
EMAIL = function("send_email", email=TEXT)
CONVERT = function("convert_currency", amount=NUMBER, source={"enum": ["USD", "EUR"]}, target=TEXT)
ALL = (WEATHER, HOURS, ORDER, CUSTOMERS, FLIGHT, ADD, COMPARE, TICKETS, EMAIL, CONVERT)


def conversation(message, *, functions=ALL, **changes):
    """A conversation of one message."""
    entries = changes.pop("entries", (Message("user", message),))
    fields = {"calling": Calling.AUTO, "parallel": True, "script": Script(), **changes}
    return Conversation("sim-1", "", entries, functions, **fields)


def called(message, **changes):
    """The names and arguments of the calls that a message leads to."""
    return [
        (call.name, msgspec.json.decode(call.arguments))
        for call in calls(conversation(message, **changes))
    ]


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("What's the weather in Paris?", [("get_weather", {"city": "Paris"})]),
        ("weather in paris", [("get_weather", {"city": "paris"})]),
        ("weather in new york today", [("get_weather", {"city": "new york"})]),
        ("Paris weather please", [("get_weather", {"city": "Paris"})]),
        ("the weather in New York", [("get_weather", {"city": "New York"})]),
        (
            "Weather in São Paulo in fahrenheit",
            [("get_weather", {"city": "São Paulo", "unit": "fahrenheit"})],
        ),
        (
            "weather in Paris and Rome",
            [("get_weather", {"city": "Paris"}), ("get_weather", {"city": "Rome"})],
        ),
        (
            "weather in paris, oslo and rome",
            [("get_weather", {"city": city}) for city in ("paris", "oslo", "rome")],
        ),
        (
            "the weather in Oslo and the opening hours",
            [("get_weather", {"city": "Oslo"}), ("opening_hours", {})],
        ),
        ("Where are my orders, like ORD-1234?", [("get_order", {"order_id": "ORD-1234"})]),
        (
            "orders A-1001 and A-1003",
            [("get_order", {"order_id": order}) for order in ("A-1001", "A-1003")],
        ),
        ("order #991", [("get_order", {"order_id": "991"})]),
        ("find the customer 'Acme Ltd'", [("search_customers", {"query": "Acme Ltd"})]),
        ("which clients are in the database", [("search_customers", {"query": "database"})]),
        (
            "book a flight from Paris to Rome on 2026-12-24 for 2 people",
            [
                (
                    "book_flight",
                    {
                        "origin": "Paris",
                        "destination": "Rome",
                        "date": "2026-12-24",
                        "passengers": 2,
                    },
                )
            ],
        ),
        ("add 2.5 and 3", [("add", {"a": 2.5, "b": 3})]),
        (
            "Compare the cities Paris, Rome and Oslo",
            [("compare_cities", {"cities": ["Paris", "Rome", "Oslo"]})],
        ),
        ("closed tickets", [("list_tickets", {"status": "closed", "urgent": True})]),
        (
            "list tickets that are not urgent",
            [("list_tickets", {"status": "open", "urgent": False})],
        ),
        ("email ada@example.com", [("send_email", {"email": "ada@example.com"})]),
        (
            "convert 12.5 USD to EUR",
            [("convert_currency", {"amount": 12.5, "source": "USD", "target": "EUR"})],
        ),
        ("opening_hours, not the weather", [("opening_hours", {})]),
        ("hello there", []),
        ("", []),
    ],
)
def test_functions_that_fit_are_called_with_what_the_message_says(message, expected):
    """Every function that fits is called, its arguments drawn from the message."""
    assert called(message) == expected


def test_required_calls_even_when_nothing_fits():
    """``required`` calls the first function, with its required arguments filled."""
    assert called("hello there", calling=Calling.REQUIRED) == [
        ("get_weather", {"city": "hello there"})
    ]


def test_none_never_calls():
    """``none`` calls nothing, however well it fits."""
    assert called("weather in Paris", calling=Calling.NONE) == []


@pytest.mark.parametrize("script", [Script(refusal=True), Script(failed="server_error")])
def test_a_scripted_ending_needs_a_text(script):
    """A refusal or a failure is spoken, even where a function fits."""
    reply = answer(conversation("weather in Paris", script=script))

    assert reply.text
    assert reply.calls == ()


def test_a_text_for_a_reader_is_never_taken_apart():
    """A list in a message that is itself the argument leads to one call with all of it."""
    note = function("add_note", text=TEXT)

    assert called("note the shops in Paris and Rome", functions=(note,)) == [
        ("add_note", {"text": "note the shops in Paris and Rome"})
    ]


def test_one_call_at_a_time_without_parallel_calls():
    """Without parallel calls only the first of several is made."""
    assert called("weather in Paris and Rome", parallel=False) == [
        ("get_weather", {"city": "Paris"})
    ]


def answered(rounds):
    """A conversation in which so many calls were made and answered."""
    entries = [Message("user", "weather in Paris")]
    for number in range(rounds):
        entries += [FunctionCall(f"c{number}", "get_weather", "{}")]
        entries += [FunctionOutput(f"c{number}", "18")]
    return tuple(entries)


def test_outputs_are_answered():
    """After a function's output the model answers instead of calling again."""
    assert called("", entries=answered(1)) == []


def test_rounds_can_be_asked_for():
    """``rounds=3`` calls three times before it answers."""
    three = Script(rounds=3)

    made = [len(called("", entries=answered(done), script=three)) for done in range(4)]

    assert made == [1, 1, 1, 0]


def test_references_alternatives_and_bounds_are_followed():
    """``$ref``, ``anyOf``, ``const``, nullable and bounded parameters get fitting values."""
    schema = {
        "type": "object",
        "properties": {
            "place": {"$ref": "#/$defs/Place"},
            "note": {"anyOf": [{"type": "string"}, {"type": "null"}]},
            "kind": {"const": "fixed"},
            "days": {"type": "integer", "maximum": 7},
            "zone": {"anyOf": [{"type": "null"}, {"type": "integer"}]},
        },
        "required": ["place", "note", "kind", "days"],
        "$defs": {"Place": {"type": "object", "properties": {"city": TEXT}, "required": ["city"]}},
    }

    drawn = draw(schema, gather("30 days in Oslo"))

    assert drawn == {"place": {"city": "Oslo"}, "note": None, "kind": "fixed", "days": 7}


def test_a_schema_that_refers_to_itself_ends():
    """A recursive schema is filled to a depth, not for ever."""
    node = {"type": "object", "properties": {"next": {"$ref": "#"}}, "required": ["next"]}

    assert draw(node, gather("x"))["next"]["next"]


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=8,
)
keywords = st.sampled_from(
    [
        "type",
        "properties",
        "required",
        "items",
        "enum",
        "const",
        "anyOf",
        "oneOf",
        "allOf",
        "$ref",
        "default",
        "minimum",
        "maximum",
        "maxLength",
        "format",
        "description",
    ]
)
schemas = st.recursive(
    st.dictionaries(
        keywords, json_values | st.sampled_from(["object", "array", "#", "#/x"]), max_size=4
    ),
    lambda inner: (
        st.dictionaries(keywords, inner | st.dictionaries(st.text(max_size=4), inner), max_size=4)
        | st.fixed_dictionaries(
            {"type": st.just("object"), "properties": st.dictionaries(st.text(max_size=4), inner)}
        )
    ),
    max_leaves=6,
)


@given(schemas, st.text(max_size=60))
def test_no_schema_and_no_message_break_the_drawing(schema, message):
    """Arguments are a JSON object for any schema, however odd, and any message."""
    drawn = draw(schema, gather(message))

    assert isinstance(msgspec.json.decode(msgspec.json.encode(drawn)), dict)


scalars = st.sampled_from(["string", "integer", "number", "boolean"])


@given(st.dictionaries(st.text("abc_id", min_size=1, max_size=5), scalars, max_size=4), st.text())
def test_required_arguments_are_always_there_and_of_their_type(types, message):
    """Each required parameter gets a value of its type whatever the message says."""
    python = {"string": str, "integer": int, "number": int | float, "boolean": bool}
    properties = {name: {"type": kind} for name, kind in types.items()}

    drawn = draw({"properties": properties, "required": list(types)}, gather(message))

    assert drawn.keys() == types.keys()
    assert all(isinstance(drawn[name], python[kind]) for name, kind in types.items())
    assert all(drawn[name] != "" for name in types)
