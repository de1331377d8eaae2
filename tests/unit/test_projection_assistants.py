"""Runs in the vocabulary of the Assistants API."""

import pytest

from gateway.runs import lifecycle
from gateway.runs.ids import derived_id, item_ordinal
from gateway.runs.lifecycle import RoundAnswered, ToolOutput
from gateway.runs.projections.assistants import AssistantsProjection
from gateway.runs.projections.dialect import API, CONVERSATION
from gateway.runs.projections.frames import Frame
from tests.fakes import run_logs as logs
from tests.fakes.assistants_oracle import check, data, names
from tests.fakes.projected import ENDINGS, project
from tests.fakes.run_logs import LOGS, START_MS, exposed, recorded, whole

MESSAGE = ["run.step.created", "run.step.in_progress", "message.created", "message.in_progress"]
STARTED = ["run.created", "run.queued", "run.in_progress"]
TOOLS = ["run.step.created", "run.step.in_progress", "run.step.delta"]
SPOKEN = ["message.completed", "run.step.completed"]


def last(frames: list[Frame], name: str) -> dict:
    """The object of the last frame of that name."""
    return [data(frame) for frame in frames if frame.name == f"thread.{name}"][-1]


@pytest.mark.parametrize("dialect", [CONVERSATION, API])
@pytest.mark.parametrize("name", LOGS)
def test_every_log_makes_frames_that_keep_the_rules(name, dialect):
    """Whatever servers send, each object is valid and the order is the Assistants API's."""
    check(project(LOGS[name], dialect))
    check(project(exposed(LOGS[name]), dialect))


@pytest.mark.parametrize("reason", ENDINGS)
@pytest.mark.parametrize("name", LOGS)
def test_a_log_may_be_cut_anywhere(name, reason):
    """Wherever a run ends and however, what is open is closed."""
    for cut in range(1, len(LOGS[name])):
        check(project([*exposed(LOGS[name])[:cut], ENDINGS[reason]]))


def test_recordings_are_shown_whole(shared_folder):
    """Every recorded stream keeps the rules and tells the text of its last event."""
    paths = sorted((shared_folder / "recordings").glob("*.sse"))

    assert paths
    for path in paths:
        events = recorded(path)
        frames = project(whole(events))
        check(frames)
        assert _texts(frames) == _output_texts(events), path.name


def _texts(frames):
    parts = (p for f in frames if f.name == "thread.message.completed" for p in data(f)["content"])
    return [part["text"]["value"] for part in parts]


def _output_texts(events):
    items = [logs.decode_item(raw) for raw in events[-1].body.response.output]
    parts = (part for item in items if item["type"] == "message" for part in item["content"])
    return [part["text"] for part in parts]


ORDER = {
    "text": [*STARTED, *MESSAGE, *["message.delta"] * 3, *SPOKEN, "run.completed"],
    "background": [*STARTED, *MESSAGE, "message.delta", *SPOKEN, "run.completed"],
    "unstreamed": [
        *[*STARTED, *MESSAGE, "message.delta", "message.delta", "message.delta", *SPOKEN],
        *[*TOOLS, "run.requires_action", "run.step.completed", "run.queued", "run.in_progress"],
        *[*MESSAGE, "message.delta", *SPOKEN, "run.completed"],
    ],
    "parallel tools": [
        *[*STARTED, *TOOLS, "run.step.delta", "run.requires_action", "run.step.completed"],
        *["run.queued", "run.in_progress", *MESSAGE, "message.delta", "message.delta"],
        *[*SPOKEN, "run.completed"],
    ],
    "code interpreter": [
        *[*STARTED, *TOOLS, "run.step.completed", *MESSAGE, "message.delta", *SPOKEN],
        "run.completed",
    ],
    "never done": [
        *[*STARTED, *MESSAGE, "message.delta", *TOOLS, *TOOLS],
        *[*SPOKEN, "run.step.completed", "run.requires_action", "run.step.completed"],
        *["run.queued", "run.completed"],
    ],
    "failed tool": [*STARTED, *TOOLS, "run.step.failed", "run.completed"],
    "no parts": [*STARTED, *MESSAGE, "message.delta", *SPOKEN, "run.completed"],
    "too long": [
        *[*STARTED, *MESSAGE, "message.delta", "message.delta", "message.incomplete"],
        *["run.step.completed", "run.incomplete"],
    ],
    "failed": [
        *[*STARTED, *MESSAGE, "message.delta", "message.delta", "message.incomplete"],
        *["run.step.failed", "run.failed"],
    ],
    "failed at once": ["run.created", "run.queued", "run.failed"],
    "cancelled": [
        *[*STARTED, *MESSAGE, "message.delta", "message.delta", "run.cancelling", "message.delta"],
        *["message.incomplete", "run.step.cancelled", "run.cancelled"],
    ],
    "cancelled in a call": [
        *[*STARTED, *TOOLS, "run.cancelling", "run.step.cancelled", "run.cancelled"],
    ],
    "expired": [
        *[*STARTED, *MESSAGE, "message.delta", "message.delta", "message.incomplete"],
        *["run.step.expired", "run.expired"],
    ],
}


@pytest.mark.parametrize("name", ORDER)
def test_the_order_of_frames(name):
    """A conversation's frames come in the order of the Assistants API."""
    assert names(project(LOGS[name])) == ORDER[name]


def test_the_gateways_functions_do_not_stop_a_run_of_the_api():
    """Where the caller owns the assistant, the run is in progress throughout and all is shown."""
    frames = project(LOGS["parallel tools"], API)

    assert names(frames) == [
        *[*STARTED, *TOOLS, *["run.step.delta"] * 5, "run.step.completed"],
        *[*MESSAGE, "message.delta", "message.delta", *SPOKEN, "run.completed"],
    ]
    calls = last(frames[:12], "run.step.completed")["step_details"]["tool_calls"]
    assert [call["function"] for call in calls] == [
        {"name": "weather", "arguments": '{"city":"Oslo"}', "output": "cold"},
        {"name": "weather", "arguments": '{"city":"Rome"}', "output": "warm"},
    ]


def test_a_tenant_may_show_what_is_asked_of_its_functions():
    """With ``expose_tool_calls``, the passing ``requires_action`` names calls and arguments."""
    action = last(project(exposed(LOGS["parallel tools"])), "run.requires_action")

    calls = action["required_action"]["submit_tool_outputs"]["tool_calls"]
    assert [call["function"]["arguments"] for call in calls] == [
        '{"city":"Oslo"}',
        '{"city":"Rome"}',
    ]


@pytest.mark.parametrize(
    "name",
    ["parallel tools", "code interpreter", "file search", "web search", "mcp", "custom tool"],
)
def test_end_users_do_not_see_what_goes_through_tools(name):
    """Neither inputs nor outputs of any tool are in a conversation unless its tenant shows them."""
    secrets = [b"Oslo", b"cold", b"print(1)", b"1\\n", b"0.5", b'\\"q\\"', b'"ok"', b"HEY"]

    hidden = b"".join(frame.data for frame in project(LOGS[name]) if ".step" in frame.name)
    shown = b"".join(frame.data for frame in project(exposed(LOGS[name])))

    assert not any(secret in hidden for secret in secrets)
    assert any(secret in shown for secret in secrets)


def test_end_users_do_not_see_the_prompt():
    """Run objects carry neither instructions nor tools, and no required action."""
    runs = [data(f) for f in project(LOGS["parallel tools"]) if data(f)["object"] == "thread.run"]

    assert {run["instructions"] for run in runs} == {""}
    assert all(run["tools"] == [] and run["required_action"] is None for run in runs)


def test_upstreams_words_about_a_failure_are_not_repeated():
    """Only the run's own ending says why it failed, in codes that each object's type knows."""
    frames = project(LOGS["failed"])

    assert b"secret words" not in b"".join(frame.data for frame in frames)
    error = {"code": "invalid_prompt", "message": "It broke."}
    assert last(frames, "run.failed")["last_error"] == error
    assert last(frames, "run.step.failed")["last_error"] == {**error, "code": "server_error"}


@pytest.mark.parametrize("reason", [reason for reason in ENDINGS if reason != "completed"])
def test_an_incomplete_message_says_why(reason):
    """A message that is cut off carries the text so far and the reason."""
    frames = project([*LOGS["text"][:6], ENDINGS[reason]])

    message = last(frames, "message.incomplete")
    assert message["incomplete_details"] == {"reason": reason}
    assert message["content"][0]["text"]["value"] == "It is "


def test_a_content_filter_is_an_empty_detail_of_its_run():
    """The run's type knows no such reason, and null is not valid."""
    assert last(project(LOGS["filtered"]), "run.incomplete")["incomplete_details"] == {}
    details = last(project(LOGS["too long"]), "run.incomplete")["incomplete_details"]
    assert details == {"reason": "max_completion_tokens"}


def test_objects_are_shown_as_they_were_at_the_time():
    """What comes later is not in an earlier frame."""
    frames = project(exposed(LOGS["parallel tools"]))

    assert last(frames[:6], "run.step.created")["step_details"]["tool_calls"] == []
    first = data(frames[5])["delta"]["step_details"]["tool_calls"][0]
    assert first["function"] == {"name": "weather", "arguments": "", "output": None}
    assert last(frames, "message.created")["content"] == []
    assert last(frames, "run.queued")["usage"] is None


def test_ids_and_times_come_from_the_log():
    """Ids are derived from the run and the item's place; times are the batches', in seconds."""
    projection = AssistantsProjection(CONVERSATION)

    frames = [
        frame
        for at, entry in enumerate(LOGS["parallel tools"])
        for frame in projection.feed(START_MS + 1000 * at, [entry])
    ]

    message = last(frames, "message.completed")
    assert message["id"] == derived_id("msg", "run_1", item_ordinal(1, 0))
    step = next(data(frame) for frame in frames if frame.name == "thread.run.step.completed")
    assert step["id"] == derived_id("step", "run_1", item_ordinal(0, 0))
    calls = [call["id"] for call in step["step_details"]["tool_calls"]]
    assert calls == [derived_id("call", "run_1", item_ordinal(0, n)) for n in (0, 1)]
    start = START_MS // 1000
    assert (step["created_at"], step["completed_at"]) == (start + 2, start + 10)
    assert (message["created_at"], message["completed_at"]) == (start + 13, start + 16)
    run = last(frames, "run.completed")
    assert (run["created_at"], run["started_at"]) == (start, start + 1)
    assert run["completed_at"] == start + 18
    assert run["usage"] == {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}


def test_annotations_are_renumbered_and_shown_once():
    """Those that the Assistants API knows are numbered from 0; the end has them all."""
    frames = project(LOGS["file search"])

    blocks = [data(f)["delta"]["content"][0] for f in frames if f.name == "thread.message.delta"]
    notes = [note for block in blocks for note in block["text"].get("annotations", [])]
    assert [(note["index"], note["type"]) for note in notes] == [
        (0, "file_path"),
        (1, "file_citation"),
    ]
    place = {"text": "", "start_index": 5, "end_index": 5}
    final = last(frames, "message.completed")["content"][0]["text"]["annotations"]
    file = {"file_id": "file-1", "filename": "a.pdf"}
    assert final[0] == {"type": "file_citation", **place, "file_citation": file}
    assert final[1]["file_path"] == {"file_id": "cfile_1", "filename": "plot.png"}


def test_nothing_is_shown_twice():
    """A repeated item, and the whole output after its items, add nothing."""
    frames = project(exposed(LOGS["repeated"]))

    told = names(frames)
    assert told.count("message.created") == 1
    assert told.count("run.step.created") == 2
    assert len(last(frames, "run.step.completed")["step_details"]["tool_calls"]) == 1
    assert b"late" not in b"".join(frame.data for frame in frames)
    assert told.count("run.in_progress") == 1


def test_items_that_share_an_index_are_told_apart():
    """A server that gives every item the index 0 loses nothing, and no id repeats."""
    frames = project(exposed(LOGS["one index for all"]))

    assert _texts(frames) == ["a", "b"]
    step = last([f for f in frames if b"tool_calls" in f.data], "run.step.completed")
    outputs = [call["function"]["output"] for call in step["step_details"]["tool_calls"]]
    assert outputs == ["cold", "warm"]


def test_items_of_one_id_are_told_apart():
    """Each text ends in the message whose index it came under, in the order of the ends."""
    frames = project(LOGS["one id for all"])

    begun = [data(frame)["id"] for frame in frames if frame.name == "thread.message.created"]
    ended = [data(frame)["id"] for frame in frames if frame.name == "thread.message.completed"]
    assert ended == begun[::-1]
    assert _texts(frames) == ["b", "a"]


def test_items_without_an_id_are_told_apart():
    """An item that nobody announced does not end another one."""
    assert _texts(project(LOGS["no ids"])) == ["b", "a"]


def test_calls_of_one_id_are_answered_in_order():
    """A server that repeats a call's id gets each output where it belongs."""
    outputs = [ToolOutput("call_a", "cold"), ToolOutput("call_a", "warm"), ToolOutput("x", "lost")]
    round_answered = lifecycle.event(RoundAnswered(outputs))
    twice = [logs.done(n, **logs.called("call_a", "weather", "{}") | {"id": n}) for n in (0, 1)]

    frames = project(whole(twice, logs.completed(), round_answered), API)

    step = last(frames, "run.step.completed")
    answers = [call["function"]["output"] for call in step["step_details"]["tool_calls"]]
    assert answers == ["cold", "warm"]


def test_what_a_call_says_only_at_its_end_is_used():
    """A name and an id that come late are shown, and the output finds its call."""
    frames = project(exposed(LOGS["late name"]))

    (call,) = last(frames, "run.step.completed")["step_details"]["tool_calls"]
    assert call["function"] == {"name": "weather", "arguments": "{}", "output": "cold"}


def test_the_upstreams_last_word_on_a_text_stands():
    """A whole text that its deltas do not lead to is not streamed anew, and is what is kept."""
    item = logs.spoken(logs.output_text("Something else"))

    frames = project(whole(logs.text(0, "This"), logs.done(0, **item), logs.completed()))

    assert names(frames).count("message.delta") == 1
    assert _texts(frames) == ["Something else"]


def test_a_queued_response_does_not_start_its_run():
    """A background response that only waits leaves the run queued."""
    assert names(project([logs.head(), logs.created("queued")])) == ["run.created", "run.queued"]
    assert names(project([logs.head(), logs.created(None)])) == STARTED


def test_a_run_that_has_ended_does_not_expire():
    """A run's expiry is told while it works."""
    frames = project(LOGS["text"])

    assert last(frames, "run.in_progress")["expires_at"] == START_MS // 1000 + 600
    assert last(frames, "run.completed")["expires_at"] is None


def test_what_an_upstream_sends_only_once_it_is_done_is_shown_too():
    """Text and arguments that no delta brought come as one delta."""
    frames = project(exposed(LOGS["only the whole"]))

    assert _texts(frames) == ["Whole."]
    call = last(frames, "run.step.completed")["step_details"]["tool_calls"][0]
    assert call["function"] == {"name": "f", "arguments": "{}", "output": None}


def test_nothing_follows_the_end_and_nothing_precedes_the_head():
    """A projection is silent outside of its run."""
    projection = AssistantsProjection(CONVERSATION)

    assert projection.feed(START_MS, LOGS["text"][1:]) == []
    assert projection.feed(START_MS, LOGS["text"])
    assert projection.feed(START_MS, LOGS["text"]) == []
