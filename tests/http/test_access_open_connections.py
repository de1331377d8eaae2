"""Connections that are open when their credential dies."""

import asyncio
import json
import time
from contextlib import asynccontextmanager

import aiohttp
import pytest

from tests.fakes.conversation import next_event, parse_all
from tests.fakes.credential_client import Client
from tests.fakes.gateway import serving, write_tenant
from tests.fakes.raw_client import RawClient, RawWebSocket, request
from tests.fakes.tenants import until

pytest_plugins = ("tests.fakes.locked_gateway",)

WITHIN_SECONDS = 10
EVENTS = {"Accept": "text/event-stream"}
LONG = {"message": "Go on [[words=2000 delay=20ms]]"}


async def revoked(keys, key):
    """The key is revoked."""
    await keys.revoke(key)


async def expired(keys, key):
    """The key's time is up a moment later."""
    await keys.expire(key, int(time.time()) + 1)


async def as_a_key(client, key):
    """A connection with the key itself."""
    return client.using(key)


async def as_a_session(client, key):
    """A connection with a session that the key issued."""
    return client.using(await client.using(key).session_of("ada"))


DEATHS = pytest.mark.parametrize("die", [revoked, expired])
WAYS = pytest.mark.parametrize("connect", [as_a_key, as_a_session])


@asynccontextmanager
async def unread(url, token, surface, message):
    """A connection on which a message was said, and nothing of its answer is read."""
    if surface == "websocket":
        path = f"/t/acme/ws/chat?token={token}"
        async with RawWebSocket(url, path, receive_buffer=2048) as socket:
            await socket.say(message)
            yield
    else:
        body = json.dumps({"message": message}).encode()
        headers = EVENTS | {"Authorization": f"Bearer {token}"}
        async with RawClient(url, receive_buffer=2048) as stream:
            await stream.send(request("POST", "/t/acme/chat", body, headers))
            yield


async def closed(socket):
    """The close code, and the frames before it; everything has to come soon."""
    frames = []
    async with asyncio.timeout(WITHIN_SECONDS):
        while (message := await socket.receive()).type == aiohttp.WSMsgType.TEXT:
            frames.append(message.json())
    return socket.close_code, frames


@DEATHS
@WAYS
async def test_a_stream_ends_and_its_run_goes_on(client, keys, die, connect):
    """An SSE stream whose credential dies ends within 10 s, before its run, which works on."""
    key, other = await keys.give(), await keys.give()
    mine = await connect(client, key)
    async with mine.open("POST", "/chat", json=LONG, headers=EVENTS) as stream:
        head = (await next_event(stream)).object
        await die(keys, key)
        async with asyncio.timeout(WITHIN_SECONDS):
            rest = parse_all(await stream.read())

    assert not any(event.name.endswith(("completed", "metadata", "error")) for event in rest)
    watcher = client.using(other)
    assert (await watcher.ask("GET", f"/runs/{head['id']}"))[1]["status"] == "in_progress"
    assert (await watcher.ask("POST", f"/runs/{head['id']}/cancel"))[0] == 202


@DEATHS
@WAYS
async def test_a_silent_websocket_is_closed(client, keys, die, connect):
    """A WebSocket on which nothing happens is closed with 4401 within 10 s."""
    key = await keys.give()
    mine = await connect(client, key)
    async with mine.socket() as socket:
        await socket.send_json({"type": "ping"})
        await socket.receive(timeout=5)
        await die(keys, key)

        code, frames = await closed(socket)

    assert (code, [frame["error_code"] for frame in frames]) == (4401, ["unauthorized"])


async def test_a_websocket_in_mid_turn_is_closed(client, keys):
    """No more of the turn is sent than was under way; the run works on."""
    key, other = await keys.give(), await keys.give()
    async with client.using(key).socket() as socket:
        await socket.send_json(LONG)
        head = (await socket.receive_json(timeout=5))["data"]
        await keys.revoke(key)

        code, frames = await closed(socket)

    assert code == 4401
    assert frames[-1]["error_code"] == "unauthorized"
    run_id = head["id"]
    assert (await client.using(other).ask("POST", f"/runs/{run_id}/cancel"))[0] == 202


async def test_the_next_frame_of_a_dead_credential_is_refused(locked, client, keys):
    """Each frame is judged when it comes, without waiting for the next look at all connections."""
    key = await keys.give()
    async with client.using(key).socket() as socket:
        await socket.send_json({"type": "ping"})
        await socket.receive(timeout=5)
        locked.app._connections._open.clear()  # nobody looks at this one
        await keys.revoke(key)
        await socket.send_json({"type": "ping"})

        code, frames = await closed(socket)

    assert (code, [frame["error_code"] for frame in frames]) == (4401, ["unauthorized"])


async def test_a_session_ends_by_its_own_time(client, keys):
    """A session's second is its end on open connections too."""
    program = client.using(await keys.give())
    browser = client.using(await program.session_of("ada", ttl_seconds=1))
    async with browser.socket() as socket:
        code, _ = await closed(socket)

    assert code == 4401
    assert (await browser.ask("GET", "/start"))[0] == 401


async def test_connections_of_other_keys_stay(client, keys):
    """Revoking one key leaves the connections of another alone."""
    dying, living = await keys.give(), await keys.give()
    async with client.using(living).socket() as stays, client.using(dying).socket() as goes:
        await keys.revoke(dying)
        await closed(goes)
        await stays.send_json({"type": "ping"})

        assert (await stays.receive_json(timeout=5)) == {"event": "pong"}


async def test_connections_of_a_tenant_that_is_gone_are_closed(root, client, keys):
    """When the tenant is taken away its connections end, as unknown."""
    key = await keys.give()
    async with client.using(key).socket() as socket:
        await socket.send_json({"type": "ping"})
        await socket.receive(timeout=5)
        (root / "acme").rename(root.parent / "acme")

        code, frames = await closed(socket)

    assert (code, frames[-1]["error_code"]) == (4404, "unknown_tenant")


async def test_a_public_chat_that_is_closed_ends_its_connections(locked_environ, root):
    """When the chat is no longer public, anybody's connections end."""
    write_tenant(root, "open", rest="[access]\npublic_chat = true")
    async with serving(locked_environ) as running, aiohttp.ClientSession(running.url) as session:
        client = Client(session, "open")
        _, issued = await client.ask("POST", "/sessions")
        async with client.using(issued["token"]).socket() as socket:
            await socket.send_json({"type": "ping"})
            await socket.receive(timeout=5)
            write_tenant(root, "open")

            code, _ = await closed(socket)

    assert code == 4401


async def test_a_long_connection_gets_the_newest_revision(root, locked, client, keys, upstream):
    """The next turn on an open WebSocket is answered by the revision that is in force then."""
    async with client.using(await keys.give()).socket() as socket:
        await socket.send_json({"type": "ping"})
        await socket.receive(timeout=5)
        before = locked.app._registry.cached("acme")
        write_tenant(root, "acme", instructions="You are newer.")
        await until(lambda: locked.app._registry.cached("acme").revision != before.revision)
        await socket.send_json({"message": "Hello"})
        while (await socket.receive_json(timeout=5))["event"] != "metadata":
            pass

    assert b"You are newer." in upstream.requests[-1].body


async def test_connections_end_with_their_tenant_where_keys_are_not_required(locked_environ, root):
    """Who needed no credential is cut off with the tenant all the same, over every surface."""
    environ = locked_environ | {"GATEWAY_REQUIRE_KEYS": "false"}
    async with serving(environ) as running, aiohttp.ClientSession(running.url) as session:
        client = Client(session)
        async with (
            client.socket() as socket,
            client.open("POST", "/chat", json=LONG, headers=EVENTS) as stream,
        ):
            await next_event(stream)
            (root / "acme").rename(root.parent / "acme")
            code, _ = await closed(socket)
            async with asyncio.timeout(WITHIN_SECONDS):
                rest = parse_all(await stream.read())

    assert code == 4404
    assert not any(event.name == "metadata" for event in rest)


@pytest.mark.parametrize("headers", [{}, EVENTS])
async def test_who_waits_for_an_answer_is_refused(locked, upstream, client, keys, headers):
    """Who waits for an answer as the credential dies gets 401 within 10 s; the run works on."""
    key = await keys.give()
    mine = await as_a_session(client, key)
    asking = asyncio.ensure_future(
        mine.ask("POST", "/chat", json={"message": "Wait [[hang]]"}, headers=headers)
    )
    await upstream.arrived(1)
    await keys.revoke(key)

    async with asyncio.timeout(WITHIN_SECONDS):
        status, problem = await asking

    assert (status, problem["type"]) == (401, "urn:agw:unauthorized")
    assert locked.app._orchestrator.working() == 1


@pytest.mark.parametrize("surface", ["websocket", "sse"])
async def test_who_does_not_read_is_cut_off(locked, client, keys, surface):
    """A client that takes nothing any more cannot hold its connection open."""
    key = await keys.give()
    token = await client.using(key).session_of("ada")
    is_open = f'agw_open_streams{{surface="{surface}"}} 1.0'.encode()
    async with unread(locked.url, token, surface, "Go on [[words=100000]]"):
        await until(lambda: is_open in locked.app.metrics.render())
        await until(lambda: b"agw_runs_active 0.0" in locked.app.metrics.render(), 20)
        assert is_open in locked.app.metrics.render()
        await keys.revoke(key)

        await until(lambda: is_open not in locked.app.metrics.render(), WITHIN_SECONDS)
