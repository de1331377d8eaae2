"""The gateway's own end: killed, and told to stop."""

import asyncio

import aiohttp
import pytest

from tests.fakes.conversation import Talker, next_event, parse_all
from tests.fakes.gateway import write_tenant
from tests.fakes.gateway_process import gateway_process
from tests.fakes.simulator import RecordingSimulator


@pytest.fixture
async def upstream():
    """A simulator that remembers what it was asked."""
    async with RecordingSimulator() as simulator:
        yield simulator


@pytest.fixture
def environ(tmp_path, upstream):
    """The variables of the gateway under test."""
    write_tenant(tmp_path / "tenants", "acme")
    return {
        "GATEWAY_TENANTS": f"dir:{tmp_path / 'tenants'}",
        "GATEWAY_STORE": f"sqlite:{tmp_path / 'gateway.db'}",
        "OPENAI_BASE_URL": upstream.base_url,
        "OPENAI_API_KEY": "sk-x",
    }


async def test_runs_of_a_killed_process_end_as_failed_and_free_their_threads(environ, tmp_path):
    """After a kill and a new start the run has failed, its stream ends, its thread goes on."""
    async with (
        gateway_process(environ, tmp_path) as first,
        aiohttp.ClientSession(first.url) as session,
    ):
        acme = Talker(session)
        done = await acme.say("remember me")
        async with acme.open("[[deltas=500 delay=20ms]]", done["thread_id"]) as stream:
            seen = [await next_event(stream) for _ in range(9)]
            run_id = seen[0].object["id"]
            await first.kill()
            with pytest.raises(aiohttp.ClientError):
                await stream.read()

    async with (
        gateway_process(environ, tmp_path) as second,
        aiohttp.ClientSession(second.url) as session,
    ):
        acme = Talker(session)
        _, run = await acme.ask("GET", f"/runs/{run_id}")
        from_start = parse_all(await acme.events(run_id))
        resumed = parse_all(await acme.events(run_id, seen[-1].id))
        over = await acme.events(run_id, resumed[-1].id)
        again = await acme.say("what did I say first?", done["thread_id"])
        _, page = await acme.ask("GET", f"/threads/{done['thread_id']}/messages?order=asc")

    assert (run["status"], run["last_error"]["code"]) == ("failed", "server_error")
    assert from_start[-2].name == "thread.run.failed"
    assert [event.name for event in resumed] == ["thread.run.failed", "metadata"]
    assert [event.number for event in resumed] == [10, 11]
    assert over == b""
    assert "remember me" in again["responses"][0]
    said = [message["content"][0]["text"]["value"] for message in page["data"]]
    assert said[0] == "remember me"
    assert done["responses"][0] == said[1]


async def test_a_process_that_is_told_to_stop_lets_its_runs_end(environ, tmp_path):
    """After SIGTERM an open stream goes on to its whole end; then the process is gone."""
    async with (
        gateway_process(environ, tmp_path) as gateway,
        aiohttp.ClientSession(gateway.url) as session,
    ):
        acme = Talker(session)
        async with acme.open("go on [[deltas=40 delay=20ms]]") as stream:
            events = [await next_event(stream)]
            stopping = asyncio.ensure_future(gateway.terminate())
            events += parse_all(await stream.read())
        await asyncio.wait_for(stopping, 20)

    assert events[-2].name == "thread.run.completed"
    assert sum(event.name == "thread.message.delta" for event in events) == 40


async def test_a_websocket_between_turns_is_told_to_come_back(environ, tmp_path):
    """When the process stops, an idle connection closes with 1012."""
    async with (
        gateway_process(environ, tmp_path) as gateway,
        aiohttp.ClientSession(gateway.url) as session,
        session.ws_connect("/t/acme/ws/chat") as socket,
    ):
        await socket.send_json({"type": "ping"})
        await socket.receive_json(timeout=5)
        stopping = asyncio.ensure_future(gateway.terminate())
        await socket.receive(timeout=10)
        await asyncio.wait_for(stopping, 20)

    assert socket.close_code == 1012
