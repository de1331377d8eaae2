"""Chats that search knowledge and run code, over every surface of a gateway."""

import asyncio
import json
from pathlib import Path

import openai
import pytest
from openai.types.beta.threads import Message

from gateway.runs.projections.frames import Frame
from tenants.registry.files import FileObjects
from tests.fakes.assistants_oracle import check
from tests.fakes.conversation import Talker
from tests.fakes.knowledge import DOCUMENT, KEY, Knowing, files_of, write_files

QUESTION = "How long are returns accepted?"
FILES = {
    "acme": {"knowledge/returns.md": b"Returns are accepted within 30 days of purchase."},
    "globex": {"knowledge/returns.md": b"At Globex returns are accepted within 99 days."},
}


@pytest.fixture
async def environ(environ, upstream, tmp_path):
    """Two tenants whose knowledge is synced, and one who shows its tool calls."""
    root = tmp_path / "knowing"
    root.mkdir()
    for tenant_id, files in FILES.items():
        knowing = Knowing(FileObjects(root), upstream, tenant_id)
        knowing.onboard(files)
        await knowing.sync()
    shows = DOCUMENT.format(id="shows") + "[access]\nexpose_tool_calls = true\n"
    write_files(root / "shows", files_of("shows", FILES["acme"]) | {"tenant.toml": shows.encode()})
    await Knowing(FileObjects(root), upstream, "shows").sync()
    upstream.requests.clear()
    return environ | {"GATEWAY_TENANTS": f"dir:{root}"}


async def test_a_sync_is_served_without_a_restart(session, upstream, environ):
    """A running gateway searches what is synced while it runs, in working form as published."""
    root = Path(environ["GATEWAY_TENANTS"].removeprefix("dir:"))
    late = Knowing(FileObjects(root), upstream, "late")
    write_files(root / "late", files_of("late", FILES["acme"]))
    talker = Talker(session, "late")

    async with asyncio.timeout(20):
        while (await talker.ask("GET", "/start"))[0] != 200:  # noqa: ASYNC110  (files set no event)
            await asyncio.sleep(0.05)
        before = await talker.say(QUESTION)
        await late.sync()
        while "30 days" not in (await talker.say(QUESTION))["responses"][0]:  # noqa: ASYNC110
            await asyncio.sleep(0.05)

    assert "30 days" not in before["responses"][0]


async def test_a_store_that_was_deleted_upstream_is_mended_by_a_sync(
    acme, globex, upstream, environ
):
    """Until then its tenant's turns fail, told without ids of upstream; others are answered."""
    root = Path(environ["GATEWAY_TENANTS"].removeprefix("dir:"))
    knowing = Knowing(FileObjects(root), upstream, "acme")
    lost = knowing.state.vector_store_id
    async with openai.AsyncOpenAI(base_url=upstream.base_url, api_key=KEY) as client:
        await client.vector_stores.delete(lost)

    status, problem = await acme.ask("POST", "/chat", json={"message": QUESTION})
    other = await globex.say(QUESTION)
    await knowing.sync()

    assert status >= 500
    assert lost not in str(problem)
    assert "99 days" in other["responses"][0]
    async with asyncio.timeout(20):
        while (await acme.ask("POST", "/chat", json={"message": QUESTION}))[0] != 200:  # noqa: ASYNC110  (files set no event)
            await asyncio.sleep(0.05)
    assert "30 days" in (await acme.say(QUESTION))["responses"][0]


@pytest.fixture
def shows(session):
    """A client of the tenant that shows its tool calls."""
    return Talker(session, "shows")


def frames_of(events):
    """The events of the Assistants API, as a projection gave them."""
    told = [event for event in events if event.name.startswith("thread.")]
    return [Frame(event.name, json.dumps(event.object).encode()) for event in told]


def notes_of(message):
    """The annotations of a message."""
    return [note for block in message["content"] for note in block["text"]["annotations"]]


def steps_of(events):
    """The tool calls of the steps that were completed."""
    return [
        call
        for event in events
        if event.name == "thread.run.step.completed"
        for call in event.object["step_details"].get("tool_calls", [])
    ]


async def test_a_stream_cites_the_file(acme):
    """The answer says what the file says, and its citation names the file as the tenant does."""
    events = await acme.stream(QUESTION)

    check([frame for frame in frames_of(events) if "requires" not in frame.name])
    done = next(event.object for event in events if event.name == "thread.message.completed")
    (note,) = notes_of(done)
    assert "within 30 days" in done["content"][0]["text"]["value"]
    assert note["type"] == "file_citation"
    assert note["file_citation"]["filename"] == "returns.md"
    assert note["file_citation"]["file_id"].startswith("file-")


async def test_history_cites_as_the_stream_did(acme):
    """The messages of a thread carry the annotations, in the form of OpenAI's types."""
    answer = await acme.say(QUESTION)
    _, page = await acme.ask("GET", f"/threads/{answer['thread_id']}/messages")

    said = page["data"][0]
    Message.model_validate(said)
    assert "within 30 days" in answer["responses"][0]
    assert [note["file_citation"]["filename"] for note in notes_of(said)] == ["returns.md"]


async def test_a_websocket_cites_too(session):
    """The same events come over WebSocket."""
    async with session.ws_connect("/t/acme/ws/chat") as socket:
        await socket.send_json({"message": QUESTION})
        while (frame := await socket.receive_json(timeout=10))["event"] != "metadata":
            if frame["event"] == "thread.message.completed":
                (note,) = notes_of(frame["data"])

    assert note["file_citation"]["filename"] == "returns.md"


async def test_each_tenant_searches_its_own_store_alone(acme, globex, upstream):
    """With the same account and the same question, each answers from its own files."""
    first, second = await acme.say(QUESTION), await globex.say(QUESTION)

    assert "30 days" in first["responses"][0]
    assert "99 days" not in first["responses"][0]
    assert "99 days" in second["responses"][0]
    stores = [
        tool["vector_store_ids"]
        for asked in upstream.requests
        for tool in asked.json["tools"]
        if tool["type"] == "file_search"
    ]
    assert [len(each) for each in stores] == [1, 1]
    assert stores[0] != stores[1]


@pytest.mark.parametrize("streamed", [True, False])
async def test_a_second_turn_is_taken_by_upstream(acme, upstream, streamed):
    """What a hosted tool left in the thread goes back as upstream takes it, without its items."""
    first = await acme.say(QUESTION)
    if streamed:
        await acme.stream("What did I say first?", first["thread_id"])
    else:
        await acme.say("What did I say first?", first["thread_id"])

    sent = upstream.requests[-1].json
    assert [entry["type"] for entry in sent["input"]] == ["message"] * 3
    assert sent["store"] is False
    assert "file_search_call.results" in sent["include"]
    assert "code_interpreter_call.outputs" in sent["include"]


@pytest.mark.parametrize("question", [QUESTION, "What is 12 * (3 + 4)?"])
async def test_tool_calls_are_hidden(acme, question):
    """Who is not shown tool calls sees that there was one, and nothing that went through it."""
    events = await acme.stream(question)

    (call,) = steps_of(events)
    if call["type"] == "file_search":
        assert call["file_search"] == {}
    else:
        assert call["code_interpreter"] == {"input": "", "outputs": []}
    told = b"".join(event.raw for event in events if "step" in event.name)
    assert b"print(" not in told
    assert b"30 days" not in told


async def test_tool_calls_are_shown_where_the_tenant_wants_it(shows):
    """With expose_tool_calls a search shows what it found, and code shows itself and its output."""
    searched = steps_of(await shows.stream(QUESTION))
    events = await shows.stream("What is 12 * (3 + 4)?")
    (ran,) = steps_of(events)

    (found,) = searched[0]["file_search"]["results"]
    assert (found["file_name"], found["score"] > 0) == ("returns.md", True)
    assert ran["code_interpreter"] == {
        "input": "print(12 * (3 + 4))",
        "outputs": [{"type": "logs", "logs": "84\n"}],
    }
    check([frame for frame in frames_of(events) if "requires" not in frame.name])


async def test_a_file_that_code_writes_is_cited(acme):
    """It comes as a ``file_path`` with the name of the file and its place in the text."""
    events = await acme.stream("Compute 2 + 2 and write a csv file")

    done = next(event.object for event in events if event.name == "thread.message.completed")
    (note,) = notes_of(done)
    marked = done["content"][0]["text"]["value"][note["start_index"] : note["end_index"]]
    assert (note["type"], note["file_path"]["filename"]) == ("file_path", "result.csv")
    assert marked == "sandbox:/mnt/data/result.csv"
