"""The conversation over Server-Sent Events: order, ids, resuming, joining."""

import asyncio

import msgspec
import pytest

from gateway.runs.projections.frames import Frame
from tests.fakes import assistants_oracle
from tests.fakes.conversation import EVENTS, next_event, parse_all, text_of

SCRIPTS = {
    "text": ("hello", "completed"),
    "tools": ("weather in Paris?", "completed"),
    "parallel": ("weather in Paris and Rome?", "completed"),
    "refusal": ("no [[refusal]]", "completed"),
    "incomplete": ("long [[incomplete=max_output_tokens]]", "incomplete"),
    "filtered": ("bad [[incomplete=content_filter]]", "incomplete"),
    "failed": ("oh [[failed=server_error]]", "failed"),
    "error": ("oh [[error]]", "failed"),
    "cut": ("oh [[cut=mid-event]]", "failed"),
    "unknown": ("new [[unknown-events]]", "completed"),
}


@pytest.mark.parametrize("name", SCRIPTS)
async def test_every_stream_keeps_the_rules_to_its_one_end(acme, name):
    """Objects validate, ids count from 1 without gaps, one terminal event, then metadata."""
    message, end = SCRIPTS[name]

    events = await acme.stream(message)

    frames = [Frame(event.name, msgspec.json.encode(event.object)) for event in events[:-1]]
    for frame in frames:
        assistants_oracle.validate(frame)
    assert [event.number for event in events] == list(range(1, len(events) + 1))
    assert [event.name for event in events[-2:]] == [f"thread.run.{end}", "metadata"]
    assert sum(frame.name in assistants_oracle.TERMINAL for frame in frames) == 1
    metadata = events[-1].data
    assert metadata["event_count"] == len(events) - 1
    assert metadata["elapsed_time_seconds"] >= 0


async def test_frames_have_the_order_of_fields_that_older_clients_know(acme):
    """id, event, retry on the first one, data with its envelope; headers forbid buffers."""
    async with acme.open("hello") as answer:
        events = parse_all(await answer.read())

    first = [line.partition(":")[0] for line in events[0].raw.decode().split("\n")]
    assert first == ["id", "event", "retry", "data"]
    assert all(b"retry:" not in event.raw for event in events[1:])
    assert events[0].data.keys() == {"event", "data"}
    assert answer.headers["Cache-Control"] == "no-cache, no-transform"
    assert answer.headers["X-Accel-Buffering"] == "no"
    assert answer.headers["Content-Type"].startswith("text/event-stream")


async def test_end_users_see_neither_the_prompt_nor_what_goes_through_tools(acme):
    """Runs carry no instructions and tools, and step events no arguments and outputs."""
    events = await acme.stream("weather in Paris?")

    told = b"".join(event.raw for event in events if event.name != "thread.message.delta")
    assert b"You are Acme" not in told
    assert b"get_weather" in told
    assert b"Paris" not in b"".join(e.raw for e in events if ".step." in e.name)
    assert all(e.object["tools"] == [] for e in events if e.name == "thread.run.created")


async def test_a_run_resumes_after_every_single_event_byte_for_byte(acme):
    """From any event id on, the rest of an ended run is the same bytes; after the last one: 204."""
    events = await acme.stream("weather in Paris and Rome?")
    run_id = events[0].object["id"]

    whole = await acme.events(run_id)
    assert parse_all(whole) == events
    for number, event in enumerate(events, 1):
        rest = b"".join(later.raw + b"\n\n" for later in events[number:])
        assert await acme.events(run_id, event.id) == rest
        assert await acme.events(run_id, str(number)) == rest
    status, _ = await acme.ask("GET", f"/runs/{run_id}/events?after={len(events)}")
    assert status == 204


async def test_three_clients_join_a_run_whose_first_client_is_gone(acme, upstream):
    """A client that goes away does not end its run; three others read it whole, live."""
    async with acme.open("count [[deltas=40 delay=10ms]]") as first:
        run_id = (await next_event(first)).object["id"]

    streams = await asyncio.gather(*(acme.events(run_id) for _ in range(3)))

    assert len(set(streams)) == 1
    events = parse_all(streams[0])
    assert events[-2].name == "thread.run.completed"
    assert sum(event.name == "thread.message.delta" for event in events) == 40
    assert not upstream.requests[0].abandoned


async def test_a_live_run_is_joined_in_the_middle(acme):
    """A joiner that names an event gets what follows it, and the frames are the first client's."""
    async with acme.open("count [[deltas=40 delay=10ms]]") as first:
        seen = [await next_event(first) for _ in range(12)]
        rest = parse_all(await acme.events(seen[0].object["id"], seen[4].id))
        seen += parse_all(await first.read())

    assert seen[5:] == rest


@pytest.mark.parametrize("ended", [False, True])
async def test_a_post_of_the_same_message_after_a_cut_joins_the_run(acme, upstream, ended):
    """Older clients post again after any fault: they get the run that answers already."""
    thread_id = (await acme.say("hello"))["thread_id"]
    async with acme.open("count [[deltas=20 delay=5ms]]", thread_id) as first:
        run_id = (await next_event(first)).object["id"]

    if ended:
        while (await acme.ask("GET", f"/runs/{run_id}"))[1]["status"] != "completed":
            pass
    answer = await acme.say("count [[deltas=20 delay=5ms]]", thread_id)

    assert (answer["run_id"], answer["status"]) == (run_id, "completed")
    assert len(upstream.requests) == 2


async def test_a_run_is_cancelled(acme):
    """Cancelling answers 202, ends the stream as cancelled, and keeps the text so far."""
    async with acme.open("count [[deltas=400 delay=10ms]]") as stream:
        events = [await next_event(stream) for _ in range(12)]
        run_id = events[0].object["id"]
        status, answer = await acme.ask("POST", f"/runs/{run_id}/cancel")
        events += parse_all(await stream.read())
    again, problem = await acme.ask("POST", f"/runs/{run_id}/cancel")
    _, page = await acme.ask("GET", f"/threads/{events[0].object['thread_id']}/messages")

    assert (status, answer["status"]) == (202, "cancelling")
    names = [event.name for event in events]
    assert names[-2:] == ["thread.run.cancelled", "metadata"]
    assert "thread.run.cancelling" in names
    assert (again, problem["type"]) == (409, "urn:agw:run-ended")
    kept = page["data"][0]
    assert kept["status"] == "incomplete"
    assert kept["incomplete_details"] == {"reason": "run_cancelled"}
    assert kept["content"][0]["text"]["value"] == text_of(events)


async def test_a_thread_goes_on_after_a_cancelled_tool_round(acme):
    """A run that was cut short leaves a thread that upstream still takes."""
    thread_id = (await acme.say("hello"))["thread_id"]
    async with acme.open("weather in Paris? [[delay=50ms]]", thread_id) as stream:
        run_id = (await next_event(stream)).object["id"]
        await acme.ask("POST", f"/runs/{run_id}/cancel")
        await stream.read()

    assert (await acme.say("never mind", thread_id))["status"] == "completed"


async def test_wrong_places_in_a_run_are_refused(acme):
    """Another run's event id, a negative or a wordy one: 400; an unknown run: 404."""
    run_id = (await acme.say("hello"))["run_id"]
    other = (await acme.say("hello"))["run_id"]

    for after in (f"{other}-1", "-3", "x", f"{run_id}-"):
        status, problem = await acme.ask("GET", f"/runs/{run_id}/events", params={"after": after})
        assert (status, problem["errors"][0]["field"]) == (400, "after")
    assert (await acme.ask("GET", "/runs/run_0/events"))[0] == 404


async def test_a_failure_before_the_run_exists_is_an_http_error(acme):
    """A stream is refused with a body, not begun and then broken off."""
    body = {"message": "go [[status=500]]"}

    status, problem = await acme.ask("POST", "/chat", json=body, headers=EVENTS)

    assert (status, problem["type"]) == (502, "urn:agw:upstream-unavailable")
