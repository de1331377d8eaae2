"""What clients see when the store is full, locked, read-only or away; nothing told is lost."""

import asyncio
import contextlib
import sys
from functools import partial

import attrs
import pytest

from gateway import app
from gateway.runs.turn import TurnLimits
from gateway.store.sqlite import SqliteLimits, SqliteStore
from tests.fakes.conversation import EVENTS, next_event, parse_all
from tests.fakes.scripted_gateway import GatedStream, scripted_gateway
from tests.fakes.store_driver import Driver
from tests.fakes.upstream import stream_reply, text_answer, text_stream

QUICK = SqliteLimits(busy_seconds=0.05, tick_seconds=0.02)
PATIENT = TurnLimits(commit_seconds=30, commit_retry_seconds=0.02)
IMPATIENT = TurnLimits(commit_seconds=0.2, commit_retry_seconds=0.02)
UNAVAILABLE = "urn:agw:store-unavailable"
# Long enough that a full file has no room left for them.
SAID, ANSWERED = "hello" * 6000, "well" * 50_000
HOLD = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("BEGIN IMMEDIATE")
print("held", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def house(tmp_path, nothing_broke):  # noqa: ARG001 - it looks at the log once this is over
    """Starts a gateway with these bounds."""

    def start(turns=PATIENT):
        heartbeats = {"SSE_HEARTBEAT_INTERVAL": "0.05"}
        return scripted_gateway(tmp_path, environ=heartbeats, turns=turns)

    return start


@pytest.fixture
def driver(monkeypatch):
    """A way into the store's connection; the store gives up on a lock soon."""
    driver = Driver()
    store = partial(SqliteStore, limits=QUICK, connecting=driver)
    monkeypatch.setattr(app, "SqliteStore", store)
    return driver


@attrs.frozen
class Ailment:
    """Something that keeps a store from writing, and its cure."""

    begin: str
    end: str


AILMENTS = {
    "read-only": Ailment("PRAGMA query_only = ON", "PRAGMA query_only = OFF"),
    "full": Ailment("PRAGMA max_page_count = 1", "PRAGMA max_page_count = 100000"),
}


@pytest.fixture(params=[*AILMENTS, "locked"])
def ailing(request, driver, tmp_path):
    """A block in which the store cannot write."""
    if request.param == "locked":
        return lambda: locked(tmp_path / "gateway.db")
    return lambda: _pragmas(driver, AILMENTS[request.param])


@contextlib.asynccontextmanager
async def _pragmas(driver, ailment):
    driver.connection.pragmas = (ailment.begin,)
    try:
        yield
    finally:
        driver.connection.pragmas = (ailment.end,)


@contextlib.asynccontextmanager
async def locked(path):
    """Another process holds the lock of the file until the end of the block."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        HOLD,
        str(path),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    assert await process.stdout.readline() == b"held\n"
    try:
        yield
    finally:
        process.stdin.close()
        await process.wait()


async def healthy(house):
    """Wait until the store has noticed that it can write again."""
    await house.until(b"agw_store_healthy 1.0")


async def test_a_store_that_cannot_write_takes_no_turns(house, ailing):
    """503 on every surface, readiness says so, what is there can be read; then all is well."""
    async with house() as running:
        running.upstream.usual = text_answer(ANSWERED)
        kept = await running.acme.say("kept")
        thread_id = kept["thread_id"]
        body = {"message": SAID, "thread_id": thread_id}
        async with ailing():
            found = [await running.acme.ask("POST", "/chat", json=body) for _ in range(2)]
            found.append(await running.acme.ask("POST", "/chat", json=body, headers=EVENTS))
            error = await _over_websocket(running, body)
            async with running.acme.session.get("/ready") as ready:
                checks = (ready.status, (await ready.json())["checks"]["store"])
            _, page = await running.acme.ask("GET", f"/threads/{thread_id}/messages")
        await healthy(running)
        again = await running.acme.say(SAID, thread_id)

    assert [(status, problem["type"]) for status, problem in found] == [(503, UNAVAILABLE)] * 3
    assert error["error_type"] == "store-unavailable"
    assert checks == (503, "failed")
    assert len(page["data"]) == 2
    assert again["responses"] == [ANSWERED]


async def _over_websocket(running, body):
    async with running.acme.session.ws_connect(running.acme.path("/ws/chat")) as socket:
        await socket.send_json(body)
        return await socket.receive_json(timeout=20)


async def test_an_end_is_held_until_it_is_stored(house, ailing):
    """While the end of a run cannot be written its stream has heartbeats; then it is told."""
    async with house() as running:
        gated = GatedStream.of("all ", ANSWERED)
        running.upstream.script(gated.reply)
        async with running.acme.open(SAID) as stream:
            gated.let(3)
            created = await next_event(stream)
            async with ailing():
                gated.let()
                await running.until(b"agw_store_healthy 0.0")
                block = b""
                while not block.endswith(b": keepalive\n: keepalive\n"):
                    assert not stream.content.at_eof()
                    block += await stream.content.readuntil(b"\n")
            block += await stream.read()
        _, run = await running.acme.ask("GET", f"/runs/{created.object['id']}")
        stored = await running.stored(created.object["thread_id"])

    held, _, told = block.rpartition(b": keepalive\n")
    assert b"thread.run.completed" not in held
    assert [event.name for event in parse_all(told)] == ["thread.run.completed", "metadata"]
    assert (run["status"], stored) == ("completed", ("all " + ANSWERED, "completed"))


async def test_an_end_that_cannot_be_stored_for_long_is_an_error(house, ailing):
    """After a while clients hear of a fault, never of an end; it is written once that works."""
    async with house(IMPATIENT) as running:
        gated = [GatedStream.of("all ", ANSWERED) for _ in range(2)]
        running.upstream.script(*(each.reply for each in gated))
        socket_path = running.acme.path("/ws/chat")
        async with (
            running.acme.open(SAID) as stream,
            running.acme.session.ws_connect(socket_path) as socket,
        ):
            created = [await next_event(stream)]
            await socket.send_json({"message": SAID})
            created.append(await socket.receive_json(timeout=5))
            run_ids = [created[0].object["id"], created[1]["data"]["id"]]
            async with ailing():
                for each in gated:
                    each.let()
                body = await stream.read()
                frames = [created[1]]
                while frames[-1]["event"] not in {"error", "metadata"}:
                    frames.append(await socket.receive_json(timeout=5))
            await running.until(b"agw_runs_active 0.0")
        runs = [(await running.acme.ask("GET", f"/runs/{run_id}"))[1] for run_id in run_ids]

    last = parse_all(body.replace(b": keepalive\n", b""))[-1]
    assert (last.id, last.name, last.data["type"]) == (None, "error", UNAVAILABLE)
    assert frames[-1]["error_type"] == "store-unavailable"
    assert b"thread.run.completed" not in body
    assert "thread.run.completed" not in [frame["event"] for frame in frames]
    assert [run["status"] for run in runs] == ["completed", "completed"]


async def test_json_is_answered_only_with_what_is_stored(house, ailing):
    """An answer that cannot be stored is no answer: 503, or held until it is."""
    async with house(IMPATIENT) as running:
        thread_id = await running.thread()
        held = asyncio.Event()
        answer = text_answer(ANSWERED)
        running.upstream.script(attrs.evolve(answer, parts=(held, *answer.parts)))
        body = {"message": SAID, "thread_id": thread_id}
        turn = asyncio.ensure_future(running.acme.ask("POST", "/chat", json=body))
        await running.upstream.until(lambda upstream: len(upstream.requests) == 1)
        async with ailing():
            held.set()
            status, problem = await turn
        await healthy(running)
        await running.quiet()
        running.upstream.usual = text_answer("again")
        assert (await running.acme.ask("POST", "/chat", json=body))[0] == 200

    assert (status, problem["type"]) == (503, UNAVAILABLE)


async def test_a_lock_of_five_seconds_is_waited_out(house, tmp_path):
    """Turns on every surface are held while another process has the file, and then answered."""
    async with house() as running:
        running.upstream.usual = stream_reply(text_stream(ANSWERED))
        body = {"message": SAID, "thread_id": await running.thread()}
        async with locked(tmp_path / "gateway.db"):
            turns = [
                asyncio.ensure_future(running.acme.ask("POST", "/chat", json={"message": SAID})),
                asyncio.ensure_future(running.acme.stream(SAID)),
                asyncio.ensure_future(_over_websocket(running, body)),
            ]
            done, _ = await asyncio.wait(turns, timeout=5)
        (status, answer), events, frame = await asyncio.gather(*turns)
        await running.quiet()

    assert not done
    assert (status, answer["responses"]) == (200, [ANSWERED])
    assert events[-2].name == "thread.run.completed"
    assert frame["event"] == "thread.run.created"
