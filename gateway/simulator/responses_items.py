"""The items of a Responses request: reading them, and the rules that they must keep."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import attrs
import msgspec

from gateway.simulator import reading
from gateway.simulator.conversation import (
    Entry,
    FunctionCall,
    FunctionOutput,
    Message,
    Other,
    Thought,
)
from gateway.simulator.directives import Script, Setting, split
from gateway.simulator.errors import RefusedError

ENCRYPTED_PREFIX = "gAAAAABsim"
_OUR_IDS = ("msg_", "rs_", "fc_")
_OTHER_TYPES_TEXT = (
    "file_search_call web_search_call computer_call computer_call_output program program_output "
    "tool_search_call tool_search_output additional_tools compaction compaction_trigger "
    "image_generation_call code_interpreter_call local_shell_call local_shell_call_output "
    "shell_call shell_call_output apply_patch_call apply_patch_call_output mcp_call "
    "mcp_list_tools mcp_approval_request mcp_approval_response custom_tool_call "
    "custom_tool_call_output exec"
)
_OTHER_TYPES = frozenset(_OTHER_TYPES_TEXT.split())


class _Message(msgspec.Struct):
    role: str
    content: str | list[dict[str, Any]]


class _Call(msgspec.Struct):
    call_id: str
    name: str
    arguments: str


class _Output(msgspec.Struct):
    call_id: str
    output: str | list[dict[str, Any]]


class _Reasoning(msgspec.Struct):
    summary: list[dict[str, Any]]
    id: str = ""
    encrypted_content: str | None = None


def read_items(given: str | Sequence[Mapping[str, Any]]) -> tuple[Entry, ...]:
    """Read a request's ``input``.

    Raises:
        RefusedError: 400; an item is not of its form. 404; it names a stored one.
    """
    if isinstance(given, str):
        return (Message("user", given),) if given else ()
    return tuple(_entry(item, f"input[{index}]") for index, item in enumerate(given))


def _entry(item: Mapping[str, Any], param: str) -> Entry:
    kind = _kind(item, param)
    _refuse_stored(item, kind)
    match kind:
        case "message":
            return _message(reading.convert(item, _Message, param), param)
        case "function_call":
            call = reading.convert(item, _Call, param)
            return FunctionCall(call.call_id, call.name, call.arguments)
        case "function_call_output":
            output = reading.convert(item, _Output, param)
            return FunctionOutput(output.call_id, _text(output.output))
        case "reasoning":
            thought = reading.convert(item, _Reasoning, param)
            return Thought(thought.id, thought.encrypted_content)
    if kind not in _OTHER_TYPES:
        raise reading.unsupported(f"{param}.type", kind)
    return Other(kind)


def _kind(item: Mapping[str, Any], param: str) -> str:
    """An item's type, which messages and references may leave out."""
    default = "message" if "role" in item else "item_reference" if "id" in item else None
    kind = item.get("type") or default
    if kind is None:
        raise reading.missing(f"{param}.type")
    return str(kind)


def _message(message: _Message, param: str) -> Message:
    if message.role not in ("user", "assistant", "system", "developer"):
        raise reading.unsupported(f"{param}.role", message.role)
    parts = message.content if isinstance(message.content, list) else []
    images = sum(part.get("type") == "input_image" for part in parts)
    return Message(message.role, _text(message.content), images)


def _text(content: str | Sequence[Mapping[str, Any]]) -> str:
    """The text of a content, whether one string or parts."""
    if isinstance(content, str):
        return content
    texts = (part.get("text") or part.get("refusal") for part in content)
    return "\n".join(text for text in texts if isinstance(text, str))


def _refuse_stored(item: Mapping[str, Any], kind: str) -> None:
    """Nothing is stored here, so an item that is named by its id is not found."""
    item_id = item.get("id")
    if kind != "item_reference" and not str(item_id).startswith(_OUR_IDS):
        return
    raise RefusedError(
        404,
        f"Item with id '{item_id}' not found. Items are not persisted when `store` is set to "
        "false. Try again with `store` set to true, or remove this item from your input.",
        param="input",
    )


def check(entries: Sequence[Entry]) -> None:
    """Check the rules between items.

    Raises:
        RefusedError: 400; reasoning that cannot be read or is cut off from what follows it, a
            call without its output, an output without its call.
    """
    for thought, follower in pairwise([*entries, None]):
        if isinstance(thought, Thought):
            _check_thought(thought, follower)
    open_calls: set[str] = set()
    for entry in entries:
        if isinstance(entry, FunctionCall):
            open_calls.add(entry.call_id)
        elif isinstance(entry, FunctionOutput) and entry.call_id not in open_calls:
            raise _no_call(entry.call_id)
    answered = {entry.call_id for entry in entries if isinstance(entry, FunctionOutput)}
    for entry in entries:
        if isinstance(entry, FunctionCall) and entry.call_id not in answered:
            raise _input(f"No tool output found for function call {entry.call_id}.")


def _check_thought(thought: Thought, follower: Entry | None) -> None:
    name = thought.id or "reasoning"
    if not thought.encrypted_content:
        raise _input(f"Item '{name}' of type 'reasoning' was provided without encrypted content.")
    if not thought.encrypted_content.startswith(ENCRYPTED_PREFIX):
        raise RefusedError(
            400,
            f"The encrypted content for item {name} could not be verified.",
            code="invalid_encrypted_content",
        )
    said = isinstance(follower, Message) and follower.role == "assistant"
    if not said and not isinstance(follower, FunctionCall | Thought | Other):
        raise _input(
            f"Item '{name}' of type 'reasoning' was provided without its required following item."
        )


def _no_call(call_id: str) -> RefusedError:
    return _input(f"No tool call found for function call output with call_id {call_id}.")


def _input(message: str) -> RefusedError:
    return RefusedError(400, message, param="input")


def with_said(entries: tuple[Entry, ...], settings: Setting) -> tuple[tuple[Entry, ...], Script]:
    """Take the directives out of what the user said.

    Args:
        entries: the conversation.
        settings: those of the model's name; the newest message's go before them.

    Returns:
        The conversation without directives, and the script.
    """
    cleaned: list[Entry] = []
    newest: Setting = {}
    for entry in entries:
        if isinstance(entry, Message) and entry.role == "user":
            text, newest = split(entry.text)
            cleaned.append(attrs.evolve(entry, text=text))
        else:
            cleaned.append(entry)
    return tuple(cleaned), Script(**{**settings, **newest})


def text_of_entry(entry: Entry) -> str:
    """The text of an entry, for counting its tokens."""
    match entry:
        case Message(text=text) | FunctionOutput(text=text):
            return text
        case FunctionCall(name=name, arguments=arguments):
            return name + arguments
        case _:
            return ""
