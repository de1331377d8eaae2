"""The simulator's files and vector stores, driven by the official SDK and held to its types."""

import asyncio

import httpx2
import openai
import pytest
from openai.types import FileObject, VectorStore
from openai.types.responses import Response, ResponseStreamEvent
from openai.types.vector_stores import VectorStoreFile
from pydantic import TypeAdapter

from gateway.simulator.server import Simulator

EVENT = TypeAdapter(ResponseStreamEvent)
RETURNS = b"Opening hours are nine to five.\n\nReturns are accepted within 30 days of purchase.\n"
SHIPPING = b"Parcels to Norway travel for six days."
INCLUDE = ["file_search_call.results", "code_interpreter_call.outputs"]


@pytest.fixture
async def upstream():
    """A simulator on a free port."""
    async with Simulator() as simulator:
        yield simulator


def client_of(upstream, key):
    """The official client with a key."""
    return openai.AsyncOpenAI(base_url=upstream.base_url, api_key=key, max_retries=0)


@pytest.fixture
async def client(upstream):
    """The official client."""
    async with client_of(upstream, "sk-any") as client:
        yield client


async def upload(client, content, name="returns.md"):
    """Upload a file."""
    return await client.files.create(file=(name, content), purpose="assistants")


async def indexed(client, content=RETURNS, name="returns.md", attributes=None):
    """A vector store with one file that is indexed; the file's id."""
    store = await client.vector_stores.create(name="Docs")
    file = await upload(client, content, name)
    await client.vector_stores.files.create_and_poll(
        file.id, vector_store_id=store.id, attributes=attributes, poll_interval_ms=10
    )
    return store.id, file.id


def strict(model, thing):
    """Hold a thing to its SDK's type, with no field that is unknown."""
    read = model.model_validate(thing.model_dump())
    assert not read.model_extra
    return read


async def test_a_file_is_kept_listed_and_deleted(client):
    """What was uploaded is listed, retrieved and gone once it is deleted."""
    file = strict(FileObject, await upload(client, RETURNS, 'a "b".md'))

    listed = [each.id async for each in client.files.list(purpose="assistants")]
    retrieved = await client.files.retrieve(file.id)
    deleted = await client.files.delete(file.id)

    assert (file.filename, file.bytes) == ('a "b".md', len(RETURNS))
    assert listed == [retrieved.id] == [file.id]
    assert deleted.deleted
    with pytest.raises(openai.NotFoundError):
        await client.files.retrieve(file.id)


async def test_content_is_given_back_but_of_assistants_files(client):
    """As upstream, files for assistants cannot be downloaded; others come back byte for byte."""
    content = bytes(range(256)) + b"\r\n--not-a-boundary\r\n"
    batch = await client.files.create(file=("a.jsonl", content), purpose="batch")
    file = await upload(client, RETURNS)

    assert (await client.files.content(batch.id)).content == content
    with pytest.raises(openai.BadRequestError, match="Not allowed to download"):
        await client.files.content(file.id)


async def test_pages_go_through_everything_once(client):
    """A listing over several pages has each file once, newest first, or oldest first if asked."""
    ids = [(await upload(client, b"x", f"{n}.txt")).id for n in range(5)]

    newest = [each.id async for each in client.files.list(limit=2)]
    oldest = [each.id async for each in client.files.list(limit=2, order="asc")]

    assert newest == ids[::-1]
    assert oldest == ids


async def test_a_vector_store_indexes_its_files(client):
    """A file is in progress first and then completed, and the store counts it."""
    store = strict(VectorStore, await client.vector_stores.create(name="Docs", metadata={"a": "b"}))
    file = await upload(client, RETURNS)
    attached = await client.vector_stores.files.create(
        store.id, file_id=file.id, attributes={"path": "returns.md"}
    )
    done = await client.vector_stores.files.poll(
        file.id, vector_store_id=store.id, poll_interval_ms=10
    )
    counted = await client.vector_stores.retrieve(store.id)

    assert strict(VectorStoreFile, attached).status == "in_progress"
    assert (done.status, done.attributes) == ("completed", {"path": "returns.md"})
    assert (counted.file_counts.completed, counted.file_counts.total) == (1, 1)
    assert (counted.metadata, counted.usage_bytes) == ({"a": "b"}, len(RETURNS))


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [("a.bin", b"x", "unsupported_file"), ("a.md", b"[[index=failed]]", "invalid_file")],
)
async def test_a_file_that_cannot_be_indexed_fails(client, name, content, code):
    """Its status says so, with upstream's code and words."""
    store_id, file_id = await indexed(client, content, name)

    failed = await client.vector_stores.files.retrieve(file_id, vector_store_id=store_id)

    assert failed.status == "failed"
    assert (failed.last_error.code, bool(failed.last_error.message)) == (code, True)


async def test_a_batch_is_counted_and_listed(client):
    """Files of a batch are counted together and listed with their own attributes."""
    store = await client.vector_stores.create(name="Docs")
    first, second = [await upload(client, b"text", f"{n}.txt") for n in range(2)]

    batch = await client.vector_stores.file_batches.create_and_poll(
        store.id,
        files=[{"file_id": first.id, "attributes": {"n": "0"}}, {"file_id": second.id}],
        poll_interval_ms=10,
    )
    listed = client.vector_stores.file_batches.list_files(batch.id, vector_store_id=store.id)

    assert (batch.status, batch.file_counts.completed) == ("completed", 2)
    assert {each.id: each.attributes async for each in listed} == {
        first.id: {"n": "0"},
        second.id: {},
    }


async def test_a_file_leaves_its_stores_with_its_deletion(client):
    """A file that is deleted, or taken out, is found no more."""
    store_id, file_id = await indexed(client)
    await client.files.delete(file_id)

    found = await client.vector_stores.search(store_id, query="returns")

    assert found.data == []
    with pytest.raises(openai.NotFoundError):
        await client.vector_stores.files.retrieve(file_id, vector_store_id=store_id)


async def test_a_search_finds_the_passage(client):
    """The best result is the paragraph that a question is about, with the file's attributes."""
    store_id, file_id = await indexed(client, attributes={"path": "k/returns.md"})

    found = await client.vector_stores.search(store_id, query="When are returns accepted?")

    best = found.data[0]
    assert (best.file_id, best.filename) == (file_id, "returns.md")
    assert best.attributes == {"path": "k/returns.md"}
    assert best.content[0].text == "Returns are accepted within 30 days of purchase."


async def test_another_key_sees_nothing(upstream, client):
    """Files and stores of one key are not there for another one, by id or in a listing."""
    store_id, file_id = await indexed(client)
    async with client_of(upstream, "sk-other") as other:
        for attempt in (
            other.files.retrieve(file_id),
            other.vector_stores.retrieve(store_id),
            other.vector_stores.search(store_id, query="returns"),
            other.responses.create(
                model="sim-1",
                input="returns?",
                tools=[{"type": "file_search", "vector_store_ids": [store_id]}],
            ),
        ):
            with pytest.raises(openai.NotFoundError):
                await attempt
        assert (await other.files.list()).data == []
        assert (await other.vector_stores.list()).data == []


async def ask(client, message, tools, **fields):
    """An unstreamed response, held to its type."""
    answer = await client.responses.create(
        model="sim-1", input=message, tools=tools, include=INCLUDE, store=False, **fields
    )
    return Response.model_validate(answer.model_dump())


async def test_an_answer_cites_the_file_that_it_is_from(client):
    """File search gives a call with results and a text with a citation at its place."""
    store_id, file_id = await indexed(client)
    tools = [{"type": "file_search", "vector_store_ids": [store_id]}]

    answer = await ask(client, "How long are returns accepted?", tools)

    call, message = answer.output
    text = message.content[0]
    assert call.queries == ["How long are returns accepted?"]
    assert call.results[0].file_id == file_id
    assert "Returns are accepted within 30 days of purchase." in text.text
    assert [(a.type, a.file_id, a.filename, a.index) for a in text.annotations] == [
        ("file_citation", file_id, "returns.md", len(text.text))
    ]


async def test_a_stream_cites_as_the_whole_answer_does(client):
    """Streamed, the annotation comes before the last delta, and every event is of its type."""
    store_id, file_id = await indexed(client)
    tools = [{"type": "file_search", "vector_store_ids": [store_id]}]

    asked = {
        "model": "sim-1",
        "input": "How long are they accepted?",
        "tools": tools,
        "include": INCLUDE,
    }
    async with client.responses.stream(**asked) as stream:
        final = await stream.get_final_response()
    events = [
        EVENT.validate_json(event.to_json())
        async for event in await client.responses.create(**asked, stream=True)
    ]

    kinds = [event.type for event in events]
    annotated = kinds.index("response.output_text.annotation.added")
    last_delta = max(n for n, kind in enumerate(kinds) if kind == "response.output_text.delta")
    assert annotated < last_delta
    assert kinds.index("response.file_search_call.searching") < annotated
    assert final.output[1].content[0].annotations[0].file_id == file_id


@pytest.mark.parametrize(
    ("message", "logs"),
    [
        ("What is 12 * (3 + 4)?", "84\n"),
        ("Calculate the average of 3, 5 and 10", "6\n"),
        ("sum of 1.5 and 2", "3.5\n"),
    ],
)
async def test_code_is_run_for_sums(client, message, logs):
    """The code interpreter's call carries a program and what it prints; the text says it."""
    tools = [{"type": "code_interpreter", "container": {"type": "auto"}}]

    answer = await ask(client, message, tools)

    call, said = answer.output
    assert call.outputs[0].logs == logs
    assert "print(" in call.code
    assert logs.strip() in said.content[0].text


async def test_code_that_writes_a_file_cites_it(client):
    """Asked for a file, the text links it where the citation says."""
    tools = [{"type": "code_interpreter", "container": {"type": "auto"}}]

    answer = await ask(client, "Compute 2 + 2 and write a csv file", tools)

    call, said = answer.output
    text = said.content[0]
    note = text.annotations[0]
    assert (note.type, note.filename) == ("container_file_citation", "result.csv")
    assert note.container_id == call.container_id
    assert text.text[note.start_index : note.end_index] == "sandbox:/mnt/data/result.csv"


@pytest.mark.parametrize(
    ("message", "choice"), [("hello there", "auto"), ("How long are returns accepted?", "none")]
)
async def test_small_talk_searches_nothing(client, message, choice):
    """A greeting is answered without a search, and so is everything where no tool may be used."""
    store_id, _ = await indexed(client)
    tools = [{"type": "file_search", "vector_store_ids": [store_id]}]

    answer = await ask(client, message, tools, tool_choice=choice)

    assert [item.type for item in answer.output] == ["message"]


@pytest.mark.parametrize(
    "tool",
    [
        {"type": "file_search"},
        {"type": "file_search", "vector_store_ids": []},
        {"type": "file_search", "vector_store_ids": [1]},
        {"type": "code_interpreter"},
    ],
)
async def test_a_hosted_tool_of_the_wrong_form_is_refused(client, tool):
    """A tool without what upstream requires of it is a 400 that names it."""
    with pytest.raises(openai.BadRequestError) as refused:
        await ask(client, "hi", [tool])

    assert refused.value.param.startswith("tools[0]")


FORM = "multipart/form-data; boundary=x"
PURPOSE = b'--x\r\nContent-Disposition: form-data; name="purpose"\r\n\r\n%b\r\n--x--\r\n'


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("application/json", b"{}"),
        (FORM, b"--x\r\nnonsense"),
        (FORM, b"--x\r\n\r\n--x--\r\n"),
        (FORM, PURPOSE % b"assistants"),
        (FORM, PURPOSE % b"lunch"),
    ],
)
async def test_a_broken_upload_is_refused(upstream, content_type, body):
    """A form that is none, is cut off or lacks a field is a 400, never a fault of the simulator."""
    headers = {"authorization": "Bearer sk-any", "content-type": content_type}
    async with httpx2.AsyncClient(base_url=upstream.base_url, headers=headers) as http:
        answer = await http.post("/files", content=body)

    assert answer.status_code == 400
    assert answer.json()["error"]["type"] == "invalid_request_error"


async def test_uploads_at_once_are_kept_apart(client):
    """Many uploads at once all land, each with its own content."""
    files = await asyncio.gather(*(upload(client, b"x" * n, f"{n}.txt") for n in range(1, 20)))

    assert {file.filename: file.bytes for file in files} == {f"{n}.txt": n for n in range(1, 20)}
