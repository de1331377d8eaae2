"""Ids of others and ids that are none: as unknown as what never was, on every route."""

import asyncio

import pytest

from tests.fakes.conversation import next_event, parse_all
from tests.fakes.raw_client import RawWebSocket, ask, request

HIDDEN = "the words of globex"
# In a path they are percent-encoded, so that the route takes them for an id.
ODD = {
    "slash": "thread_1%2Fmessages",
    "climbing": "..%2F..%2Fruns",
    "dots": "%2E%2E",
    "query": "thread_1%3Flimit=1",
    "fragment": "thread_1%23x",
    "NUL": "thread_1%00",
    "line break": "thread_1%0D%0Ax",
    "not UTF-8": "%ff%fe",
    "letters of others": "thread_%C3%A9",
    "10 kB": "x" * 10_240,
    "pattern": "thread_%25",
    "quote": "'%20OR%201=1--",
    "blank": "%20",
    "new": "new",
    "a tenant's": "globex",
}
ROUTES = {
    "messages": ("GET", "/threads/{}/messages", "thread"),
    "delete": ("DELETE", "/threads/{}", "thread"),
    "run": ("GET", "/runs/{}", "run"),
    "events": ("GET", "/runs/{}/events", "run"),
    "cancel": ("POST", "/runs/{}/cancel", "run"),
}


@pytest.fixture
def said(gateway):
    """What a route says of an id: its status, and its problem without what differs each time."""

    async def look(route, identifier):
        method, path, _ = ROUTES[route]
        target = f"/t/acme{path.format(identifier)}"
        answer = await ask(gateway.url, request(method, target))
        problem = answer.json
        assert problem.pop("instance") == target
        problem.pop("correlation_id")
        return answer.status, problem

    return look


@pytest.mark.parametrize("route", ROUTES)
async def test_ids_of_another_tenant_are_as_unknown_as_none(said, globex, route):
    """Every byte of the answer but the path is that of an id that never was."""
    theirs = await globex.say(HIDDEN)
    kind = ROUTES[route][2]

    found = await said(route, theirs[f"{kind}_id"])

    assert found == await said(route, f"{kind}_0123456789abcdef01234567")
    assert (found[0], found[1]["type"]) == (404, f"urn:agw:unknown-{kind}")
    assert (await globex.ask("GET", f"/runs/{theirs['run_id']}"))[1]["status"] == "completed"


@pytest.mark.parametrize("route", ROUTES)
async def test_what_is_no_id_is_unknown(said, route):
    """Slashes, query strings, 10 kB and bytes that are no text are 404, on every route."""
    found = {name: (await said(route, identifier))[0] for name, identifier in ODD.items()}

    assert found == dict.fromkeys(ODD, 404)


async def test_an_encoded_slash_leads_to_no_other_route(gateway, acme):
    """A path is cut at its slashes before it is decoded, with a tenant's prefix and without."""
    answer = await acme.say("hi")
    run_id, thread_id = answer["run_id"], answer["thread_id"]
    headers = {"X-Tenant-ID": "acme"}
    for path in (f"runs/{run_id}%2fevents", f"threads%2F{thread_id}/messages", f"runs%2F{run_id}"):
        for prefix in ("/t/acme/", "/"):
            found = await ask(gateway.url, request("GET", prefix + path, headers=headers))
            assert found.status == 404


async def test_a_query_changes_no_id(acme, gateway):
    """What follows an id as a query is none of it."""
    run_id = (await acme.say("hi"))["run_id"]

    answer = await ask(gateway.url, request("GET", f"/t/acme/runs/{run_id}?x=/../{'y' * 10_240}"))

    assert answer.json["id"] == run_id


async def test_thread_ids_in_messages_are_looked_up_within_the_tenant(acme, globex, simulator):
    """Another tenant's thread, and what is no id, is 404 over HTTP and an error over WebSocket."""
    theirs = (await globex.say(HIDDEN))["thread_id"]
    tried = (theirs, "a/b", "thread_1?x=1", "\0", "x" * 10_240, "../x", "é", " new", theirs + "\n")
    answers, errors = [], []
    async with acme.session.ws_connect(acme.path("/ws/chat")) as socket:
        for thread_id in tried:
            body = {"message": "hi", "thread_id": thread_id}
            status, problem = await acme.ask("POST", "/chat", json=body)
            await socket.send_json(body)
            answers.append((status, problem["type"]))
            errors.append((await socket.receive_json(timeout=5))["error_code"])

    assert answers == [(404, "urn:agw:unknown-thread")] * len(tried)
    assert errors == ["unknown_thread"] * len(tried)
    assert len(simulator.requests) == 1


async def test_run_ids_in_frames_are_looked_up_within_the_tenant(acme, globex):
    """Another tenant's run, live or ended, is not resumed over WebSocket."""
    ended = (await globex.say(HIDDEN))["run_id"]
    async with globex.open("count [[deltas=50 delay=10ms]]") as stream:
        live = (await next_event(stream)).object["id"]
        async with acme.session.ws_connect(acme.path("/ws/chat")) as socket:
            for run_id in (ended, live, "a/b", "\0", "x" * 10_240, ""):
                await socket.send_json({"type": "resume", "run_id": run_id})
                error = await socket.receive_json(timeout=5)
                assert (error["event"], error["error_code"]) == ("error", "unknown_run")
        await globex.ask("POST", f"/runs/{live}/cancel")


async def test_cursors_of_another_tenant_are_unknown(acme, globex):
    """A page neither begins nor ends at another tenant's message, nor at what is no id."""
    theirs = (await globex.say(HIDDEN))["thread_id"]
    _, page = await globex.ask("GET", f"/threads/{theirs}/messages")
    ours = (await acme.say("hi"))["thread_id"]
    made_up = await acme.ask("GET", f"/threads/{ours}/messages?after=msg_0")

    for cursor in (page["first_id"], "a/b", "\0", "x" * 10_240, "é"):
        for side in ("after", "before"):
            found = await acme.ask("GET", f"/threads/{ours}/messages", params={side: cursor})
            assert (found[0], found[1]["type"]) == (made_up[0], made_up[1]["type"])
            assert found[0] in {400, 404}


async def test_a_tenant_in_the_sockets_path_is_checked_as_any_other(gateway):
    """Over WebSocket what is no tenant closes with 4404, however it is written."""
    for tenant in ("..%2Facme", "%00", "ACME", "a_b", "x" * 64, "nobody", "acme%2f", ""):
        async with RawWebSocket(gateway.url, f"/t/{tenant}/ws/chat") as socket:
            error = await socket.next_event()

            assert error["error_code"] == "unknown_tenant"
            assert await socket.close_code() == 4404


async def test_a_place_in_the_future_is_waited_for(acme):
    """A joiner beyond the last event of a live run gets what comes after it, and the end."""
    async with acme.open("count [[deltas=40 delay=10ms]]") as stream:
        run_id = (await next_event(stream)).object["id"]
        far, near = await asyncio.gather(
            acme.events(run_id, f"{run_id}-{'9' * 30}"), acme.events(run_id, f"{run_id}-30")
        )
        seen = parse_all(await stream.read())

    assert far == b""
    assert parse_all(near) == seen[29:]
    assert seen[-2].name == "thread.run.completed"


async def test_a_place_at_or_after_the_end_is_no_content(acme):
    """After the end of an ended run there is nothing: 204, at the last event and far behind it."""
    run_id = (await acme.say("hi"))["run_id"]
    last = parse_all(await acme.events(run_id))[-1].number

    for after in (last, last + 1, "9" * 30, f"{run_id}-{last}"):
        status, _ = await acme.ask("GET", f"/runs/{run_id}/events", params={"after": after})
        assert status == 204
    rest = parse_all(await acme.events(run_id, str(last - 1)))
    assert [event.name for event in rest] == ["metadata"]


async def test_places_that_are_none_are_refused(acme):
    """Negative, wordy, foreign, endless and other numerals are 400, in header and query alike."""
    run_id = (await acme.say("hi"))["run_id"]
    path = acme.path(f"/runs/{run_id}/events")
    for after in ("-1", "1.5", "0x1", "\u0663", "1 2", "run_0-1", f"{run_id}--1", "x" * 10_240):
        status, problem = await acme.ask("GET", f"/runs/{run_id}/events", params={"after": after})
        assert (status, problem["errors"][0]["field"]) == (400, "after")
        async with acme.session.get(path, headers={"Last-Event-ID": after}) as answer:
            assert answer.status == 400


async def test_a_resume_after_the_end_leaves_the_socket_usable(acme):
    """Over WebSocket nothing is left to send, which is said, and the next message is answered."""
    answer = await acme.say("hi")
    async with acme.session.ws_connect(acme.path("/ws/chat")) as socket:
        run_id = answer["run_id"]
        await socket.send_json({"type": "resume", "run_id": run_id, "after": "9" * 30})
        over = await socket.receive_json(timeout=5)
        first = {"error_code": "turn_in_progress"}
        while first.get("error_code") == "turn_in_progress":
            await socket.send_json({"message": "more", "thread_id": answer["thread_id"]})
            first = await socket.receive_json(timeout=5)

    assert over["error_code"] == "run_ended"
    assert first["event"] == "thread.run.created"
    assert first["data"]["id"] != run_id
