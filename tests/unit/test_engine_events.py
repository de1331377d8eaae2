"""Events are read leniently, but what is broken is never taken for whole."""

import msgspec
import pytest

from gateway.engines.events import Delta, ItemChanged, decode


def test_a_delta_keeps_its_bytes():
    """An event that we act on is read, and its bytes stay as they came."""
    raw = b'{"type": "response.output_text.delta", "delta": "Hel", "news": [1]}'

    event = decode(raw, "response.output_text.delta")

    assert (event.type, event.raw, event.body) == (
        "response.output_text.delta",
        raw,
        Delta("Hel"),
    )


def test_unknown_types_pass_through():
    """An event of next month's type is carried whole."""
    raw = b'{"type":"response.brand_new","x":{"y":1}}'

    event = decode(raw)

    assert (event.type, event.raw, event.body) == ("response.brand_new", raw, None)


def test_a_body_of_another_shape_passes_through():
    """A known type whose fields have other types is carried, unread."""
    raw = b'{"type":"response.output_text.delta","delta":5}'

    event = decode(raw)

    assert (event.raw, event.body) == (raw, None)


def test_items_stay_encoded():
    """The item of an event is the upstream's own bytes."""
    raw = b'{"type":"response.output_item.done","output_index":2,"item":{"type":"new", "a":1}}'

    body = decode(raw).body

    assert isinstance(body, ItemChanged)
    assert (body.output_index, bytes(body.item)) == (2, b'{"type":"new", "a":1}')


@pytest.mark.parametrize(
    "raw",
    [
        b'{"type":"response.brand_new","x":',
        b'{"type":"response.output_text.delta","delta":5,"x":[}',
        b'{"delta":"x"',
        b'["a list"]',
        b"<html>",
        b"",
    ],
)
def test_what_is_no_json_object_is_an_error(raw):
    """Broken JSON is told from an unknown shape, also where nobody reads the fields."""
    with pytest.raises(msgspec.DecodeError):
        decode(raw)
