"""End users with a token of their tenant's own identity provider."""

import asyncio
import time

import aiohttp
import pytest
from aiohttp import web

from tests.fakes.credential_client import Client
from tests.fakes.gateway import serving, write_tenant
from tests.fakes.identity_provider import AUDIENCE, identity_provider

pytest_plugins = ("tests.fakes.locked_gateway",)


@pytest.fixture
async def provider():
    """The identity provider of ``acme``."""
    async with identity_provider() as running:
        yield running


@pytest.fixture
async def client(locked_environ, root, provider):
    """A client of a tenant that names the provider."""
    access = f'[access]\njwt_issuer = "{provider.issuer}"\njwt_audience = "{AUDIENCE}"'
    write_tenant(root, "acme", rest=access)
    environ = locked_environ | {"GATEWAY_PRIVATE_UPSTREAMS": "127.0.0.1"}
    async with serving(environ) as running, aiohttp.ClientSession(running.url) as session:
        yield Client(session)


async def test_a_users_own_token_opens_what_is_theirs(client, provider):
    """It reaches what a session of that user would, and nothing of another's."""
    ada = client.using(provider.token(sub="ada"))
    bob = client.using(provider.token(sub="bob"))

    answer = await ada.say("Hello")

    path = f"/threads/{answer['thread_id']}/messages"
    assert (await ada.ask("GET", path))[0] == 200
    assert (await bob.ask("GET", path))[0] == 404
    assert (await ada.ask("POST", "/sessions", json={"user": "ada"}))[0] == 403
    assert (await ada.of("globex").ask("GET", "/start"))[0] == 401
    assert (await client.using(provider.token(aud="other")).ask("GET", "/start"))[0] == 401


async def test_it_rides_in_the_query_where_it_must(client, provider):
    """A browser's WebSocket brings it as it brings a session's token."""
    async with client.socket(f"/ws/chat?token={provider.token()}") as socket:
        await socket.send_json({"type": "ping"})

        assert (await socket.receive_json(timeout=5)) == {"event": "pong"}


@pytest.mark.parametrize("foreign", ["unused", "sk-proj.unused"])
async def test_a_foreign_credential_does_not_hide_it(client, provider, foreign):
    """Neither before it nor behind it, as proxies and SDKs add one."""
    before = {"X-API-Key": foreign, "Authorization": f"Bearer {provider.token()}"}
    behind = dict(reversed(before.items()))

    for headers in (before, behind):
        assert (await client.ask("GET", "/start", headers=headers))[0] == 200


async def test_two_users_tokens_are_no_credential(client, provider):
    """Whoever sends the tokens of two users has to say which is meant."""
    headers = {"X-API-Key": provider.token(sub="bob")}

    status, problem = await client.using(provider.token()).ask("GET", "/start", headers=headers)

    assert (status, problem["type"]) == (400, "urn:agw:several-credentials")


async def test_a_connection_ends_with_the_token(client, provider):
    """An open connection is closed when the token's time is up, leeway included."""
    token = provider.token(exp=int(time.time()) - 299)
    async with client.using(token).socket() as socket, asyncio.timeout(10):
        assert (await socket.receive_json())["error_code"] == "unauthorized"
        await socket.receive()

    assert socket.close_code == 4401


async def test_a_connection_ends_when_the_issuer_is_dropped(client, provider, root):
    """When the tenant names the issuer no longer, its users' connections end."""
    async with client.using(provider.token()).socket() as socket, asyncio.timeout(10):
        await socket.send_json({"type": "ping"})
        await socket.receive()
        write_tenant(root, "acme")
        await socket.receive_json()
        await socket.receive()

    assert socket.close_code == 4401


async def test_an_issuer_that_is_away_is_no_wrong_token(client, provider):
    """While the issuer's keys cannot be had, the client is told to come back: 503, not 401."""

    async def broken(_request):
        return web.Response(status=500)

    provider.answers["/keys"] = broken
    async with client.using(provider.token()).open("GET", "/start") as answer:
        problem = await answer.json(content_type=None)

    assert (answer.status, problem["type"]) == (503, "urn:agw:issuer-unavailable")
    assert int(answer.headers["Retry-After"]) > 0
    assert provider.issuer not in str(problem)
