"""Which tenant: by path, by header, by default; and nobody sees another's."""

import asyncio

import aiohttp
import pytest

from tests.fakes.conversation import Talker, parse_all
from tests.fakes.gateway import serving


@pytest.mark.parametrize(
    "tenant", ["nobody", "ACME", "a_b", "x" * 64, "..", "%00", "acme%2Fx", "acme ", "-acme"]
)
async def test_unknown_tenants_and_wrong_ids_answer_alike(session, gateway, tenant):
    """Whatever is not a tenant is 404 ``unknown-tenant``, by path and by header."""
    reader, writer = await asyncio.open_connection("127.0.0.1", int(gateway.url.rpartition(":")[2]))
    target = tenant.replace(" ", "%20")
    writer.write(f"GET /t/{target}/start HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
    answer = await reader.read()
    writer.close()
    headers = {"X-Tenant-ID": tenant.strip() if tenant != "acme " else "acme x"}
    async with session.get("/start", headers=headers) as by_header:
        problem = await by_header.json()

    assert b" 404 " in answer.split(b"\r\n")[0]
    assert b"urn:agw:unknown-tenant" in answer
    assert (problem["status"], problem["type"]) == (404, "urn:agw:unknown-tenant")


async def test_path_and_header_must_agree(session):
    """They agree, or it is 400 ``tenant-mismatch``; none named is 400 ``tenant-required``."""
    path = "/t/acme/start"
    async with session.get(path, headers={"X-Tenant-ID": "acme"}) as answer:
        assert answer.status == 200
    async with session.get(path, headers={"X-Tenant-ID": "globex"}) as answer:
        assert (answer.status, (await answer.json())["type"]) == (400, "urn:agw:tenant-mismatch")
    async with session.get("/start") as answer:
        assert (answer.status, (await answer.json())["type"]) == (400, "urn:agw:tenant-required")


async def test_the_default_serves_those_who_name_none(environ):
    """``GATEWAY_DEFAULT_TENANT`` counts only where nothing else names a tenant."""
    async with (
        serving(environ | {"CLIENT_ID": "globex"}) as gateway,
        aiohttp.ClientSession(gateway.url) as session,
    ):
        _, by_default = await Talker(session, None).ask("GET", "/start")
        _, by_path = await Talker(session, "acme").ask("GET", "/start")

    assert by_default["initial_message"] == "Hello from Globex."
    assert by_path["initial_message"] == "Hello from Acme."


async def test_two_tenants_at_once_never_see_each_others_ids(acme, globex):
    """Another tenant's thread and run are as unknown as those that do not exist."""
    ours, theirs = await asyncio.gather(acme.say("our secret"), globex.say("their secret"))

    for mine, talker in ((ours, globex), (theirs, acme)):
        thread_id, run_id = mine["thread_id"], mine["run_id"]
        body = {"message": "hi", "thread_id": thread_id}
        tries = [
            await talker.ask("POST", "/chat", json=body),
            await talker.ask("GET", f"/threads/{thread_id}/messages"),
            await talker.ask("DELETE", f"/threads/{thread_id}"),
            await talker.ask("GET", f"/runs/{run_id}"),
            await talker.ask("GET", f"/runs/{run_id}/events"),
            await talker.ask("POST", f"/runs/{run_id}/cancel"),
        ]
        made_up = await talker.ask("GET", "/threads/thread_0/messages")
        assert [status for status, _ in tries] == [404] * 6
        assert tries[1][1]["title"] == made_up[1]["title"]
        assert "secret" not in str(tries)


async def test_tenants_streams_at_once_are_their_own(acme, globex):
    """Twenty interleaved streams of two tenants each carry their own words alone."""
    talkers = [acme, globex] * 10

    streams = await asyncio.gather(
        *(
            talker.stream(f"word{number} [[deltas=20 delay=1ms]]")
            for number, talker in enumerate(talkers)
        )
    )

    runs = set()
    for talker, events in zip(talkers, streams, strict=True):
        run = events[0].object
        assert run["assistant_id"] == f"asst_{talker.tenant}_default"
        assert {event.id.rpartition("-")[0] for event in events} == {run["id"]}
        runs.add(run["id"])
    assert len(runs) == 20


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/t/acme/start", 200),
        ("GET", "/t/acme/nowhere", 404),
        ("PUT", "/t/acme/chat", 405),
        ("GET", "/t/nobody/start", 404),
        ("POST", "/t/acme/chat", 415),
        ("GET", "/health", 200),
    ],
)
async def test_every_answer_carries_a_correlation_id(session, method, path, status):
    """The client's own id is echoed if it is well formed, else a new one is made."""
    options = {"data": b"x", "headers": {"Content-Type": "text/plain"}} if method == "POST" else {}
    async with session.request(method, path, **options) as answer:
        assert answer.status == status
        assert answer.headers["X-Correlation-ID"]
    headers = options.get("headers", {})
    async with session.request(
        method, path, **options | {"headers": headers | {"X-Correlation-ID": "my-id.1"}}
    ) as answer:
        assert answer.headers["X-Correlation-ID"] == "my-id.1"
        if status >= 400:
            problem = await answer.json()
            assert answer.content_type == "application/problem+json"
            assert problem["correlation_id"] == "my-id.1"
            assert problem["instance"] == path
    async with session.request(
        method, path, **options | {"headers": headers | {"X-Correlation-ID": "no spaces"}}
    ) as answer:
        assert answer.headers["X-Correlation-ID"] != "no spaces"


async def test_a_turn_is_traced_upstream_under_its_correlation_id(acme, upstream):
    """The id rides on the request to the model and on the stream's metadata."""
    async with acme.open("hi", **{"X-Correlation-ID": "trace-7"}) as stream:
        events = parse_all(await stream.read())

    assert upstream.requests[-1].headers["x-correlation-id"] == "trace-7"
    assert events[-1].data["correlation_id"] == "trace-7"


@pytest.mark.parametrize("path", ["/health", "/ready", "/metrics"])
async def test_service_routes_answer_head_as_get(session, path):
    """HEAD is the GET without its body."""
    async with session.get(path) as whole, session.head(path) as head:
        assert (whole.status, head.status) == (200, 200)
        assert head.headers["Content-Type"] == whole.headers["Content-Type"]
        assert await head.read() == b""
