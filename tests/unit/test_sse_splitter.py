"""The splitter gives the same events however their bytes are cut."""

import json
import time
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.engines.errors import Cause, EngineError
from gateway.engines.sse import ServerSentEvent, Splitter

LINE_ENDS = ("\n", "\r", "\r\n")


def split(stream: bytes, cuts: list[int]) -> list[ServerSentEvent]:
    """The events of a stream whose chunks end at ``cuts``."""
    splitter = Splitter()
    places = sorted({0, len(stream), *cuts})
    chunks = [stream[start:end] for start, end in pairwise(places)]
    return [event for chunk in chunks for event in splitter.feed(chunk)]


def recordings(folder: Path) -> list[bytes]:
    """Every recorded stream."""
    found = [path.read_bytes() for path in sorted((folder / "recordings").glob("*.sse"))]
    assert len(found) >= 8
    return found


def by_hand(recording: bytes) -> list[ServerSentEvent]:
    """What a recording holds, read in the plainest way: they are all framed alike."""
    blocks = recording.decode().removesuffix("\n\n").split("\n\n")
    lines = [block.split("\n") for block in blocks]
    assert all(len(pair) == 2 for pair in lines)
    return [
        (name.removeprefix("event: "), data.removeprefix("data: ").encode()) for name, data in lines
    ]


def test_recordings_come_whole(shared_folder):
    """Each event of a recording keeps its name and its bytes, which are its JSON object."""
    for recording in recordings(shared_folder):
        events = split(recording, [])

        assert events == by_hand(recording)
        assert all(json.loads(data)["type"] == name for name, data in events)


def test_recordings_cut_at_every_byte(shared_folder):
    """A stream that comes byte by byte gives the same events."""
    for recording in recordings(shared_folder):
        assert split(recording, list(range(len(recording)))) == by_hand(recording)


@given(data=st.data())
def test_recordings_cut_anywhere(shared_folder, data):
    """Any cuts of any recording give the same events, in any of the three framings."""
    recording = data.draw(st.sampled_from(recordings(shared_folder)))
    framed = recording.replace(b"\n", data.draw(st.sampled_from(LINE_ENDS)).encode())
    cuts = data.draw(st.lists(st.integers(0, len(framed)), max_size=40))

    assert split(framed, cuts) == by_hand(recording)


text = st.text(st.characters(exclude_characters="\r\n", exclude_categories=["Cs"]), max_size=12)
noise = st.sampled_from([": a comment", ":", "id: 7", "retry: 10", "unknown: x", "nonsense"])


@st.composite
def streams(draw):
    """A stream, cuts of it and the events that it holds."""
    end = draw(st.sampled_from(LINE_ENDS))
    lines, expected = [], []
    for _ in range(draw(st.integers(0, 5))):
        lines += draw(st.lists(noise, max_size=2))
        name = draw(st.none() | text.filter(bool))
        if name is not None:
            lines.append(f"event: {name}")
            lines += draw(st.lists(noise, max_size=2))
        data = draw(st.lists(text, max_size=3))
        space = draw(st.sampled_from(["", " "]))
        # Without the space, one at the start of the data would be taken for it.
        data = data if space else [line.lstrip(" ") for line in data]
        lines += [f"data:{space}{line}" for line in data]
        lines += [""] * draw(st.integers(1, 3))
        joined = "\n".join(data)
        if joined:
            expected.append((name, joined.encode()))
    mark = draw(st.sampled_from(["", "\ufeff"]))
    stream = (mark + "".join(line + end for line in lines)).encode()
    return stream, draw(st.lists(st.integers(0, len(stream)), max_size=30)), expected


@given(streams())
def test_any_stream_cut_anywhere(drawn):
    """Comments, ids, joined data lines, a byte order mark and every line end, cut anywhere."""
    stream, cuts, expected = drawn

    assert split(stream, cuts) == expected


@given(st.binary(max_size=60), st.lists(st.integers(0, 60), max_size=20))
def test_any_bytes_cut_anywhere(stream, cuts):
    """Bytes that are no stream at all give the same at every cut, and never an exception."""
    assert split(stream, [cut for cut in cuts if cut < len(stream)]) == split(stream, [])


def test_done_ends_the_stream():
    """Nothing that follows ``[DONE]`` is an event."""
    splitter = Splitter()

    events = splitter.feed(b"data: 1\n\ndata: [DONE]\n\ndata: 2\n\n")

    assert events == [(None, b"1")]
    assert splitter.ended
    assert splitter.feed(b"data: 3\n\n") == []


def test_an_event_that_has_not_ended_is_none():
    """A blank line makes the event, so a cut stream loses no half of one into the next reader."""
    assert split(b"data: 1\n\ndata: 2\n", []) == [(None, b"1")]


def test_ten_megabytes_take_no_quadratic_work():
    """A huge event that comes in tiny pieces is searched once."""
    event = b"data: " + b"x" * 10_000_000 + b"\n\n"
    started = time.process_time()

    events = split(event, list(range(0, len(event), 100)))

    assert events == [(None, event[6:-2])]
    assert time.process_time() - started < 10


@pytest.mark.parametrize("piece", [b"data: xxxxxxxx", b"data: xxxxxxxx\n", b": xxxxxxxxxxx\n"])
def test_an_endless_event_is_broken(piece):
    """What never ends an event is not kept for ever, be it one line or many."""
    splitter = Splitter(most_pending_bytes=1000)
    for _ in range(1000 // len(piece)):
        splitter.feed(piece)

    with pytest.raises(EngineError) as raised:
        splitter.feed(piece)

    assert raised.value.cause is Cause.BROKEN


def test_heartbeats_may_go_on_for_ever():
    """Comments that blank lines end do not add up to an endless event."""
    splitter = Splitter(most_pending_bytes=1000)

    for _ in range(1000):
        assert splitter.feed(b": keepalive\n\n") == []
