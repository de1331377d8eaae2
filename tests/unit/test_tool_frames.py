"""Frames between the gateway and its worker: whole again, however they are cut."""

import itertools

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gateway.tools.errors import FrameError
from gateway.tools.frames import (
    LONGEST_COMMAND_BYTES,
    LONGEST_REPORT_BYTES,
    Alive,
    Call,
    Cancel,
    Command,
    Done,
    Frames,
    Missing,
    Ping,
    Report,
    frame,
)
from gateway.tools.jobs import Job, Outcome, Source

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
SOURCES = st.builds(Source, TEXT, st.binary(max_size=20), st.tuples(TEXT))
JOBS = st.builds(Job, *[TEXT] * 6, st.floats(0, 600), st.none() | SOURCES)
COMMANDS = st.lists(
    st.builds(Call, st.integers(0, 2**40), JOBS)
    | st.builds(Cancel, st.integers(0, 2**40))
    | st.just(Ping()),
    max_size=5,
)
OUTCOMES = st.builds(Outcome, TEXT, st.none() | TEXT)
REPORTS = st.lists(
    st.builds(Done, st.integers(0, 2**40), OUTCOMES)
    | st.builds(Missing, st.integers(0, 2**40))
    | st.just(Alive()),
    max_size=5,
)


def pieces(data, cuts):
    """The bytes, cut at these places."""
    places = [0, *sorted(cut % (len(data) + 1) for cut in cuts), len(data)]
    return [data[start:end] for start, end in itertools.pairwise(places)]


@given(COMMANDS, st.lists(st.integers(0, 10_000), max_size=8))
def test_commands_arrive_as_they_were_sent(commands, cuts):
    """Whatever pieces a socket makes of them, the worker reads the same commands."""
    frames = Frames(Command, LONGEST_COMMAND_BYTES)

    read = [
        command
        for piece in pieces(b"".join(map(frame, commands)), cuts)
        for command in frames.feed(piece)
    ]

    assert read == commands


@given(REPORTS, st.lists(st.integers(0, 10_000), max_size=8))
def test_reports_arrive_as_they_were_sent(reports, cuts):
    """Whatever pieces a socket makes of them, the gateway reads the same reports."""
    frames = Frames(Report, LONGEST_REPORT_BYTES)

    read = [
        report
        for piece in pieces(b"".join(map(frame, reports)), cuts)
        for report in frames.feed(piece)
    ]

    assert read == reports


WRECKS = st.builds(
    lambda report, place, instead: (
        (body := frame(report)[4:])[:place] + instead + body[place + 1 :]
    ),
    REPORTS.filter(bool).map(lambda reports: reports[0]),
    st.integers(0, 60),
    st.binary(max_size=3),
)


@given(st.binary(max_size=200) | WRECKS)
@example(b"\x82\xa4type\xa2\xff\xff\xa6number\x01")
def test_any_body_is_a_report_or_an_error_of_ours(body):
    """Nothing that a worker sends raises anything else in the gateway."""
    frames = Frames(Report, LONGEST_REPORT_BYTES)

    try:
        read = list(frames.feed(len(body).to_bytes(4, "big") + body))
    except FrameError:
        return

    assert len(read) == 1
    assert isinstance(read[0], Report)


def test_frame_beyond_the_bound_is_refused_by_its_length():
    """Nothing of it is waited for, let alone kept."""
    frames = Frames(Report, 100)

    assert list(frames.feed(frame(Missing(1)))) == [Missing(1)]
    with pytest.raises(FrameError):
        list(frames.feed((101).to_bytes(4, "big")))
