"""The body and headers of a Responses call, mostly encoded once a revision."""

import re
from collections.abc import Mapping
from typing import Any
from weakref import WeakKeyDictionary

import attrs
import msgspec
import structlog

from gateway.engines.ports import Call
from tenants.compiled import Assistant

_log = structlog.get_logger()
_encoder = msgspec.json.Encoder()

# The o-series and gpt-5 onward reason; their "-chat" models do not. A prefix may name a vendor
# ("openai/gpt-6") or a fine-tuned model ("ft:o4-mini:…"). Nothing on the wire tells, and others'
# reasoning models neither encrypt their reasoning nor refuse a temperature.
_REASONING = re.compile(r"(?:.*/|ft:)?(?:o\d|gpt-(?:[5-9]|\d\d))(?!.*-chat)", re.IGNORECASE)

# What a hosted tool's item lacks unless it is asked for (API reference, "include").
_INCLUDED_WITH = {
    "file_search": "file_search_call.results",
    "code_interpreter": "code_interpreter_call.outputs",
    "web_search": "web_search_call.action.sources",
}

_STREAMED = b',"stream":true,"stream_options":{"include_obfuscation":false}'
_NO_CALLS = b',"tool_choice":"none"'


class _Tool(msgspec.Struct):
    type: str = ""


@attrs.frozen
class Preamble:
    """What every body of one assistant begins with.

    Args:
        fields: the body's object, without its closing brace.
        has_tools: whether it offers any.
        instructions: as JSON, as upstreams repeat them.
    """

    fields: bytes
    has_tools: bool
    instructions: bytes


class Preambles:
    """Preambles by assistant, for as long as the assistant lives."""

    def __init__(self) -> None:
        self._known: WeakKeyDictionary[Assistant, Preamble] = WeakKeyDictionary()

    def of(self, assistant: Assistant) -> Preamble:
        """The assistant's preamble, made at its first call."""
        preamble = self._known.get(assistant)
        if preamble is None:
            preamble = self._known[assistant] = preamble_of(assistant)
        return preamble


def reasons(model: str) -> bool:
    """Whether OpenAI's model of this name reasons, told by the name."""
    return _REASONING.match(model) is not None


def preamble_of(assistant: Assistant) -> Preamble:
    """Encode what stays the same from call to call."""
    kinds = [tool.type for tool in msgspec.json.decode(assistant.tools, type=list[_Tool])]
    fields: dict[str, Any] = {"model": assistant.model, "store": False, "truncation": "auto"}
    if assistant.instructions:
        fields["instructions"] = assistant.instructions
    if kinds:
        fields |= {"tools": msgspec.Raw(assistant.tools), "parallel_tool_calls": True}
    if include := _include(assistant.model, kinds):
        fields["include"] = include
    fields |= _temperature(assistant)
    instructions = _encoder.encode(assistant.instructions or None)
    return Preamble(_encoder.encode(fields)[:-1], bool(kinds), instructions)


def body(preamble: Preamble, call: Call) -> bytes:
    """The call's body."""
    return b"".join(
        (
            preamble.fields,
            _STREAMED if call.stream else b"",
            _NO_CALLS if preamble.has_tools and not call.tools_allowed else b"",
            b',"prompt_cache_key":',
            _encoder.encode(call.prompt_cache_key),
            b',"input":[',
            b",".join(call.input),
            b"]}",
        )
    )


def headers(call: Call) -> Mapping[str, str]:
    """The call's headers."""
    return {
        "Authorization": f"Bearer {call.credential.api_key}",
        "Content-Type": "application/json",
        "Accept": "text/event-stream" if call.stream else "application/json",
        "X-Correlation-ID": call.correlation_id,
        "X-Client-Request-Id": call.correlation_id,
    }


def _include(model: str, kinds: list[str]) -> list[str]:
    # Without its encrypted form, reasoning cannot be sent back to a model that stores nothing.
    reasoning = ["reasoning.encrypted_content"] if reasons(model) else []
    return reasoning + [field for kind, field in _INCLUDED_WITH.items() if kind in kinds]


def _temperature(assistant: Assistant) -> dict[str, float]:
    if assistant.temperature is None:
        return {}
    if reasons(assistant.model):
        _log.warning("temperature_left_out", assistant_id=assistant.id, model=assistant.model)
        return {}
    return {"temperature": assistant.temperature}
