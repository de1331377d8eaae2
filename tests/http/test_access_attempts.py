"""Wrong credentials are limited by address; good ones never are."""

import aiohttp
import pytest

from tenants.keys import new_key
from tests.fakes.credential_client import Client
from tests.fakes.gateway import serving

pytest_plugins = ("tests.fakes.locked_gateway",)


async def until_limited(client):
    """The statuses of wrong keys until one is not 401, and that answer's Retry-After."""
    statuses, wait = [], None
    while not statuses or statuses[-1] == 401:
        async with client.using(new_key("acme")).open("GET", "/start") as answer:
            statuses.append(answer.status)
            wait = answer.headers.get("Retry-After")
    return statuses, wait


async def test_wrong_keys_are_limited_and_good_ones_never(client, keys):
    """After twenty wrong keys an address waits before the next; its good ones pass all along."""
    good = client.using(await keys.give())

    statuses, wait = await until_limited(client)

    assert statuses == [401] * 20 + [429]
    assert 1 <= int(wait) <= 3
    assert (await good.ask("GET", "/start"))[0] == 200
    browser = good.using(await good.session_of("ada"))
    assert (await browser.ask("GET", "/start"))[0] == 200
    async with good.socket() as socket:
        await socket.send_json({"type": "ping"})
        assert (await socket.receive_json(timeout=5)) == {"event": "pong"}


async def test_all_doors_count_together(client):
    """HTTP, WebSocket and every tenant's routes share the count, and the limit holds at each."""
    await until_limited(client)
    wrong = client.using(new_key("acme"))

    assert (await wrong.of("globex").ask("POST", "/sessions"))[0] == 429
    async with wrong.socket() as socket:
        frame = await socket.receive_json(timeout=5)
        await socket.receive(timeout=5)
    assert (frame["error_code"], socket.close_code) == ("too_many_attempts", 4401)


async def test_asking_without_a_credential_is_no_attempt(client):
    """Nothing is guessed by sending nothing."""
    statuses = {(await client.ask("GET", "/start"))[0] for _ in range(40)}

    assert statuses == {401}


@pytest.mark.parametrize("trusted", ["127.0.0.0/8", "192.0.2.0/24"])
async def test_the_address_is_a_trusted_proxys_word(locked_environ, trusted):
    """X-Forwarded-For tells addresses apart where the operator trusts who says it, else never."""
    environ = locked_environ | {"GATEWAY_TRUSTED_PROXIES": trusted}

    async def status(client, address):
        wrong = client.using(new_key("acme"))
        return (await wrong.ask("GET", "/start", headers={"X-Forwarded-For": address}))[0]

    async with serving(environ) as running, aiohttp.ClientSession(running.url) as session:
        client = Client(session)
        first = [await status(client, "2001:db8::1") for _ in range(21)]
        neighbour = await status(client, "2001:db8::2")
        stranger = await status(client, "2001:db8:0:1::1")

    assert first == [401] * 20 + [429]
    assert neighbour == 429
    assert stranger == (401 if trusted == "127.0.0.0/8" else 429)


async def test_what_a_client_says_of_itself_behind_a_proxy_changes_nothing(locked_environ):
    """The address is the one that the trusted proxy has added, whatever stands before it."""
    environ = locked_environ | {"GATEWAY_TRUSTED_PROXIES": "127.0.0.0/8"}
    async with serving(environ) as running, aiohttp.ClientSession(running.url) as session:
        statuses = []
        for number in range(21):
            headers = {"X-Forwarded-For": f"198.51.100.{number}, 192.0.2.1"}
            wrong = Client(session).using(new_key("acme"))
            statuses.append((await wrong.ask("GET", "/start", headers=headers))[0])

    assert statuses == [401] * 20 + [429]
