"""A conversation's numbered frames, over SSE and WebSocket."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.runs.projections import conversation_sse, conversation_ws
from gateway.runs.projections.conversation import ConversationProjection
from tests.fakes import run_logs as logs
from tests.fakes.run_logs import LOGS, START_MS, Log, exposed, whole

OTHER_ENDS = {
    "cancelled": logs.ended("cancelled"),
    "incomplete": logs.ended("incomplete", reason="max_output_tokens"),
    "expired": logs.ended("expired"),
}


def sse(log: Log, after: int = 0) -> bytes:
    """What a client of Server-Sent Events is sent of a log that came event by event."""
    projection = ConversationProjection(after)
    return b"".join(
        conversation_sse.encode("run_1", projection.feed(START_MS, [entry]), after, 5000)
        for entry in log
    )


def ws(log: Log, after: int = 0) -> list[dict]:
    """What a client of the WebSocket is sent."""
    numbered = ConversationProjection(after).feed(START_MS, log)
    return [json.loads(text) for text in conversation_ws.encode("run_1", numbered, after)]


def blocks(stream: bytes) -> list[bytes]:
    """The events of a stream, each with its blank line."""
    return [event + b"\n\n" for event in stream.split(b"\n\n")[:-1]]


def test_an_event_has_its_id_name_and_envelope_in_order():
    """The bytes are those of the contract, and ``retry`` rides on the first event only."""
    events = blocks(sse(LOGS["text"]))

    first = events[0].split(b"\n")
    assert first[:3] == [b"id: run_1-1", b"event: thread.run.created", b"retry: 5000"]
    assert first[3].startswith(b'data: {"event":"thread.run.created","data":{"id":"run_1",')
    message = json.loads(events[7].split(b"data: ")[1])["data"]["id"]
    assert events[7].decode() == (
        "id: run_1-8\n"
        "event: thread.message.delta\n"
        'data: {"event":"thread.message.delta","data":{"id":"' + message + '",'
        '"object":"thread.message.delta","delta":{"content":[{"index":0,"type":"text",'
        '"text":{"value":"It "}}]}}}\n\n'
    )
    assert b"".join(events).count(b"retry: ") == 1


@pytest.mark.parametrize("name", LOGS)
def test_ids_count_from_one_without_gaps(name):
    """Every event has the next number, hidden deltas not counted, and ``metadata`` the last."""
    events = blocks(sse(LOGS[name]))

    ids = [event.split(b"\n")[0] for event in events]
    assert ids == [b"id: run_1-%d" % n for n in range(1, len(events) + 1)]
    assert events[-1].split(b"\n")[1] == b"event: metadata"


@pytest.mark.parametrize("name", LOGS)
def test_a_client_may_come_back_after_any_event(name):
    """What follows any number is byte for byte what the first client got, on both surfaces."""
    log = exposed(LOGS[name])
    events, frames = blocks(sse(log)), ws(log)
    numbered = [frame for frame in frames if "id" in frame]

    for after in range(len(events) + 1):
        assert sse(log, after) == b"".join(events[after:])
        rest = [frame for frame in ws(log, after) if "id" in frame]
        assert rest == numbered[after:]


def test_metadata_is_flat_over_sse():
    """It carries what the turn cost and took; elapsed time and count are numbers."""
    data = blocks(sse(LOGS["text"]))[-1].split(b"data: ")[1]

    assert json.loads(data) == {
        "correlation_id": "corr-1",
        "thread_id": "thread_1",
        "run_id": "run_1",
        "elapsed_time_seconds": 1.25,
        "time_to_first_token_seconds": 0.3,
        "event_count": 13,
        "usage": {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15},
        "timestamp": "2023-11-14T22:13:20.500+00:00",
    }


def test_a_run_without_text_has_no_time_to_the_first():
    """Where no text came, that time is null."""
    metadata = ws(whole(end=logs.ended(first_token_ms=None)))[-1]

    assert metadata["event"] == "metadata"
    assert metadata["data"]["time_to_first_token_seconds"] is None


def test_websocket_frames_are_those_of_sse():
    """Same events, ids and order; ``metadata`` is enveloped there."""
    over_sse, frames = blocks(sse(LOGS["parallel tools"])), ws(LOGS["parallel tools"])

    assert [list(frame) for frame in frames] == [["event", "id", "data"]] * len(frames)
    for event, frame in zip(over_sse[:-1], frames[:-1], strict=True):
        number, name, *_, data = event.decode().rstrip("\n").split("\n")
        assert number == f"id: {frame['id']}"
        assert name == f"event: {frame['event']}"
        envelope = {"event": frame["event"], "data": frame["data"]}
        assert json.loads(data.removeprefix("data: ")) == envelope
    assert frames[-1]["data"] == json.loads(over_sse[-1].split(b"data: ")[1])


@pytest.mark.parametrize("status", OTHER_ENDS)
def test_older_websocket_clients_hear_of_every_end(status):
    """Between an end that they do not know and ``metadata`` comes an error without an id."""
    frames = ws(whole(logs.created(), end=OTHER_ENDS[status]))

    end, error, metadata = frames[-3:]
    assert end["event"] == f"thread.run.{status}"
    assert metadata["event"] == "metadata"
    assert error["error"]
    assert {key: error[key] for key in error if key != "error"} == {
        "event": "error",
        "error_code": f"run_{status}",
        "type": f"urn:agw:run-{status}",
        "correlation_id": "corr-1",
        "timestamp": metadata["data"]["timestamp"],
    }


@pytest.mark.parametrize("end", [logs.ended(), logs.ended("failed", message="It broke.")])
def test_ends_that_older_clients_know_need_no_error(end):
    """``completed`` and ``failed`` are followed by ``metadata`` at once."""
    assert [frame["event"] for frame in ws(whole(end=end))].count("error") == 0


@pytest.mark.parametrize(("after", "number"), [(0, 3), (2, 3), (3, 4), (14, 15)])
def test_the_end_of_a_lost_run_follows_what_its_client_has_seen(after, number):
    """Its number is one above the greatest that survives or that the joiner names."""
    log = whole(end=logs.ended("failed", code="server_error", message="Lost.", lost=True))

    names = [event.split(b"\n")[:2] for event in blocks(sse(log, after))[-2:]]

    assert names == [
        [b"id: run_1-%d" % number, b"event: thread.run.failed"],
        [b"id: run_1-%d" % (number + 1), b"event: metadata"],
    ]
    assert [frame["id"] for frame in ws(log, after)[-2:]] == [
        f"run_1-{number}",
        f"run_1-{number + 1}",
    ]


def test_a_client_ahead_of_a_run_that_is_not_lost_gets_nothing():
    """A number beyond the end does not move the end."""
    assert sse(LOGS["text"], 99) == b""
    assert ws(LOGS["text"], 99) == []


@given(st.text())
def test_any_text_stays_on_its_line(said):
    """Whatever the model writes, readers that split lines as Python does see whole events."""
    log = whole(logs.created(), logs.text(0, said), logs.completed())

    lines = sse(log).decode().splitlines()

    data = [json.loads(line[6:]) for line in lines if line.startswith("data: ")]
    ids = [line for line in lines if line.startswith("id: ")]
    assert len(lines) == 4 * len(ids) + 1
    deltas = [d["data"]["delta"] for d in data if d.get("event") == "thread.message.delta"]
    assert "".join(d["content"][0]["text"]["value"] for d in deltas) == said


def test_a_batch_counts_its_frames():
    """The length of what a projection returns is the number of its frames."""
    projection = ConversationProjection()

    assert len(projection.feed(START_MS, LOGS["text"])) == 14
    assert len(projection.feed(START_MS, [])) == 0


def test_a_heartbeat_is_one_line_without_a_blank_one():
    """A blank line after it would be an empty event to the SDK."""
    assert conversation_sse.HEARTBEAT == b": keepalive\n"


def test_a_fault_is_a_flat_event_without_an_id():
    """What no run event can carry is told under the name ``error``."""
    event = conversation_sse.error_event({"event": "error", "error": "No\u2028store."})

    assert event == b'event: error\ndata: {"event":"error","error":"No\\u2028store."}\n\n'
