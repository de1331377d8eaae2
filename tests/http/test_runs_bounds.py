"""What bounds a run: when it exists, how long it may take, who reads it, who stops it."""

import asyncio
import json
import socket

import aiohttp
import pytest

from gateway.runs.turn import TurnLimits
from tests.fakes.conversation import EVENTS, Talker, next_event, parse_all
from tests.fakes.gateway import serving
from tests.fakes.tenants import until


@pytest.fixture
def bounded(environ):
    """Starts a gateway with these bounds and gives its client."""

    def start(**bounds):
        return _Bounded(environ, bounds)

    return start


class _Bounded:
    def __init__(self, environ, bounds):
        self._serving = serving(environ, **bounds)

    async def __aenter__(self):
        self.gateway = await self._serving.__aenter__()
        self._session = aiohttp.ClientSession(self.gateway.url)
        return self.gateway, Talker(self._session)

    async def __aexit__(self, *error):
        await self._session.close()
        await self._serving.__aexit__(None, None, None)


async def test_a_run_exists_before_a_slow_upstream_answers(bounded, upstream):
    """After its time a run exists without a response head: the stream begins, and can be ended."""
    async with (
        bounded(turns=TurnLimits(exists_after_seconds=0.05)) as (_, acme),
        acme.open("wait [[hang]]") as stream,
    ):
        created = await next_event(stream)
        assert created.name == "thread.run.created"
        status, _ = await acme.ask("POST", f"/runs/{created.object['id']}/cancel")
        events = parse_all(await stream.read())

    assert status == 202
    assert [event.name for event in events][-2:] == ["thread.run.cancelled", "metadata"]
    assert upstream.requests[0].abandoned


async def test_an_upstream_that_never_ends_is_ended(bounded):
    """A run that takes longer than a run may fails; what it said is kept as incomplete."""
    async with bounded(turns=TurnLimits(run_seconds=0.5)) as (_, acme):
        events = await acme.stream("go on [[endless]]")
        _, page = await acme.ask("GET", f"/threads/{events[0].object['thread_id']}/messages")

    assert events[-2].name == "thread.run.failed"
    assert page["data"][0]["incomplete_details"] == {"reason": "run_failed"}


async def test_a_flood_from_upstream_is_cut_at_its_bound(bounded):
    """More than a log may hold ends the run as failed, not the process."""
    async with bounded(turns=TurnLimits(log_bytes=50_000)) as (_, acme):
        events = await acme.stream("flood [[deltas=5000]]")

    assert events[-2].name == "thread.run.failed"


async def test_a_client_that_never_reads_is_detached_and_the_run_ends(bounded, upstream):
    """A stuck client costs neither the run nor the process anything; the run can be read later."""
    async with bounded(stuck_seconds=0.2) as (gateway, acme):
        thread_id = (await acme.say("hello"))["thread_id"]
        message = {"message": "flood [[deltas=40000]]", "thread_id": thread_id}
        stuck = _post_and_never_read(gateway, json.dumps(message).encode())
        await upstream.arrived(2)
        answer = await acme.say(**message)
        await until(lambda: b"agw_clients_detached_total 1.0" in gateway.app.metrics.render())
        stuck.close()
        events = parse_all(await acme.events(answer["run_id"]))

    assert answer["status"] == "completed"
    assert events == [] or events[-2].name == "thread.run.completed"


async def test_a_stopping_process_ends_its_runs_as_failed(environ):
    """Runs that outlive the grace are failed with a reason, in the store and on their streams."""
    async with serving(environ) as gateway, aiohttp.ClientSession(gateway.url) as session:
        acme = Talker(session)
        async with acme.open("count [[deltas=2000 delay=10ms]]") as stream:
            run_id = (await next_event(stream)).object["id"]
            draining = asyncio.ensure_future(gateway.app.drain(0.1))
            events = parse_all(await stream.read())
            await draining
        status, problem = await acme.ask("POST", "/chat", json={"message": "hi"})
        ready, _ = await Talker(session, None).ask("GET", "/ready")
        _, run = await acme.ask("GET", f"/runs/{run_id}")

    assert events[-2].name == "thread.run.failed"
    assert "stopped" in events[-2].object["last_error"]["message"]
    assert run["status"] == "failed"
    assert (status, problem["type"], ready) == (503, "urn:agw:draining", 503)


def _post_and_never_read(gateway, body):
    stuck = socket.socket()
    stuck.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    stuck.connect(("127.0.0.1", int(gateway.url.rpartition(":")[2])))
    head = (
        f"POST /t/acme/chat HTTP/1.1\r\nHost: x\r\nAccept: {EVENTS['Accept']}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    stuck.sendall(head.encode() + body)
    return stuck
