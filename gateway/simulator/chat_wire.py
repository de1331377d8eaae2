"""The Chat Completions wire: a reply as a completion, or as its chunks."""

import os
import time
from typing import Any, TypeAlias

import attrs
import msgspec

from gateway.simulator.chat_request import Request
from gateway.simulator.conversation import FunctionCall, Reply, tokens
from gateway.simulator.errors import FAILED, RefusedError, type_of
from gateway.simulator.stream import Stream

_Object: TypeAlias = dict[str, Any]
_encode = msgspec.json.Encoder().encode
_ARGUMENT_DELTA = 8  # characters
_DONE = b"data: [DONE]\n\n"
_REASONS = {"max_output_tokens": "length", "content_filter": "content_filter"}


def answer(request: Request, reply: Reply) -> bytes:
    """The completion of an unstreamed answer.

    Raises:
        RefusedError: 500; the answer failed, and a completion cannot say so.
    """
    if reply.ending.kind in ("failed", "error"):
        raise RefusedError(500, FAILED, type_of(500), reply.ending.code)
    choice = {
        "index": 0,
        "message": _message(reply),
        "logprobs": None,
        "finish_reason": _finish_reason(reply),
    }
    usage = _usage(request, reply)
    return _encode({**_shared(request, "chat.completion"), "choices": [choice], "usage": usage})


def stream(request: Request, reply: Reply) -> Stream:
    """The chunks of a streamed answer, up to ``[DONE]``."""
    options = request.body.stream_options
    chunks = _Chunks(
        head=_encode(_shared(request, "chat.completion.chunk"))[:-1],
        counts=bool(options and options.include_usage),
        odd=request.conversation.script.unknown_events,
    )
    kind = b"refusal" if reply.refusal else b"content"
    spoken = not reply.calls and not reply.refusal
    opening = {"role": "assistant", "content": "" if spoken else None, "refusal": None}
    deltas = [chunks.of_text(kind, piece) for piece in reply.pieces]
    deltas += [frame for at, call in enumerate(reply.calls) for frame in _of_call(chunks, at, call)]
    frames = [chunks.of_delta(opening), *deltas, *_ending(request, reply, chunks)]
    paced = list(range(1, 1 + len(deltas)))
    return Stream(frames, paced, lambda _: chunks.of_text(b"content", " more"))


def _ending(request: Request, reply: Reply, chunks: "_Chunks") -> list[bytes]:
    if reply.ending.kind in ("failed", "error"):
        code = reply.ending.code
        error = {"message": FAILED, "type": "server_error", "param": None, "code": code}
        return [b"data: %b\n\n" % _encode({"error": error})]
    last = [chunks.of_delta({}, _finish_reason(reply))]
    if chunks.counts:
        last.append(chunks.framed(b"[]", _encode(_usage(request, reply))))
    return [*last, _DONE]


@attrs.frozen
class _Chunks:
    """Frames the chunks of one answer.

    Args:
        head: what all of them share, an encoded object without its closing brace.
        counts: whether they carry ``usage``.
        odd: whether they carry fields that no SDK knows.
    """

    head: bytes
    counts: bool
    odd: bool

    def framed(self, choices: bytes, usage: bytes = b"null") -> bytes:
        """One chunk of encoded choices."""
        counted = b',"usage":%b' % usage if self.counts else b""
        more = b',"weather":{"sunny":true}' if self.odd else b""
        return b'data: %b,"choices":%b%b%b}\n\n' % (self.head, choices, counted, more)

    def of_delta(self, delta: _Object, finish_reason: str | None = None) -> bytes:
        """One chunk of a delta."""
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish_reason}
        return self.framed(_encode([choice]))

    def of_text(self, kind: bytes, text: str) -> bytes:
        """One chunk of text, put together from prepared pieces."""
        return self.framed(
            b'[{"index":0,"delta":{"%b":%b},"logprobs":null,"finish_reason":null}]'
            % (kind, _encode(text))
        )


def _of_call(chunks: _Chunks, index: int, call: FunctionCall) -> list[bytes]:
    """The chunks of one function call: its id and name once, then its arguments."""
    opened = {"index": index, **_call(call, "")}
    pieces = [
        call.arguments[low : low + _ARGUMENT_DELTA]
        for low in range(0, len(call.arguments), _ARGUMENT_DELTA)
    ]
    more = [{"index": index, "function": {"arguments": piece}} for piece in pieces]
    return [chunks.of_delta({"tool_calls": [part]}) for part in (opened, *more)]


def _call(call: FunctionCall, arguments: str) -> _Object:
    function = {"name": call.name, "arguments": arguments}
    return {"id": call.call_id, "type": "function", "function": function}


def _message(reply: Reply) -> _Object:
    text = None if reply.calls else reply.text
    message: _Object = {
        "role": "assistant",
        "content": None if reply.refusal else text,
        "refusal": text if reply.refusal else None,
        "annotations": [],
    }
    if reply.calls:
        message["tool_calls"] = [_call(call, call.arguments) for call in reply.calls]
    return message


def _shared(request: Request, kind: str) -> _Object:
    return {
        "id": "chatcmpl-" + os.urandom(12).hex(),
        "object": kind,
        "created": int(time.time()),
        "model": request.body.model,
        "service_tier": "default",
        "system_fingerprint": "fp_simulator",
    }


def _finish_reason(reply: Reply) -> str:
    if reply.calls:
        return "tool_calls"
    return _REASONS[reply.ending.code] if reply.ending.kind == "incomplete" else "stop"


def _usage(request: Request, reply: Reply) -> _Object:
    thinking = tokens(reply.thought or "")
    spoken = tokens(reply.text) + sum(tokens(call.name + call.arguments) for call in reply.calls)
    prompt = request.conversation.prompt_tokens
    return {
        "prompt_tokens": prompt,
        "completion_tokens": thinking + spoken,
        "total_tokens": prompt + thinking + spoken,
        "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0},
        "completion_tokens_details": {"reasoning_tokens": thinking, "audio_tokens": 0},
    }
