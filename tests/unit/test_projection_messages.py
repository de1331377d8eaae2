"""Stored messages as Assistants v2 objects."""

import json

import pytest
from openai.types.beta.threads import Message

from gateway.runs.projections.answer import responses
from gateway.runs.projections.assistants import AssistantsProjection
from gateway.runs.projections.dialect import CONVERSATION
from gateway.runs.projections.messages import message_page, texts
from gateway.store.model import Item
from tests.fakes import run_logs as logs
from tests.fakes.assistants_oracle import data
from tests.fakes.run_logs import START_MS, whole

START = START_MS // 1000
REFUSED = {"type": "refusal", "refusal": "I can't."}
CONTENTS = {
    "one text": [logs.output_text("Hi")],
    "two texts": [logs.output_text("One."), logs.output_text("Two.")],
    "refusal": [REFUSED],
    "text after refusal": [REFUSED, logs.output_text("But.")],
    "annotations": [
        logs.output_text("See.", logs.CITATION, logs.URL, logs.CONTAINER, logs.CITATION)
    ],
    "nothing": [],
    "unknown part": [{"type": "new"}, logs.output_text("Hi")],
}


def stored(item: dict, **changes) -> Item:
    """An item as the store keeps it."""
    fields = {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "created_at": START,
        "completed_at": START,
        "run_id": "run_1",
        "assistant_id": "asst_acme_default",
        "payload": json.dumps(item).encode(),
    }
    return Item(**fields | changes)


def page(*items: Item, has_more: bool = False) -> dict:
    """A page of messages, decoded."""
    return json.loads(message_page(items, "thread_1", has_more=has_more))


def streamed(*events, end=None) -> dict:
    """The last word of a stream on its only message."""
    frames = AssistantsProjection(CONVERSATION).feed(START_MS, whole(*events, end=end))
    ends = ("thread.message.completed", "thread.message.incomplete")
    return next(data(frame) for frame in frames if frame.name in ends)


@pytest.mark.parametrize("name", CONTENTS)
def test_a_stored_message_is_the_one_that_was_streamed(name):
    """History shows the object that ``thread.message.completed`` showed."""
    item = logs.spoken(*CONTENTS[name])
    told = streamed(logs.done(0, **item))

    (kept,) = page(stored(item, id=told["id"]))["data"]

    assert kept == told
    Message.model_validate(kept)


def test_an_annotation_is_kept_once():
    """Those that the Assistants API knows stand in their order, a repeated one once."""
    (kept,) = page(stored(logs.spoken(*CONTENTS["annotations"])))["data"]

    notes = kept["content"][0]["text"]["annotations"]
    assert [note["type"] for note in notes] == ["file_citation", "file_path"]


@pytest.mark.parametrize(
    ("reason", "end"),
    [
        ("max_tokens", logs.ended("incomplete", reason="max_output_tokens")),
        ("run_cancelled", logs.ended("cancelled")),
    ],
)
def test_an_incomplete_message_is_kept_as_it_was_streamed(reason, end):
    """History says why a message stopped, in the words of its stream."""
    told = streamed(logs.text(0, "It "), logs.text(0, "is"), end=end)
    item = logs.spoken(logs.output_text("It is"))

    changes = {"status": "incomplete", "incomplete_reason": reason, "completed_at": None}
    (kept,) = page(stored(item, id=told["id"], **changes))["data"]

    assert kept == told


def test_a_users_message_has_no_run():
    """What a client said is shown with its text, its role and its metadata."""
    item = {"role": "user", "content": [{"type": "input_text", "text": "Hello"}]}

    changes = {"role": "user", "run_id": None, "assistant_id": None, "metadata": {"k": "v"}}
    (kept,) = page(stored(item, **changes))["data"]

    assert kept["content"] == [{"type": "text", "text": {"value": "Hello", "annotations": []}}]
    assert (kept["role"], kept["run_id"], kept["metadata"]) == ("user", None, {"k": "v"})
    Message.model_validate(kept)


def test_a_page_names_its_first_and_last_message():
    """A page is a list as OpenAI's API has them."""
    item = logs.spoken(logs.output_text("Hi"))
    listed = page(stored(item, id="msg_b"), stored(item, id="msg_a"), has_more=True)

    assert list(listed) == ["object", "data", "first_id", "last_id", "has_more"]
    assert (listed["object"], listed["has_more"]) == ("list", True)
    assert (listed["first_id"], listed["last_id"]) == ("msg_b", "msg_a")


def test_an_empty_page_names_no_message():
    """There is nothing to go on from."""
    listed = {"object": "list", "data": [], "first_id": None, "last_id": None, "has_more": False}

    assert page() == listed


def test_an_answer_has_a_string_for_each_text():
    """Of all messages of the assistant in a run, in order; a refusal is told too."""
    said = [
        stored({"content": [{"type": "input_text", "text": "Hello"}]}, role="user"),
        stored(logs.spoken(logs.output_text("One."), logs.output_text("Two."))),
        stored(logs.called("call_a", "weather", "{}"), type="function_call", role=None),
        stored(logs.spoken()),
        stored(logs.spoken(REFUSED)),
    ]

    assert responses(said) == ["One.", "Two.", "I can't."]
    assert texts(said[0]) == ["Hello"]
