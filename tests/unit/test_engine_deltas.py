"""Deltas that are read in one pass are those that would be read one by one."""

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.engines.events import decode, deltas

TEXT = "response.output_text.delta"
_objects = st.fixed_dictionaries(
    {},
    optional={
        "type": st.sampled_from([TEXT, "response.refusal.delta", "response.created", "new"]),
        "delta": st.text(max_size=4) | st.integers() | st.none(),
        "output_index": st.integers(0, 3) | st.just("x"),
        "content_index": st.integers(0, 3),
        "item": st.dictionaries(st.text(max_size=2), st.text(max_size=2), max_size=2),
    },
).map(msgspec.json.encode)


@settings(deadline=None)
@given(st.lists(_objects, max_size=6))
def test_each_is_as_if_it_were_read_alone(raws):
    """What is read in one pass has the type, bytes and body of ``decode``."""
    for raw, event in zip(raws, deltas(raws), strict=True):
        alone = decode(raw)
        if event is not None:
            assert (event.type, event.raw) == (alone.type, raw)
            assert msgspec.structs.asdict(alone.body).items() <= _fields(event.body)


def _fields(body):
    return msgspec.structs.asdict(body).items()


def test_texts_of_a_stream_are_read():
    """The deltas among well-formed events are all found."""
    created = b'{"type":"response.created","response":{}}'
    raws = [created, *(b'{"type":"%b","delta":"%d"}' % (TEXT.encode(), n) for n in range(3))]

    assert [event and event.body.delta for event in deltas(raws)] == [None, "0", "1", "2"]


@pytest.mark.parametrize(
    "raws",
    [
        [b'{"type":"%b","delta":"a"}' % TEXT.encode(), b'{"a":[{}', b"{}]}", b"{}{}"],
        [b'{"a":1}', b'{"b":"\n{"}'],
        [b'{"type":"%b","delta":"a"}' % TEXT.encode(), b'{"x":"\xff"}'],
        [b"[1]", b"{}"],
        [b"{} {}", b""],
    ],
)
def test_what_is_broken_is_left_to_be_read_alone(raws):
    """No event is made of bytes that go on in another one, are cut or are no UTF-8."""
    assert set(deltas(raws)) == {None}
