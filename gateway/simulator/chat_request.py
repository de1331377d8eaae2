"""The request of ``POST /v1/chat/completions``, read into a conversation."""

from collections.abc import Sequence
from typing import Any, Literal

import attrs
import msgspec

from gateway.simulator import directives, reading
from gateway.simulator.conversation import (
    Calling,
    Conversation,
    Entry,
    Function,
    FunctionCall,
    FunctionOutput,
    Message,
    tokens,
)
from gateway.simulator.errors import RefusedError
from gateway.simulator.responses_items import text_of_entry, with_said

_ROLES = ("user", "assistant", "system", "developer")


class CalledFunction(msgspec.Struct):
    """A call as an assistant's message repeats it."""

    name: str
    arguments: str


class ToolCall(msgspec.Struct):
    """One of an assistant's calls."""

    id: str
    function: CalledFunction


class ChatMessage(msgspec.Struct):
    """One message."""

    role: str
    content: str | list[dict[str, Any]] | None = None
    tool_calls: list[ToolCall] | None = None
    tool_call_id: str | None = None


class OfferedFunction(msgspec.Struct):
    """A function on offer."""

    name: str
    description: str | None = None
    parameters: dict[str, Any] | None = None


class Tool(msgspec.Struct):
    """A tool on offer; those without a function are tolerated."""

    type: str
    function: OfferedFunction | None = None


class JsonSchema(msgspec.Struct):
    """A structured answer's schema."""

    name: str
    schema: dict[str, Any] | None = None


class ResponseFormat(msgspec.Struct):
    """The form of the text."""

    type: Literal["text", "json_object", "json_schema"]
    json_schema: JsonSchema | None = None


class StreamOptions(msgspec.Struct):
    """What a stream carries besides."""

    include_usage: bool | None = False


class Body(msgspec.Struct):
    """The request's body; fields that are not here are tolerated."""

    model: str
    messages: list[ChatMessage]
    tools: list[Tool] | None = None
    tool_choice: Literal["auto", "none", "required"] | dict[str, Any] | None = None
    parallel_tool_calls: bool | None = True
    stream: bool | None = False
    stream_options: StreamOptions | None = None
    max_tokens: int | None = None
    max_completion_tokens: int | None = None
    response_format: ResponseFormat | None = None
    prompt_cache_key: str | None = None


@attrs.frozen(eq=False)
class Request:
    """A request that may be answered."""

    body: Body
    conversation: Conversation


_decoder = msgspec.json.Decoder(Body)


def read(raw: bytes) -> Request:
    """Read and check a request.

    Raises:
        RefusedError: as OpenAI refuses it.
    """
    body = reading.decode(_decoder, raw)
    if not body.messages:
        raise RefusedError(
            400,
            "Invalid 'messages': empty array. Expected an array with minimum length 1, but got an "
            "empty array instead.",
            code="empty_array",
            param="messages",
        )
    limit = body.max_completion_tokens or body.max_tokens
    if limit is not None and limit < 1:
        raise reading.below("max_tokens", 1, limit)
    _check(body.messages)
    entries, script = with_said(_entries(body.messages), directives.of_model(body.model))
    functions, calling = _chosen(_offered(body.tools or ()), body.tool_choice)
    conversation = Conversation(
        model=body.model,
        instructions="",
        entries=entries,
        functions=functions,
        calling=calling,
        parallel=body.parallel_tool_calls is not False,
        script=script,
        schema=_schema(body.response_format),
        max_tokens=limit,
        prompt_tokens=sum(tokens(text_of_entry(entry)) for entry in entries),
    )
    return Request(body, conversation)


def _entries(messages: Sequence[ChatMessage]) -> tuple[Entry, ...]:
    return tuple(entry for message in messages for entry in _entries_of(message))


def _entries_of(message: ChatMessage) -> list[Entry]:
    parts = message.content if isinstance(message.content, list) else []
    texts = [part.get("text") or part.get("refusal") for part in parts]
    text = "\n".join(text for text in texts if isinstance(text, str))
    text = message.content if isinstance(message.content, str) else text
    if message.role == "tool":
        return [FunctionOutput(message.tool_call_id or "", text)]
    calls: list[Entry] = [
        FunctionCall(call.id, call.function.name, call.function.arguments)
        for call in message.tool_calls or ()
    ]
    images = sum(part.get("type") == "image_url" for part in parts)
    return calls if calls and not text else [Message(message.role, text, images), *calls]


def _check(messages: Sequence[ChatMessage]) -> None:
    """Each call is answered right after it, and nothing else is."""
    open_calls: list[str] = []
    for index, message in enumerate(messages):
        if message.role == "tool":
            if message.tool_call_id not in open_calls:
                raise _unasked(index)
            open_calls.remove(message.tool_call_id)
        elif message.role not in _ROLES:
            raise reading.unsupported(f"messages[{index}].role", message.role)
        else:
            _check_answered(open_calls)
            open_calls = [call.id for call in message.tool_calls or ()]
    _check_answered(open_calls)


def _check_answered(open_calls: Sequence[str]) -> None:
    if open_calls:
        raise RefusedError(
            400,
            "An assistant message with 'tool_calls' must be followed by tool messages responding "
            "to each 'tool_call_id'. The following tool_call_ids did not have response messages: "
            + ", ".join(open_calls),
            param="messages",
        )


def _unasked(index: int) -> RefusedError:
    return RefusedError(
        400,
        "Invalid parameter: messages with role 'tool' must be a response to a preceeding message "
        "with 'tool_calls'.",
        param=f"messages.[{index}].role",
    )


def _offered(tools: Sequence[Tool]) -> tuple[Function, ...]:
    functions = [tool.function for tool in tools if tool.function is not None]
    return tuple(
        Function(function.name, function.description or "", function.parameters or {})
        for function in functions
    )


def _chosen(
    offered: tuple[Function, ...], choice: str | dict[str, Any] | None
) -> tuple[tuple[Function, ...], Calling]:
    if not isinstance(choice, dict):
        return offered, Calling(choice or "auto")
    function = choice.get("function")
    name = function.get("name") if isinstance(function, dict) else None
    named = tuple(function for function in offered if function.name == name)
    if choice.get("type") != "function" or not named:
        raise RefusedError(
            400, f"Tool choice '{name}' not found in 'tools' parameter.", param="tool_choice"
        )
    return named, Calling.REQUIRED


def _schema(form: ResponseFormat | None) -> dict[str, Any] | None:
    if form is None or form.type == "text":
        return None
    return (form.json_schema.schema if form.json_schema else None) or {"type": "object"}
