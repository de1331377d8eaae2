"""Several at once on one thread: one run works, the same message joins it, all else is busy."""

import asyncio

import pytest

from tests.fakes.conversation import EVENTS, next_event, parse_all

SLOW = "count [[deltas=20 delay=10ms]]"


@pytest.fixture
async def thread_id(acme):
    """A thread of the first tenant on which nothing was said yet."""
    return (await acme.ask("GET", "/start"))[1]["thread_id"]


async def over_json(acme, thread_id, message):
    """One post: the run that answers it, or the problem."""
    body = {"message": message, "thread_id": thread_id}
    status, answer = await acme.ask("POST", "/chat", json=body)
    return status, answer["run_id"]


async def over_sse(acme, thread_id, message):
    """One streamed post, to its end."""
    body = {"message": message, "thread_id": thread_id}
    path = acme.path("/chat")
    async with acme.session.post(path, json=body, headers=EVENTS) as answer:
        if answer.status != 200:
            return answer.status, (await answer.json())["run_id"]
        events = parse_all(await answer.read())
    assert events[-2].name == "thread.run.completed"
    return 200, events[0].object["id"]


async def over_websocket(acme, thread_id, message):
    """One message over a socket of its own, to its end."""
    async with acme.session.ws_connect(acme.path("/ws/chat")) as socket:
        await socket.send_json({"message": message, "thread_id": thread_id})
        first = await socket.receive_json(timeout=10)
        if first["event"] == "error":
            assert first["error_code"] == "thread_busy"
            return 409, first["run_id"]
        while (await socket.receive_json(timeout=10))["event"] != "metadata":
            pass
        return 200, first["data"]["id"]


SURFACES = (over_json, over_sse, over_websocket)


async def test_of_different_messages_at_once_one_is_answered(acme, thread_id, simulator):
    """On every surface the others are told which run works, and leave nothing on the thread."""
    said = await asyncio.gather(
        *(
            surface(acme, thread_id, f"number {index} {surface.__name__} {SLOW}")
            for surface in SURFACES
            for index in range(4)
        )
    )

    assert sorted(status for status, _ in said) == [200] + [409] * 11
    assert len({run_id for _, run_id in said}) == 1
    assert len(simulator.requests) == 1
    _, page = await acme.ask("GET", f"/threads/{thread_id}/messages")
    assert [message["role"] for message in page["data"]] == ["assistant", "user"]


async def test_the_same_message_at_once_is_one_run(acme, thread_id, simulator):
    """On every surface they all get the same run to its end, and the model is asked once."""
    said = await asyncio.gather(
        *(surface(acme, thread_id, SLOW) for surface in SURFACES for _ in range(4))
    )

    assert len(set(said)) == 1
    assert said[0][0] == 200
    assert len(simulator.requests) == 1
    _, page = await acme.ask("GET", f"/threads/{thread_id}/messages")
    assert len(page["data"]) == 2


@pytest.mark.parametrize("surface", SURFACES)
async def test_a_thread_is_not_deleted_under_its_run(acme, thread_id, surface, simulator):
    """Deleting is 409 with the run's id while a run works, and 200 once it has ended."""
    turn = asyncio.ensure_future(surface(acme, thread_id, SLOW))
    await simulator.arrived(1)

    status, problem = await acme.ask("DELETE", f"/threads/{thread_id}")
    ended = await turn
    again, _ = await acme.ask("DELETE", f"/threads/{thread_id}")

    assert (status, problem["type"]) == (409, "urn:agw:thread-busy")
    assert ended == (200, problem["run_id"])
    assert again == 200
    assert (await acme.ask("GET", f"/runs/{problem['run_id']}"))[0] == 404


@pytest.mark.parametrize("surface", SURFACES)
async def test_the_run_that_makes_a_thread_busy_can_be_found_and_ended(
    acme, thread_id, surface, simulator
):
    """Who is told of a run that was begun to be answered may look at it, follow and cancel it."""
    turn = asyncio.ensure_future(surface(acme, thread_id, "wait [[silence]]"))
    await simulator.arrived(1)
    other = {"message": "x", "thread_id": thread_id}
    status, busy = await acme.ask("POST", "/chat", json=other)
    found, run = await acme.ask("GET", f"/runs/{busy['run_id']}")
    while found == 404:  # the response head is on its way
        found, run = await acme.ask("GET", f"/runs/{busy['run_id']}")
    following = asyncio.ensure_future(acme.events(busy["run_id"]))

    cancelled, _ = await acme.ask("POST", f"/runs/{busy['run_id']}/cancel")
    events = parse_all(await following)
    turn.cancel()
    await asyncio.gather(turn, return_exceptions=True)

    assert (status, run["status"], cancelled) == (409, "in_progress", 202)
    assert [event.name for event in events][-2:] == ["thread.run.cancelled", "metadata"]
    ended = (await acme.ask("GET", f"/runs/{busy['run_id']}"))[1]
    assert ended["status"] == "cancelled"


async def test_a_stream_that_joins_a_json_turn_begins_at_once(acme, thread_id, simulator):
    """Who joins a turn that somebody waits for in one piece does not wait for its end."""
    message = "wait [[silence]]"
    turn = asyncio.ensure_future(over_json(acme, thread_id, message))
    await simulator.arrived(1)

    async with acme.open(message, thread_id) as stream:
        first = await next_event(stream)
        await acme.ask("POST", f"/runs/{first.object['id']}/cancel")
        await stream.read()

    assert first.name == "thread.run.created"
    assert await turn == (409, first.object["id"])


async def test_deleting_and_speaking_at_once_is_one_or_the_other(acme):
    """Whichever comes first, either the thread is gone or its run was answered."""
    outcomes = set()
    for turn in range(20):
        thread_id = (await acme.ask("GET", "/start"))[1]["thread_id"]
        body = {"message": "hi", "thread_id": thread_id}
        both = [acme.ask("POST", "/chat", json=body), acme.ask("DELETE", f"/threads/{thread_id}")]
        said, deleted = await asyncio.gather(*(both if turn % 2 else both[::-1]))
        outcome = (said[0], deleted[0]) if turn % 2 else (deleted[0], said[0])
        left, _ = await acme.ask("GET", f"/threads/{thread_id}/messages")
        outcomes.add((*outcome, left))

    # Answered and not deleted; deleted and never answered; answered first, then deleted.
    assert outcomes <= {(200, 409, 200), (404, 200, 404), (200, 200, 404)}


async def test_a_cancelled_thread_takes_the_next_message(acme, thread_id):
    """Cancelling by one client frees the thread for another's message."""
    async with acme.open("wait [[deltas=900 delay=10ms]]", thread_id) as stream:
        run_id = (await next_event(stream)).object["id"]
        await acme.ask("POST", f"/runs/{run_id}/cancel")
        await stream.read()

    assert (await acme.say("and now?", thread_id))["status"] == "completed"
