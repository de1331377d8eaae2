"""The bench takes no figure from a wrong answer."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.checking import fault
from bench.jobs import Answer

STREAM = Answer(deltas=3, delta=b"event: delta\n", end=b"event: end\n")
TEXT = Answer(words=3)


@given(deltas=st.integers(0, 6), ends=st.integers(0, 2))
def test_stream_is_right_with_every_delta_and_one_end(deltas, ends):
    """Each delta must be there, and the terminal event exactly once."""
    body = STREAM.delta * deltas + STREAM.end * ends

    found = fault(STREAM, 200, body)

    assert (found is None) == (deltas == 3 and ends == 1)


@given(text=st.lists(st.text("ab", min_size=1), max_size=6).map(" ".join))
def test_text_is_right_with_every_word(text):
    """The number of words is looked at, in a conversation's answer and in a Responses object."""
    conversation = msgspec.json.encode({"responses": [text]})
    response = msgspec.json.encode({"output": [{"content": [{"text": text}]}]})

    found = [
        fault(TEXT, 200, conversation),
        fault(msgspec.structs.replace(TEXT, shape="response"), 200, response),
    ]

    right = len(text.split()) == 3
    assert [each is None for each in found] == [right, right]


@pytest.mark.parametrize("body", [b"", b"[]", b"null", b'{"responses":[]}', b"<html>a b c</html>"])
def test_other_bodies_are_faults(body):
    """What has no text where it belongs is a wrong answer, not an error of the bench."""
    found = fault(TEXT, 200, body)

    assert found is not None
    assert "shape" in found


def test_status_is_looked_at_first():
    """A right body under a wrong status is a wrong answer."""
    body = STREAM.delta * 3 + STREAM.end

    assert fault(STREAM, 503, body).startswith("status 503")
