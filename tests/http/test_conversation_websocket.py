"""The conversation over WebSocket."""

import json

import aiohttp
import pytest

from tests.fakes.conversation import parse_all


async def turn(socket, **frame):
    """Send a frame and read to the turn's end."""
    await socket.send_json(frame)
    frames = []
    while not frames or frames[-1]["event"] != "metadata":
        frames.append(await socket.receive_json(timeout=10))
    return frames


async def test_a_turn_is_the_same_events_as_over_sse(acme, session):
    """Several turns on one connection; each frame says what the SSE event of its id says."""
    async with session.ws_connect("/t/acme/ws/chat") as socket:
        first = await turn(socket, message="weather in Paris?")
        second = await turn(socket, message="and now?", thread_id=first[0]["data"]["thread_id"])

    for frames in (first, second):
        run_id = frames[0]["data"]["id"]
        told = [{"event": e.name, "id": e.id, "data": e.data.get("data", e.data)}
                for e in parse_all(await acme.events(run_id))]  # fmt: skip
        assert told == frames
    assert second[-2]["event"] == "thread.run.completed"


async def test_the_older_path_serves_too(session):
    """``/stream``, the path before 1.4, is the same conversation."""
    async with session.ws_connect("/t/acme/stream") as socket:
        assert (await turn(socket, message="hi"))[-2]["event"] == "thread.run.completed"


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        ("not json", "invalid_json"),
        ("[]", "invalid_json"),
        ('"text"', "invalid_json"),
        (b"\x00\x01", "invalid_json"),
        ("[" * 10_000, "invalid_json"),
        ("{}", "missing_fields"),
        ('{"message": 3}', "invalid_fields"),
        ('{"message": "  "}', "invalid_fields"),
        ('{"message": "hi", "thread_id": 7}', "invalid_fields"),
        ('{"type": "dance"}', "invalid_fields"),
        ('{"type": "resume"}', "missing_fields"),
        ('{"type": "resume", "run_id": "run_1", "after": "run_2-3"}', "invalid_fields"),
        ('{"type": "resume", "run_id": "run_1"}', "unknown_run"),
        ('{"message": "hi", "thread_id": "thread_unknown"}', "unknown_thread"),
    ],
)
async def test_a_bad_frame_is_told_and_the_next_good_one_is_answered(session, sent, code):
    """Errors are frames; the connection stays open."""
    async with session.ws_connect("/t/acme/ws/chat") as socket:
        if isinstance(sent, bytes):
            await socket.send_bytes(sent)
        else:
            await socket.send_str(sent)
        error = await socket.receive_json(timeout=5)

        frames = await turn(socket, message="hi")

    assert (error["event"], error["error_code"]) == ("error", code)
    assert error.keys() >= {"error", "type", "correlation_id", "timestamp"}
    assert frames[-2]["event"] == "thread.run.completed"


async def test_a_message_during_a_turn_is_refused_and_a_ping_answered(session):
    """One turn at a time on a connection; pings are answered meanwhile."""
    async with session.ws_connect("/t/acme/ws/chat") as socket:
        await socket.send_json({"message": "count [[deltas=30 delay=10ms]]"})
        await socket.send_json({"message": "me too"})
        await socket.send_json({"type": "ping"})
        frames = []
        while not frames or frames[-1]["event"] != "metadata":
            frames.append(await socket.receive_json(timeout=10))

    aside = [frame for frame in frames if frame["event"] in {"error", "pong"}]
    assert [frame.get("error_code", frame["event"]) for frame in aside] == [
        "turn_in_progress",
        "pong",
    ]


async def test_a_turn_is_cancelled_and_older_clients_hear_an_error(session):
    """Between ``cancelled`` and ``metadata`` goes an error without an id."""
    async with session.ws_connect("/t/acme/ws/chat") as socket:
        await socket.send_json({"message": "count [[deltas=400 delay=10ms]]"})
        while (await socket.receive_json(timeout=5))["event"] != "thread.message.delta":
            pass
        frames = await turn(socket, type="cancel")

    assert [frame["event"] for frame in frames[-3:]] == [
        "thread.run.cancelled",
        "error",
        "metadata",
    ]
    assert "id" not in frames[-2]
    assert frames[-2]["error"]


async def test_a_run_is_resumed_on_another_connection(session):
    """After a lost connection the rest of the run follows from the last id on."""
    async with session.ws_connect("/t/acme/ws/chat") as socket:
        await socket.send_json({"message": "count [[deltas=40 delay=10ms]]"})
        seen = [await socket.receive_json(timeout=5) for _ in range(10)]
    async with session.ws_connect("/t/acme/ws/chat") as socket:
        run_id = seen[0]["data"]["id"]

        rest = await turn(socket, type="resume", run_id=run_id, after=seen[-1]["id"])

    numbers = [int(frame["id"].rpartition("-")[2]) for frame in seen + rest]
    assert numbers == list(range(1, len(numbers) + 1))
    assert rest[-2]["event"] == "thread.run.completed"


async def test_refusals_close_with_their_code(session):
    """Unknown tenants close with 4404, a foreign origin with 1008, a huge frame with 1009."""
    async with session.ws_connect("/t/nobody/ws/chat") as socket:
        error = await socket.receive_json(timeout=5)
        await socket.receive()
        assert (error["error_code"], socket.close_code) == ("unknown_tenant", 4404)
    async with session.ws_connect("/t/acme/ws/chat", origin="https://evil.example") as socket:
        error = await socket.receive_json(timeout=5)
        await socket.receive()
        assert (error["error_code"], socket.close_code) == ("origin_not_allowed", 1008)
    async with session.ws_connect("/t/acme/ws/chat") as socket:
        await socket.send_str(json.dumps({"message": "x" * 2**21}))
        assert (await socket.receive()).type in {aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSED}
        assert socket.close_code == 1009


async def test_the_gateways_own_page_may_connect(session, gateway):
    """An ``Origin`` that is the gateway's own is allowed."""
    async with session.ws_connect("/t/acme/ws/chat", origin=gateway.url) as socket:
        assert (await turn(socket, message="hi"))[-2]["event"] == "thread.run.completed"
