"""Events are read leniently, but what is broken is never taken for whole."""

import msgspec
import pytest

from gateway.engines.events import Delta, Failure, ItemChanged, decode


def test_a_delta_keeps_its_bytes():
    """An event that we act on is read, and its bytes stay as they came."""
    raw = b'{"type": "response.output_text.delta", "delta": "Hel", "news": [1]}'

    event = decode(raw, "response.output_text.delta")

    assert (event.type, event.raw, event.body) == (
        "response.output_text.delta",
        raw,
        Delta("Hel"),
    )


@pytest.mark.parametrize("name", [None, "message", "response.brand_new"])
def test_the_type_inside_counts_where_the_framing_says_nothing_known(name):
    """A missing or foreign ``event:`` line does not hide a type that we act on."""
    event = decode(b'{"type":"error","code":"slow_down"}', name)

    assert (event.type, event.body) == ("error", Failure(code="slow_down"))


def test_unknown_types_pass_through():
    """An event of next month's type is carried whole."""
    raw = b'{"type":"response.brand_new","x":{"y":1}}'

    event = decode(raw, "response.brand_new")

    assert (event.type, event.raw, event.body) == ("response.brand_new", raw, None)


def test_a_body_of_another_shape_passes_through():
    """A known type whose fields have other types is carried, unread."""
    raw = b'{"type":"response.output_text.delta","delta":5}'

    event = decode(raw, "response.output_text.delta")

    assert (event.raw, event.body) == (raw, None)


def test_items_stay_encoded():
    """The item of an event is the upstream's own bytes."""
    raw = b'{"type":"response.output_item.done","output_index":2,"item":{"type":"new", "a":1}}'

    body = decode(raw).body

    assert isinstance(body, ItemChanged)
    assert (body.output_index, bytes(body.item)) == (2, b'{"type":"new", "a":1}')


@pytest.mark.parametrize(
    ("raw", "name"),
    [
        (b'{"type":"response.brand_new","x":', "response.brand_new"),
        (b'{"type":"response.output_text.delta","delta":5,"x":[}', "response.output_text.delta"),
        (b'{"delta":"x"', "response.output_text.delta"),
        (b'["a list"]', "response.brand_new"),
        (b"<html>", None),
        (b"", None),
    ],
)
def test_what_is_no_json_object_is_an_error(raw, name):
    """Broken JSON is told from an unknown shape, also where nobody reads the fields."""
    with pytest.raises(msgspec.DecodeError):
        decode(raw, name)
