"""What an upstream does wrong, as clients of each surface see it; its words reach none of them."""

import json
from functools import partial

import aiohttp
import attrs
import pytest

from gateway import app
from gateway.engines.exchange import Limits
from gateway.engines.retrying import Retrying, RetryPolicy
from gateway.engines.transport import Transport
from gateway.runs.turn import TurnLimits
from tests.fakes import assistants_oracle
from tests.fakes.conversation import EVENTS, Sent, Talker, parse_all
from tests.fakes.gateway import serving
from tests.fakes.scripted_gateway import scripted_gateway
from tests.fakes.upstream import (
    Ending,
    Reply,
    closed_port,
    head,
    json_reply,
    raw_reply,
    response,
    sse,
    stream_reply,
    text_answer,
    text_stream,
)

MARK = "upstreams-own-words"
QUICK = Limits(connect_seconds=2, stream_head_seconds=0.2, whole_head_seconds=0.2, idle_seconds=0.2)
MARKED = {"x-request-id": MARK, "x-words": MARK, "server": MARK, "set-cookie": f"a={MARK}"}
BEGUN = text_stream("Hé", "llo").partition(b'"delta": "llo"')[0].rpartition(b"event:")[0]
SURFACES = ("json", "sse", "websocket")


@attrs.frozen
class Told:
    """What a client was told of a turn.

    Args:
        raw: every byte of it, headers too.
        status: of HTTP; 200 over WebSocket.
        problem: the problem document, or the error frame.
        events: of a stream.
    """

    raw: str
    status: int = 200
    problem: dict | None = None
    events: tuple[Sent, ...] = ()
    retry_after: str | None = None


@attrs.frozen
class Fault:
    """A fault, and what clients are told.

    Args:
        whole: the reply to a call that is not streamed; None: the same.
        asked: how often the upstream is asked.
    """

    stream: Reply
    slug: str
    status: int = 502
    whole: Reply | None = None
    asked: int = 1
    retry_after: str | None = None


def refusal(status, code=MARK, **headers):
    """An error of an upstream that puts its words everywhere."""
    error = {"message": MARK, "type": MARK, "param": MARK, "code": code}
    return json_reply({"error": error}, status, MARKED | headers)


def begun(*parts, ending=Ending.CUT):
    """A stream that begins well."""
    return stream_reply(BEGUN, *parts, ending=ending, headers=MARKED)


def part_of_answer(body, ending=Ending.CUT):
    """An unstreamed answer whose head promises more than comes."""
    fields = {"content-type": "application/json", "content-length": "5000", **MARKED}
    return Reply(head(200, fields), (body,), ending)


def failing(**error):
    """A response that failed, as a stream's end and unstreamed."""
    failed = response("failed", error={"message": MARK, **error})
    event = {"type": "response.failed", "response": failed}
    return begun(sse(event), ending=Ending.CLEAN), json_reply(failed, headers=MARKED)


SERVER_ERROR, LIMITED, POLICY = (
    failing(code=code) for code in ("server_error", "rate_limit_exceeded", "bio_policy")
)
HALF = json.dumps(response("completed")).encode()[:40] + MARK.encode()
LOST = b'event: x\ndata: {"words":"' + MARK.encode()

# Before a run exists: an error of HTTP, and nothing on the thread.
EARLY = {
    "401": Fault(refusal(401), "upstream-unauthorized"),
    "403": Fault(refusal(403), "upstream-unauthorized"),
    "400": Fault(refusal(400), "upstream-rejected"),
    "404": Fault(refusal(404), "upstream-rejected"),
    "302": Fault(refusal(302, location=f"http://127.0.0.1/{MARK}"), "upstream-broken"),
    "429": Fault(refusal(429), "upstream-rate-limited", 429, asked=3),
    "429 for long": Fault(
        refusal(429, **{"retry-after": "77"}), "upstream-rate-limited", 429, retry_after="77"
    ),
    "429 for no credit": Fault(refusal(429, "insufficient_quota"), "upstream-quota-spent", 429),
    "500": Fault(refusal(500), "upstream-unavailable", asked=3),
    "503 for long": Fault(
        refusal(503, **{"retry-after": "90"}), "upstream-unavailable", retry_after="90"
    ),
    "an error of HTML": Fault(
        Reply(head(502, {"content-length": str(len(MARK)), **MARKED}), (MARK.encode(),)),
        "upstream-unavailable",
        asked=3,
    ),
    "cut before the head": Fault(raw_reply(), "upstream-unavailable", asked=3),
    "reset before the head": Fault(raw_reply(ending=Ending.RESET), "upstream-unavailable", asked=3),
    "garbage for a head": Fault(raw_reply(f"{MARK}\r\n\r\n".encode()), "upstream-broken"),
    "silence before the head": Fault(raw_reply(ending=Ending.STALL), "upstream-timeout", 504),
}
# From the head on a run exists, and fails.
LATE = {
    "cut after the head": Fault(
        stream_reply(ending=Ending.CUT), "upstream-broken", whole=part_of_answer(b"")
    ),
    "cut after the first event": Fault(begun(), "upstream-broken", whole=part_of_answer(HALF)),
    "reset after the first event": Fault(
        begun(ending=Ending.RESET), "upstream-broken", whole=part_of_answer(HALF, Ending.RESET)
    ),
    "cut in mid-event": Fault(begun(LOST), "upstream-broken", whole=part_of_answer(HALF)),
    "cut in mid-character": Fault(
        begun(b'data: {"type":"response.output_text.delta","delta":"\xc3'),
        "upstream-broken",
        whole=part_of_answer(b'{"status":"completed","output":"\xc3'),
    ),
    "half a character": Fault(
        begun(b'data: {"type":"response.output_text.delta","delta":"\xc3"}\n\n'),
        "upstream-broken",
        whole=json_reply(b'{"status":"completed","output":[],"x":"\xc3"}'),
    ),
    "no end": Fault(
        begun(ending=Ending.CLEAN), "upstream-broken", whole=json_reply(response("in_progress"))
    ),
    "garbage": Fault(
        begun(f"data: <{MARK}>\n\n".encode(), ending=Ending.STALL),
        "upstream-broken",
        whole=json_reply(f"<{MARK}>".encode(), headers=MARKED),
    ),
    "an array": Fault(
        begun(f'data: ["{MARK}"]\n\n'.encode(), ending=Ending.STALL),
        "upstream-broken",
        whole=json_reply(f'["{MARK}"]'.encode()),
    ),
    "our own words": Fault(
        begun(sse({"type": "gateway.run.ended", "status": "completed"}), ending=Ending.STALL),
        "upstream-broken",
        whole=json_reply(b"{}"),
    ),
    "silence": Fault(
        begun(ending=Ending.STALL),
        "upstream-timeout",
        504,
        whole=part_of_answer(HALF, Ending.STALL),
    ),
    "an error event": Fault(
        begun(sse({"type": "error", "code": MARK, "message": MARK, "param": MARK})),
        "upstream-unavailable",
        whole=SERVER_ERROR[1],
    ),
    "a failed response": Fault(SERVER_ERROR[0], "upstream-unavailable", whole=SERVER_ERROR[1]),
    "limited in mid-stream": Fault(LIMITED[0], "upstream-rate-limited", 429, whole=LIMITED[1]),
    "rejected in mid-stream": Fault(POLICY[0], "upstream-rejected", whole=POLICY[1]),
}


@pytest.fixture
async def house(tmp_path, monkeypatch, nothing_broke):  # noqa: ARG001 - it looks at the log afterwards
    """A gateway whose patience with upstreams is short."""
    monkeypatch.setattr(app, "Transport", partial(Transport, QUICK))
    monkeypatch.setattr(app, "Retrying", partial(Retrying, RetryPolicy(first_delay_seconds=0.01)))
    async with scripted_gateway(tmp_path) as running:
        yield running


async def told(acme, surface, thread_id, message="hello"):
    """What a client of a surface is told of a turn."""
    body = {"message": message, "thread_id": thread_id}
    if surface == "websocket":
        return await _told_by_frames(acme, body)
    headers = EVENTS if surface == "sse" else {}
    async with acme.session.post(acme.path("/chat"), json=body, headers=headers) as answer:
        content = await answer.read()
        raw = f"{dict(answer.headers)}{content.decode()}"
        if answer.content_type == "text/event-stream":
            return Told(raw, events=tuple(parse_all(content)))
        retry_after = answer.headers.get("Retry-After")
        return Told(raw, answer.status, json.loads(content), retry_after=retry_after)


async def _told_by_frames(acme, body):
    events, raw = [], ""
    async with acme.session.ws_connect(acme.path("/ws/chat"), max_msg_size=0) as socket:
        await socket.send_json(body)
        while not events or events[-1].name != "metadata":
            text = await socket.receive_str(timeout=10)
            raw += text
            sent = json.loads(text)
            if sent["event"] == "error":
                return Told(raw, problem=sent)
            events.append(Sent(sent["id"], sent["event"], sent, text.encode()))
        return Told(raw, events=tuple(events))


@pytest.mark.parametrize("name", EARLY)
async def test_faults_before_a_run_exists(house, name):
    """They are errors of HTTP or an error frame, and the thread is as it was."""
    fault = EARLY[name]
    for surface in SURFACES:
        house.upstream.usual = fault.stream
        thread_id = await house.thread()

        found = await told(house.acme, surface, thread_id)

        if surface == "websocket":
            assert found.problem["error_type"] == fault.slug
        else:
            assert (found.status, found.problem["type"]) == (fault.status, f"urn:agw:{fault.slug}")
            assert found.retry_after == fault.retry_after
        assert "run_id" not in found.problem
        assert MARK not in found.raw
        assert len(house.upstream.requests) == fault.asked
        await _as_it_was(house, thread_id)
        house.upstream.requests.clear()


async def _as_it_was(house, thread_id):
    """Nothing was said on the thread, and what is said now is answered."""
    _, page = await house.acme.ask("GET", f"/threads/{thread_id}/messages")
    assert page["data"] == []
    house.upstream.usual = text_answer("well")
    assert (await house.acme.say("hello", thread_id))["responses"] == ["well"]


async def test_nobody_listens(tmp_path, monkeypatch):
    """A refused connection is 502 on every surface, and no address is told."""
    monkeypatch.setattr(app, "Retrying", partial(Retrying, RetryPolicy(first_delay_seconds=0.01)))
    port = closed_port()
    away = {"OPENAI_BASE_URL": f"http://127.0.0.1:{port}/v1"}
    async with scripted_gateway(tmp_path, environ=away) as house:
        found = [await told(house.acme, surface, await house.thread()) for surface in SURFACES]

    assert [each.status for each in found] == [502, 502, 200]
    assert found[2].problem["error_type"] == "upstream-unavailable"
    assert not any(str(port) in each.raw for each in found)


@pytest.mark.parametrize("name", LATE)
async def test_faults_of_an_answer(house, name):
    """They end the run as failed: a problem that names it, or the one terminal event."""
    fault = LATE[name]
    for surface in SURFACES:
        reply = fault.whole if surface == "json" else fault.stream
        house.upstream.script(reply)
        thread_id = await house.thread()

        found = await told(house.acme, surface, thread_id)

        if surface == "json":
            assert (found.status, found.problem["type"]) == (fault.status, f"urn:agw:{fault.slug}")
            assert (found.problem["run_status"], found.problem["thread_id"]) == (
                "failed",
                thread_id,
            )
            run_id = found.problem["run_id"]
        else:
            names = [event.name for event in found.events]
            assert names[-2:] == ["thread.run.failed", "metadata"]
            assert sum(name in assistants_oracle.TERMINAL for name in names) == 1
            run_id = found.events[0].object["id"]
        assert MARK not in found.raw
        await _is_stored(house, thread_id, run_id)
    assert len(house.upstream.requests) == len(SURFACES)


async def _is_stored(house, thread_id, run_id):
    """The failed run can be read, none of it in the upstream's words."""
    _, run = await house.acme.ask("GET", f"/runs/{run_id}")
    replay = await house.acme.events(run_id)
    _, page = await house.acme.ask("GET", f"/threads/{thread_id}/messages")

    assert run["status"] == "failed"
    assert run["last_error"]["code"] in {"server_error", "rate_limit_exceeded", "invalid_prompt"}
    assert parse_all(replay)[-2].name == "thread.run.failed"
    assert {message["role"] for message in page["data"]} <= {"user", "assistant"}
    assert MARK not in f"{run}{replay}{page}"


@pytest.mark.parametrize("surface", ["sse", "websocket"])
async def test_what_came_before_a_cut_is_kept(house, surface):
    """The text so far stays on the thread as an incomplete message."""
    house.upstream.script(LATE["cut in mid-character"].stream)
    thread_id = await house.thread()

    await told(house.acme, surface, thread_id)

    _, page = await house.acme.ask("GET", f"/threads/{thread_id}/messages")
    message = page["data"][0]
    assert message["content"][0]["text"]["value"] == "Hé"
    assert message["incomplete_details"] == {"reason": "run_failed"}


@pytest.mark.parametrize(
    "passing",
    [
        pytest.param(refusal(429, **{"retry-after": "0"}), id="429 for a moment"),
        pytest.param(refusal(429, **{"retry-after-ms": "5"}), id="429 for less"),
        pytest.param(refusal(429), id="429"),
        pytest.param(refusal(500), id="500"),
        pytest.param(raw_reply(), id="cut before the head"),
    ],
)
async def test_faults_that_pass_are_tried_again(house, passing):
    """Before its head an upstream is asked again, and clients see the answer alone."""
    for surface in SURFACES:
        house.upstream.script(passing, passing, text_answer("third time"))

        found = await told(house.acme, surface, None)

        assert "third time" in found.raw
        assert MARK not in found.raw
    assert len(house.upstream.requests) == 3 * len(SURFACES)


async def test_an_event_of_ten_megabytes_arrives(house):
    """However big an event is, it goes through whole, and the run completes."""
    text = "x" * 10_000_000
    big = text_stream("").replace(b'"delta": ""', f'"delta": "{text}"'.encode())
    for surface in SURFACES:
        house.upstream.script(text_answer(text) if surface == "json" else stream_reply(big))
        found = await told(house.acme, surface, None)

        assert text in found.raw
        assert "thread.run.completed" in found.raw or found.problem["status"] == "completed"


async def test_an_event_that_never_ends_is_cut_off(house):
    """An event beyond every bound ends the run as failed; its bytes are not kept."""
    piece = b"x" * 2**20
    for surface in ("sse", "websocket"):
        house.upstream.script(begun(b"data: ", *[piece] * 18, ending=Ending.STALL))
        found = await told(house.acme, surface, None)

        assert found.events[-2].name == "thread.run.failed"
        assert len(found.raw) < 20_000


async def test_an_upstream_that_never_ends_is_left(environ, simulator):
    """On every surface a run ends in its time, and the upstream's connection with it."""
    async with serving(environ, turns=TurnLimits(run_seconds=0.3)) as gateway:
        async with aiohttp.ClientSession(gateway.url) as session:
            acme = Talker(session)
            found = [await told(acme, surface, None, "go on [[endless]]") for surface in SURFACES]
        for asked in simulator.requests:
            await asked.done.wait()

    assert (found[0].status, found[0].problem["type"]) == (504, "urn:agw:upstream-timeout")
    assert [each.events[-2].name for each in found[1:]] == ["thread.run.failed"] * 2
    assert all(asked.abandoned for asked in simulator.requests)
