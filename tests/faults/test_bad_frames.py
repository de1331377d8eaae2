"""Frames that are no message: told, and the next good one on the connection is answered."""

import json

import pytest

from gateway.http.wire import MAX_BODY_BYTES
from tests.fakes.raw_client import BINARY, TEXT, RawClient, RawWebSocket, frame, upgrade

LONGEST = 32_768
DEEP = 10_000
WS = "/t/acme/ws/chat"
NOT_JSON = {
    "nothing": b"",
    "a lone surrogate": b'{"message":"\\ud800"}',
    "a bare NUL": b'{"message":"\0"}',
    "deep beside a message": b'{"message":"hi","x":' + b"[" * DEEP + b"]" * DEEP + b"}",
    "endless digits": b'{"message":"hi","x":1' + b"0" * 5000 + b"}",
    "number": b"7",
    "null": b"null",
}
WRONG = {
    "NUL": ({"message": "a\0"}, "invalid_fields", ["message"]),
    "too long": ({"message": "x" * (LONGEST + 1)}, "invalid_fields", ["message"]),
    "null": ({"message": None}, "invalid_fields", ["message"]),
    "all wrong": ({"message": [], "thread_id": {}}, "invalid_fields", ["message", "thread_id"]),
    "type is a number": ({"type": 3, "message": "hi"}, "invalid_fields", ["type"]),
    "type is null": ({"type": None, "message": "hi"}, "invalid_fields", ["type"]),
    "type is an array": ({"type": ["message"]}, "invalid_fields", ["type"]),
    "run is a number": ({"type": "resume", "run_id": 5}, "invalid_fields", ["run_id"]),
    "after is negative": (
        {"type": "resume", "run_id": "run_1", "after": -1},
        "invalid_fields",
        ["after"],
    ),
    "after is a fraction": (
        {"type": "resume", "run_id": "run_1", "after": 1.5},
        "invalid_fields",
        ["after"],
    ),
    "after is true": (
        {"type": "resume", "run_id": "run_1", "after": True},
        "invalid_fields",
        ["after"],
    ),
    "all of a resume": (
        {"type": "resume", "run_id": [], "after": {}},
        "invalid_fields",
        ["run_id", "after"],
    ),
    "no run, and a wrong place": (
        {"type": "resume", "after": {}},
        "invalid_fields",
        ["run_id", "after"],
    ),
}


@pytest.fixture
async def socket(gateway):
    """An open WebSocket."""
    async with RawWebSocket(gateway.url, WS) as opened:
        yield opened


async def answered(socket, message):
    """Whether a message on this connection gets its whole turn."""
    await socket.say(message)
    names = []
    while not names or names[-1] != "metadata":
        names.append((await socket.next_event())["event"])
    return names[-2] == "thread.run.completed"


async def test_bad_frames_are_told_and_good_ones_between_them_answered(socket, simulator):
    """After each frame that is not JSON or no object a good one is answered."""
    for number, sent in enumerate(NOT_JSON.values(), 1):
        await socket.send_frame(sent)
        error = await socket.next_event()

        assert (error["event"], error["error_code"]) == ("error", "invalid_json")
        assert await answered(socket, "hi")
        assert len(simulator.requests) == number


async def test_all_faults_of_a_frame_are_told(socket):
    """Each fault is told with its field, not only the first one."""
    found = {}
    for name, (sent, _, _) in WRONG.items():
        await socket.send_frame(json.dumps(sent).encode())
        error = await socket.next_event()
        fields = [fault["field"] for fault in error["errors"]]
        found[name] = (sent, error["error_code"], fields)

    assert found == WRONG
    assert await answered(socket, "hi")


async def test_good_json_in_a_binary_frame_is_refused(socket, simulator):
    """Binary frames are no messages, whatever is in them."""
    await socket.send_frame(b'{"message":"hi"}', BINARY)
    error = await socket.next_event()

    assert error["error_code"] == "invalid_json"
    assert simulator.requests == []
    assert await answered(socket, "hi")


async def test_the_longest_message_is_answered(socket, simulator):
    """32,768 characters are a message, also when the frame comes in pieces."""
    message = json.dumps({"message": "é" * LONGEST}, ensure_ascii=False).encode()
    pieces = [message[at : at + 1000] for at in range(0, len(message), 1000)]
    await socket.send_frame(pieces[0], TEXT, final=False)
    for piece in pieces[1:-1]:
        await socket.send_frame(piece, 0, final=False)
    await socket.send_frame(pieces[-1], 0)

    while (await socket.next_event())["event"] != "metadata":
        pass
    said = simulator.requests[0].json["input"][0]["content"][0]["text"]
    assert said == "é" * LONGEST


@pytest.mark.parametrize("kind", [TEXT, BINARY])
async def test_a_frame_that_is_too_large_closes_before_it_is_read(socket, kind):
    """The length alone of a 2 MiB frame closes the connection with 1009."""
    await socket.send(frame(b"x" * 2**21, kind)[:14])

    assert await socket.close_code() == 1009


async def test_a_frame_that_is_too_large_in_pieces_closes(socket):
    """Pieces that together are too large close the connection with 1009."""
    await socket.send_frame(b"x" * 65_536, TEXT, final=False)
    for _ in range(MAX_BODY_BYTES // 65_536):
        await socket.send_frame(b"x" * 65_536, 0, final=False)

    assert await socket.close_code() == 1009


async def test_a_frame_that_is_too_large_leaves_the_run_alone(socket, acme, simulator):
    """A turn whose connection is closed for another frame goes on and is stored."""
    await socket.say("count [[deltas=30 delay=10ms]]")
    run = (await socket.next_event())["data"]
    await socket.send(frame(b"x" * 2**21)[:14])
    code = await socket.close_code()
    answer = await acme.say("count [[deltas=30 delay=10ms]]", run["thread_id"])

    assert code == 1009
    assert (answer["run_id"], answer["status"]) == (run["id"], "completed")
    assert len(simulator.requests) == 1


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        pytest.param(frame(b'{"message":"\xff"}'), 1007, id="not UTF-8"),
        pytest.param(b"\x81\x02{}", 1002, id="not masked"),
        pytest.param(frame(b"{}", 3), 1002, id="unknown kind"),
        pytest.param(b"\xf1" + frame(b"{}")[1:], 1002, id="reserved bits"),
        pytest.param(frame(b"{}", 0), 1002, id="the rest of nothing"),
    ],
)  # fmt: skip
async def test_what_is_no_websocket_closes(socket, acme, sent, code):
    """Bytes that break RFC 6455 close their own connection and harm no other."""
    await socket.send(sent)

    assert await socket.close_code() == code
    assert (await acme.say("hi"))["status"] == "completed"


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        pytest.param(upgrade(f"/t/{'x' * 10_240}/ws/chat"), b" 414 ", id="long path"),
        pytest.param(upgrade(f"{WS}?x={'x' * 10_240}"), b" 414 ", id="long query"),
        pytest.param(
            upgrade(WS).replace(b"Host:", b"Cookie: " + b"x" * 10_240 + b"\r\nHost:"),
            b" 431 ",
            id="long header",
        ),
        pytest.param(
            upgrade(WS).replace(b"Host:", b"X-Y: z\r\n" * 200 + b"Host:"),
            b" 431 ",
            id="many headers",
        ),
        pytest.param(
            upgrade(WS).replace(b"Sec-WebSocket-Key: ", b"Sec-WebSocket-Key: x"),
            b" 400 ",
            id="bad key",
        ),
    ],
)
async def test_an_upgrade_that_cannot_be_read_is_refused(gateway, sent, status):
    """It is answered and its connection is not kept open."""
    async with RawClient(gateway.url) as client:
        await client.send(sent)
        answer = await client.read_all()

    assert status in answer.split(b"\r\n")[0]
