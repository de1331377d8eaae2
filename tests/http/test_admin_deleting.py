"""Deleting all that is stored of a tenant, while it and its neighbour are talked to."""

import asyncio
import json
import shutil

import pytest

from gateway.store.errors import StoreUnavailableError
from tenants.context import TenantContext
from tests.fakes.admin_client import ADMIN_KEY, AdminClient, files_of
from tests.fakes.conversation import EVENTS, Talker, next_event, parse_all, text_of
from tests.fakes.raw_client import RawClient, request
from tests.fakes.tenants import until

SLOW = "Go on [[words=200 delay=20ms]]"
DATA = "/tenants/acme/data"
ACME = TenantContext("acme", "corr-1")


@pytest.fixture
def environ(environ):
    """With the operator's API."""
    return environ | {"GATEWAY_ADMIN_KEY": ADMIN_KEY}


@pytest.fixture
def admin(session, gateway):
    """An operator."""
    return AdminClient(session, gateway.url)


@pytest.fixture
def orchestrator(gateway):
    """The gateway's."""
    return gateway.app._orchestrator


async def test_runs_end_and_nothing_is_left(admin, acme, gateway):
    """Streams, whoever follows them, and JSON turns alike; a thread without a run goes too."""
    kept = await acme.say("Hello")
    await acme.ask("GET", "/start")
    async with acme.open(SLOW) as first, acme.open(SLOW) as second:
        run_id = (await next_event(first)).object["id"]
        await next_event(second)
        follower = asyncio.create_task(acme.events(run_id))
        turn = asyncio.create_task(acme.ask("POST", "/chat", json={"message": "Hi [[hang]]"}))
        await until(lambda: gateway.app._orchestrator.working() == 3)

        gone = await admin.delete(DATA)
        ends = [parse_all(await stream.read())[-3:] for stream in (first, second)]
        followed = parse_all(await follower)
        refused = await turn

    assert gone["threads_deleted"] >= 4
    for end in (*ends, followed):
        assert "thread.run.cancelled" in [each.name for each in end]
    assert (refused[0], refused[1]["type"]) == (503, "urn:agw:tenant-leaving")
    for path in (f"/runs/{run_id}", f"/threads/{kept['thread_id']}/messages"):
        assert (await acme.ask("GET", path))[0] == 404
    assert await gateway.app._store.forget(ACME, 1) == 0
    assert (await admin.delete(DATA))["threads_deleted"] == 0


async def test_the_neighbour_notices_nothing(admin, acme, globex):
    """Its run goes on to its end, its threads stay, and it starts new ones meanwhile."""
    kept = await globex.say("Hello")
    async with acme.open(SLOW) as mine, globex.open(SLOW) as theirs:
        await next_event(mine)
        head = await next_event(theirs)

        deleting = asyncio.create_task(admin.delete(DATA))
        while not deleting.done():
            await globex.say("And now?", kept["thread_id"])
        events = [head, *parse_all(await theirs.read())]

    assert [each.name for each in events[-2:]] == ["thread.run.completed", "metadata"]
    assert len(text_of(events).split()) == 200
    _, page = await globex.ask("GET", f"/threads/{kept['thread_id']}/messages?limit=100")
    assert len(page["data"]) >= 4


async def test_nothing_begins_meanwhile(admin, acme, globex, gateway, monkeypatch):
    """New turns and threads are told to come back, until the deletion is over."""
    store, going_on = gateway.app._store, asyncio.Event()
    forget = store.forget

    async def slowly(tenant, most):
        await going_on.wait()
        return await forget(tenant, most)

    monkeypatch.setattr(store, "forget", slowly)
    deleting = asyncio.create_task(admin.delete(DATA))
    while (await acme.ask("GET", "/start"))[0] == 200:
        pass
    refused = [
        await acme.ask("POST", "/chat", json={"message": "Hi"}),
        await acme.ask("POST", "/chat", json={"message": "Hi"}, headers=EVENTS),
        await acme.ask("GET", "/start"),
    ]
    async with acme.session.post(acme.path("/chat"), json={"message": "Hi"}) as answer:
        retry_after = answer.headers["retry-after"]
    await globex.say("Hello")
    again = asyncio.create_task(admin.delete(DATA))
    going_on.set()
    await asyncio.gather(deleting, again)

    for status, problem in refused:
        assert (status, problem["type"]) == (503, "urn:agw:tenant-leaving")
    assert int(retry_after) > 0
    await acme.say("Hello again")


async def test_an_idempotency_key_is_forgotten(admin, acme):
    """The same key starts a new run on a new thread."""
    headers = {"Idempotency-Key": "once"}
    first = await acme.say("Hello", headers=headers)

    await admin.delete(DATA)
    second = await acme.say("Hello", headers=headers)

    assert second["run_id"] != first["run_id"]


async def test_a_cut_stream_is_not_joined_after_its_thread_is_gone(admin, acme, gateway):
    """The message that would join it finds no such thread."""
    async with acme.open(SLOW) as answer:
        head = await next_event(answer)
    await until(lambda: gateway.app._orchestrator._admission._cuts)
    await admin.delete(DATA)

    body = {"message": SLOW, "thread_id": head.object["thread_id"]}
    assert (await acme.ask("POST", "/chat", json=body))[0] == 404
    assert not gateway.app._orchestrator._admission._cuts


async def test_a_tenant_that_the_registry_has_no_more(admin, acme, tmp_path):
    """Its data go all the same, and nothing new comes in afterwards."""
    await acme.say("Hello")
    shutil.rmtree(tmp_path / "tenants" / "acme")

    gone = await admin.delete(DATA)
    status, problem = await acme.ask("POST", "/chat", json={"message": "Hi"})

    assert gone["threads_deleted"] == 1
    assert (status, problem["type"]) == (404, "urn:agw:unknown-tenant")


async def test_a_body_that_comes_too_late_starts_nothing(admin, acme, gateway, tmp_path):
    """The tenant was there when its head came, and is gone when its body does."""
    body = json.dumps({"message": "Hi"}).encode()
    sent = request("POST", "/t/acme/chat", body)
    await acme.say("Hello")
    async with RawClient(gateway.url) as client:
        await client.send(sent[: -len(body)])
        while (await acme.ask("GET", "/health"))[0] != 200:
            pass
        shutil.rmtree(tmp_path / "tenants" / "acme")
        await admin.delete(DATA)
        await client.send(body)
        answer = await client.read_all()

    assert answer.startswith(b"HTTP/1.1 404")
    assert await gateway.app._store.forget(ACME, 1) == 0


async def test_a_store_that_is_away_is_told(admin, acme, gateway, monkeypatch):
    """503; the tenant is open again, and the same request goes on later."""
    await acme.say("Hello")

    async def away(*_):
        raise StoreUnavailableError("away")

    with monkeypatch.context() as patched:
        patched.setattr(gateway.app._store, "forget", away)
        problem = await admin.delete(DATA, 503)
    await acme.say("Hello")

    assert problem["type"] == "urn:agw:store-unavailable"
    assert (await admin.delete(DATA))["threads_deleted"] == 2


async def test_a_deletion_that_stops_half_way_goes_on(admin, acme, gateway, monkeypatch):
    """The registry's part is gone, the data are not: the same request deletes those."""
    await admin.post("/tenants", 201, id="initech", files=files_of("initech"))
    initech = Talker(acme.session, "initech")
    await initech.say("Hello")

    async def away(*_):
        raise StoreUnavailableError("away")

    with monkeypatch.context() as patched:
        patched.setattr(gateway.app._store, "forget", away)
        await admin.delete("/tenants/initech", 503)
    await admin.get("/tenants/initech", 404)
    rest = await admin.delete("/tenants/initech")

    assert (rest["objects_deleted"], rest["threads_deleted"]) == (0, 1)
    await admin.delete("/tenants/initech", 404)


async def test_the_audit_tells_of_it_where_the_tenant_stays(admin):
    """By whom; of a tenant that is not there nothing is written."""
    headers = {"X-Admin-User": "ada"}

    await admin.ask("DELETE", DATA, headers=headers)
    await admin.delete("/tenants/unknown/data")

    (entry,) = (await admin.get("/tenants/acme/audit"))["data"]
    assert (entry["action"], entry["by"]) == ("data.delete", "admin-api:ada")
    await admin.get("/tenants/unknown/audit", 404)


async def test_a_websocket_sees_its_run_end_and_may_go_on(admin, acme, session):
    """The connection stays: what is deleted is the tenant's data, not the tenant."""
    async with session.ws_connect("/t/acme/ws/chat") as socket:
        await socket.send_json({"message": SLOW})
        first = await socket.receive_json()
        await admin.delete(DATA)
        names = [first["event"]]
        while names[-1] != "metadata":
            names.append((await socket.receive_json())["event"])
        await socket.send_json({"message": "Hello"})
        while names[-1] != "thread.run.completed":
            names.append((await socket.receive_json())["event"])

    assert "thread.run.cancelled" in names
    assert (await acme.ask("GET", f"/runs/{first['data']['id']}"))[0] == 404
