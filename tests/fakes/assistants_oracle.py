"""The rules of a stream of Assistants v2 events, as OpenAI's SDK and API description have them."""

import typing
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
from openai import BaseModel
from openai.types.beta import AssistantStreamEvent

from gateway.runs.projections.frames import Frame

_MODELS = {
    typing.get_args(model.model_fields["event"].annotation)[0]: model
    for model in typing.get_args(typing.get_args(AssistantStreamEvent)[0])
}
# Nullable is not optional: `required` in OpenAI's API description.
_REQUIRED = {
    "thread.run": """id object created_at thread_id assistant_id status required_action last_error
        expires_at started_at cancelled_at failed_at completed_at model instructions tools metadata
        usage incomplete_details max_prompt_tokens max_completion_tokens truncation_strategy
        tool_choice parallel_tool_calls response_format""",
    "thread.run.step": """id object created_at assistant_id thread_id run_id type status
        step_details last_error expired_at cancelled_at failed_at completed_at metadata usage""",
    "thread.message": """id object created_at thread_id status incomplete_details completed_at
        incomplete_at role content assistant_id run_id attachments metadata""",
}
_OURS = {"FileCitation.filename", "FilePath.filename"}
"""What OpenAI's API leaves out; documented in docs/knowledge.md."""
_ENDS = ("completed", "failed", "incomplete", "cancelled", "expired")
TERMINAL = {f"thread.run.{end}" for end in _ENDS}


def names(frames: Iterable[Frame]) -> list[str]:
    """Their names without ``thread.``."""
    return [frame.name.removeprefix("thread.") for frame in frames]


def data(frame: Frame) -> Any:
    """Its object."""
    return msgspec.json.decode(frame.data)


def validate(frame: Frame) -> None:
    """Hold one frame against the SDK's types, with no field missing and none that is unknown."""
    thing = data(frame)
    model = _MODELS[frame.name].model_validate({"event": frame.name, "data": thing})
    assert not _unknown(model), frame
    missing = set(_REQUIRED.get(thing["object"], "").split()) - thing.keys()
    assert not missing, (frame.name, missing)


def _unknown(value: object) -> list[str]:
    if isinstance(value, list):
        return [name for entry in value for name in _unknown(entry)]
    if not isinstance(value, BaseModel):
        return []
    extra = [f"{type(value).__name__}.{name}" for name in value.model_extra or {}]
    extra = [name for name in extra if name not in _OURS]
    return extra + [
        name for key in value.model_fields_set for name in _unknown(getattr(value, key))
    ]


def check(frames: Sequence[Frame], *, exact: bool = True) -> None:
    """Hold a whole run's frames against the types and the rules of their order.

    Args:
        frames: from the first to the last.
        exact: whether the upstream's last word on a text agrees with its deltas.
    """
    for frame in frames:
        validate(frame)
    told = names(frames)
    assert told[:2] == ["run.created", "run.queued"]
    assert [frame.name in TERMINAL for frame in frames] == [False] * (len(frames) - 1) + [True]
    if told[-1] == "run.cancelled":
        assert told.count("run.cancelling") == 1
    _check_messages(frames, exact=exact)
    _check_steps(frames, exact=exact)


def _check_messages(frames: Sequence[Frame], *, exact: bool) -> None:
    """Each message is begun before its deltas and ends once, with all that was streamed."""
    open_parts: dict[str, dict[int, Any]] = {}
    begun: set[str] = set()
    for frame in frames:
        thing = data(frame)
        match frame.name.removeprefix("thread.message."):
            case "created":
                assert thing["id"] not in begun
                assert thing["content"] == []
                begun.add(thing["id"])
                open_parts[thing["id"]] = {}
            case "delta":
                for block in thing["delta"]["content"]:
                    _add_delta(open_parts[thing["id"]], block)
            case "completed" | "incomplete":
                streamed = open_parts.pop(thing["id"])
                parts = [streamed[index] for index in range(len(streamed))]
                told = _whole if exact else _type
                assert list(map(told, parts)) == list(map(told, thing["content"])) != []
    assert not open_parts


def _type(thing: dict[str, Any]) -> Any:
    return thing["type"], thing.get("id")


def _whole(part: dict[str, Any]) -> Any:
    """A part without the order of its annotations, which may come out of order."""
    if part["type"] == "refusal":
        return part
    notes = sorted(part["text"]["annotations"], key=str)
    return {"type": "text", "text": {**part["text"], "annotations": notes}}


def _add_delta(parts: dict[int, Any], block: dict[str, Any]) -> None:
    """Add a delta as clients do; a new part follows the last one."""
    index, kind = block["index"], block["type"]
    if kind == "refusal":
        part = parts.setdefault(index, {"type": kind, "refusal": ""})
        part["refusal"] += block["refusal"]
    else:
        part = parts.setdefault(index, {"type": kind, "text": {"value": "", "annotations": []}})
        part["text"]["value"] += block["text"]["value"]
        for note in block["text"].get("annotations", []):
            assert note.pop("index") == len(part["text"]["annotations"])
            part["text"]["annotations"].append(note)
    assert index < len(parts)
    assert part["type"] == kind


def _check_steps(frames: Sequence[Frame], *, exact: bool) -> None:
    """Each step is begun before its deltas, which add up to its end, and ends once."""
    open_calls: dict[str, list[Any]] = {}
    begun: set[str] = set()
    for frame in frames:
        thing = data(frame)
        match frame.name.removeprefix("thread.run.step."):
            case "created":
                assert thing["id"] not in begun
                begun.add(thing["id"])
                open_calls[thing["id"]] = []
            case "delta":
                for call in thing["delta"]["step_details"]["tool_calls"]:
                    _add_call(open_calls[thing["id"]], call)
            case "completed" | "failed" | "cancelled" | "expired":
                streamed = open_calls.pop(thing["id"])
                final = thing["step_details"].get("tool_calls", [])
                told = _inputs if exact else _type
                assert list(map(told, streamed)) == list(map(told, final))
    assert not open_calls


def _add_call(calls: list[Any], news: dict[str, Any]) -> None:
    index = news.pop("index")
    if index == len(calls):
        assert news["id"]
        calls.append(news)
        return
    part, kind = calls[index], news["type"]
    assert "id" not in news
    for key, value in news[kind].items():
        had = part[kind].get(key)
        part[kind][key] = had + value if isinstance(had, str) else value


def _inputs(call: dict[str, Any]) -> Any:
    """What deltas tell of a call: all but outputs, which may come with its end."""
    if call["type"] == "function":
        return call["id"], call["function"]["name"], call["function"]["arguments"]
    return call["id"], call["type"], call.get("code_interpreter", {}).get("input")
