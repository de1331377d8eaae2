"""The request of ``POST /v1/responses``, read into a conversation."""

from collections.abc import Sequence
from typing import Any, Literal, TypeAlias

import attrs
import msgspec

from gateway.simulator import directives, reading
from gateway.simulator.conversation import (
    Calling,
    Conversation,
    Entry,
    Function,
    tokens,
)
from gateway.simulator.errors import RefusedError
from gateway.simulator.hosted import read_files, runs_code
from gateway.simulator.responses_items import check, read_items, text_of_entry, with_said
from gateway.simulator.shelf import Shelf

_LEAST_TOKENS = 16  # OpenAI's API reference: `max_output_tokens` is at least 16
_HOSTED_CHOICES_TEXT = (
    "file_search web_search_preview computer computer_use_preview computer_use "
    "web_search_preview_2025_03_11 image_generation code_interpreter shell apply_patch "
    "programmatic_tool_calling"
)
_HOSTED_CHOICES = frozenset(_HOSTED_CHOICES_TEXT.split())


class FunctionTool(msgspec.Struct, tag="function", tag_field="type"):
    """A function on offer, in the order and with the defaults that OpenAI echoes."""

    name: str
    description: str | None = None
    parameters: dict[str, Any] | None = None
    strict: bool | None = True


class NamedChoice(msgspec.Struct, tag="function", tag_field="type"):
    """The one function to call."""

    name: str


class AllowedChoice(msgspec.Struct, tag="allowed_tools", tag_field="type"):
    """The functions to choose from."""

    mode: Literal["auto", "required"]
    tools: list[dict[str, Any]]


class Reasoning(msgspec.Struct):
    """How a reasoning model is to think."""

    effort: Literal["none", "minimal", "low", "medium", "high", "xhigh", "max"] | None = None
    summary: Literal["auto", "concise", "detailed"] | None = None


class PlainFormat(msgspec.Struct, tag="text", tag_field="type"):
    """An answer in plain text."""


class ObjectFormat(msgspec.Struct, tag="json_object", tag_field="type"):
    """An answer that is some JSON object."""


class SchemaFormat(msgspec.Struct, tag="json_schema", tag_field="type", omit_defaults=True):
    """An answer of a JSON Schema."""

    name: str
    schema: dict[str, Any]
    description: str | None = None
    strict: bool | None = None


Format: TypeAlias = PlainFormat | ObjectFormat | SchemaFormat


class TextConfig(msgspec.Struct):
    """The form of the text."""

    format: Format = msgspec.field(default_factory=PlainFormat)
    verbosity: Literal["low", "medium", "high"] | None = "medium"


class Body(msgspec.Struct):
    """The request's body; fields that are not here are tolerated."""

    model: str
    input: str | list[dict[str, Any]] = ""
    instructions: str | None = None
    tools: list[dict[str, Any]] | None = None
    tool_choice: Literal["auto", "none", "required"] | dict[str, Any] | None = "auto"
    parallel_tool_calls: bool | None = True
    stream: bool | None = False
    store: bool | None = True
    include: list[str] | None = None
    temperature: float | None = 1.0
    top_p: float | None = 1.0
    max_output_tokens: int | None = None
    metadata: dict[str, str] | None = None
    text: TextConfig | None = None
    reasoning: Reasoning | None = None
    previous_response_id: str | None = None
    prompt_cache_key: str | None = None
    safety_identifier: str | None = None
    truncation: Literal["auto", "disabled"] | None = "disabled"
    user: str | None = None


@attrs.frozen(eq=False)
class Request:
    """A request that may be answered.

    Args:
        body: as it came, for what a response echoes.
        tools: as a response echoes them.
    """

    body: Body
    tools: Sequence[FunctionTool | dict[str, Any]]
    conversation: Conversation


_decoder = msgspec.json.Decoder(Body)


def read(raw: bytes, shelf: Shelf) -> Request:
    """Read and check a request.

    Args:
        raw: its body.
        shelf: the vector stores that it may name.

    Raises:
        RefusedError: as OpenAI refuses it.
    """
    body = reading.decode(_decoder, raw)
    if body.max_output_tokens is not None and body.max_output_tokens < _LEAST_TOKENS:
        raise reading.below("max_output_tokens", _LEAST_TOKENS, body.max_output_tokens)
    if body.previous_response_id:
        raise _no_previous(body.previous_response_id)
    tools = [_tool(tool, index) for index, tool in enumerate(body.tools or [])]
    entries = read_items(body.input)
    check(entries)
    given = body.tools or []
    conversation = attrs.evolve(
        _conversation(body, tools, entries),
        files=read_files(given, shelf),
        runs_code=runs_code(given),
        demanded=_demanded(body.tool_choice),
    )
    return Request(body, tools, conversation)


def _conversation(
    body: Body, tools: Sequence[FunctionTool | dict[str, Any]], entries: tuple[Entry, ...]
) -> Conversation:
    entries, script = with_said(entries, directives.of_model(body.model))
    offered = tuple(_function(tool) for tool in tools if isinstance(tool, FunctionTool))
    functions, calling = _chosen(offered, body.tool_choice or "auto")
    said = [body.instructions or "", *map(text_of_entry, entries)]
    return Conversation(
        model=body.model,
        instructions=body.instructions or "",
        entries=entries,
        functions=functions,
        calling=calling,
        parallel=body.parallel_tool_calls is not False,
        script=script,
        schema=_schema(body.text),
        max_tokens=body.max_output_tokens,
        prompt_tokens=sum(map(tokens, said)) + sum(map(_tool_tokens, tools)),
    )


def _tool(tool: dict[str, Any], index: int) -> FunctionTool | dict[str, Any]:
    if not isinstance(tool.get("type"), str):
        raise reading.missing(f"tools[{index}].type")
    if tool["type"] != "function":
        return tool
    return reading.convert(tool, FunctionTool, f"tools[{index}]")


def _tool_tokens(tool: FunctionTool | dict[str, Any]) -> int:
    if not isinstance(tool, FunctionTool):
        return 1
    return tokens(tool.name + (tool.description or "")) + len(tool.parameters or {})


def _function(tool: FunctionTool) -> Function:
    return Function(tool.name, tool.description or "", tool.parameters or {})


def _chosen(
    offered: tuple[Function, ...], choice: str | dict[str, Any]
) -> tuple[tuple[Function, ...], Calling]:
    """The functions that a tool choice leaves, and whether they are called."""
    if isinstance(choice, str):
        return offered, Calling(choice)
    if choice.get("type") == "function":
        named = reading.convert(choice, NamedChoice, "tool_choice")
        return _named(offered, {named.name}), Calling.REQUIRED
    if choice.get("type") == "allowed_tools":
        allowed = reading.convert(choice, AllowedChoice, "tool_choice")
        names = {tool["name"] for tool in allowed.tools if isinstance(tool.get("name"), str)}
        return _named(offered, names), Calling(allowed.mode)
    if str(choice.get("type")) not in _HOSTED_CHOICES:
        raise reading.unsupported("tool_choice.type", choice.get("type"))
    return offered, Calling.AUTO


def _demanded(choice: str | dict[str, Any] | None) -> str:
    """The type of the hosted tool that a tool choice names; empty where it names none."""
    kind = str(choice.get("type")) if isinstance(choice, dict) else ""
    return kind if kind in _HOSTED_CHOICES else ""


def _named(offered: tuple[Function, ...], names: set[str]) -> tuple[Function, ...]:
    absent = names - {function.name for function in offered}
    if absent:
        raise RefusedError(
            400,
            f"Tool choice '{min(absent)}' not found in 'tools' parameter.",
            param="tool_choice",
        )
    return tuple(function for function in offered if function.name in names)


def _schema(text: TextConfig | None) -> dict[str, Any] | None:
    if text is None or isinstance(text.format, PlainFormat):
        return None
    return text.format.schema if isinstance(text.format, SchemaFormat) else {"type": "object"}


def _no_previous(response_id: str) -> RefusedError:
    return RefusedError(
        400,
        f"Previous response with id '{response_id}' not found.",
        code="previous_response_not_found",
        param="previous_response_id",
    )
