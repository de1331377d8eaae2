"""The Responses wire: a reply as a response object, or as the stream of events before it."""

import os
import time
from typing import Any, TypeAlias

import attrs
import msgspec

from gateway.simulator.conversation import FunctionCall, Reply, tokens
from gateway.simulator.errors import FAILED, RefusedError, type_of
from gateway.simulator.event_writer import EventWriter
from gateway.simulator.hosted_wire import (
    annotations,
    code_item,
    search_item,
    write_code,
    write_search,
)
from gateway.simulator.ids import new_id
from gateway.simulator.responses_items import ENCRYPTED_PREFIX
from gateway.simulator.responses_request import Reasoning, Request, TextConfig
from gateway.simulator.stream import Stream

_Object: TypeAlias = dict[str, Any]
_encode = msgspec.json.Encoder().encode
_ARGUMENT_DELTA = 8  # characters


def answer(request: Request, reply: Reply) -> bytes:
    """The response object of an unstreamed answer.

    Raises:
        RefusedError: 500; the answer broke, and there is no stream to say so in.
    """
    if reply.ending.kind == "error":
        raise RefusedError(500, FAILED, type_of(500), reply.ending.code)
    response = _Response(request, reply)
    return _encode(response.ended(response.output()))


def stream(request: Request, reply: Reply) -> Stream:
    """The events of a streamed answer, in the order in which OpenAI sends them."""
    response = _Response(request, reply)
    writer = EventWriter(request.conversation.script.unknown_events)
    writer.add("response.created", response=response.snapshot("in_progress"))
    writer.add("response.in_progress", response=response.snapshot("in_progress"))
    writer.unknown()
    output = response.output()
    for index, item in enumerate(output):
        _ITEMS[item["type"]](writer, index, item, reply)
    _end(writer, response, output)
    return Stream(writer.frames, writer.paced, lambda number: writer.delta(number, " more"))


def _end(writer: EventWriter, response: "_Response", output: list[_Object]) -> None:
    ending = response.reply.ending
    if ending.kind == "error":
        writer.add("error", code=ending.code, message=FAILED, param=None)
    else:
        writer.add(f"response.{ending.kind}", response=response.ended(output))


@attrs.define
class _Response:
    """The response object through its states."""

    request: Request
    reply: Reply
    shared: _Object = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self.shared = _shared(self.request)

    def snapshot(self, status: str, **changes: Any) -> _Object:  # noqa: ANN401 -- JSON values
        return {**self.shared, "status": status, **changes}

    def ended(self, output: list[_Object]) -> _Object:
        """The object as the terminal event carries it."""
        ending = self.reply.ending
        usage = _usage(self.request, self.reply)
        match ending.kind:
            case "failed":
                error = {"code": ending.code, "message": FAILED}
                return self.snapshot("failed", error=error)
            case "incomplete":
                details = {"reason": ending.code}
                return self.snapshot(
                    "incomplete", incomplete_details=details, output=output, usage=usage
                )
        now = int(time.time())
        return self.snapshot("completed", completed_at=now, output=output, usage=usage)

    def output(self) -> list[_Object]:
        """The items, as they are once they are done."""
        items = [_thought(self.reply.thought, self._encrypts())] if self.reply.thought else []
        items += [_call(call) for call in self.reply.calls]
        if self.reply.calls:
            return items
        if self.reply.searched is not None:
            items.append(search_item(self.reply.searched, self._include))
        if self.reply.program is not None:
            items.append(code_item(self.reply.program, self._include))
        container_id = str(items[-1].get("container_id", "")) if items else ""
        return [*items, _message(self.reply, container_id)]

    @property
    def _include(self) -> list[str]:
        return self.request.body.include or []

    def _encrypts(self) -> bool:
        return "reasoning.encrypted_content" in self._include


def _shared(request: Request) -> _Object:
    """What every state of a response carries."""
    body = request.body
    return {
        "id": new_id("resp_"),
        "object": "response",
        "created_at": int(time.time()),
        "status": "in_progress",
        "background": False,
        "completed_at": None,
        "error": None,
        "incomplete_details": None,
        "instructions": body.instructions,
        "max_output_tokens": body.max_output_tokens,
        "max_tool_calls": None,
        "model": body.model,
        "output": [],
        "parallel_tool_calls": body.parallel_tool_calls is not False,
        "previous_response_id": None,
        "prompt_cache_key": body.prompt_cache_key,
        "reasoning": body.reasoning or Reasoning(),
        "safety_identifier": body.safety_identifier,
        "service_tier": "default",
        "store": body.store is not False,
        "temperature": body.temperature,
        "text": body.text or TextConfig(),
        "tool_choice": body.tool_choice or "auto",
        "tools": msgspec.Raw(_encode(request.tools)),
        "top_logprobs": 0,
        "top_p": body.top_p,
        "truncation": body.truncation or "disabled",
        "usage": None,
        "user": body.user,
        "metadata": body.metadata or {},
    }


def _usage(request: Request, reply: Reply) -> _Object:
    thinking = tokens(reply.thought or "")
    spoken = tokens(reply.text) + sum(tokens(call.name + call.arguments) for call in reply.calls)
    prompt = request.conversation.prompt_tokens
    return {
        "input_tokens": prompt,
        "input_tokens_details": {"cache_write_tokens": 0, "cached_tokens": 0},
        "output_tokens": thinking + spoken,
        "output_tokens_details": {"reasoning_tokens": thinking},
        "total_tokens": prompt + thinking + spoken,
    }


def _thought(summary: str, encrypts: bool) -> _Object:  # noqa: FBT001 -- private, one caller
    encrypted = {"encrypted_content": ENCRYPTED_PREFIX + os.urandom(120).hex()} if encrypts else {}
    parts = [{"type": "summary_text", "text": summary}]
    return {"id": new_id("rs_"), "type": "reasoning", **encrypted, "summary": parts}


def _call(call: FunctionCall) -> _Object:
    return {
        "id": new_id("fc_"),
        "type": "function_call",
        "status": "completed",
        "arguments": call.arguments,
        "call_id": call.call_id,
        "name": call.name,
    }


def _message(reply: Reply, container_id: str) -> _Object:
    status = "completed" if reply.ending.kind == "completed" else "incomplete"
    part = _part(reply.text, refusal=reply.refusal)
    if reply.citations:
        part["annotations"] = annotations(reply.citations, reply.text, container_id)
    item_id = new_id("msg_")
    return {
        "id": item_id,
        "type": "message",
        "status": status,
        "content": [part],
        "role": "assistant",
    }


def _part(text: str, *, refusal: bool) -> _Object:
    if refusal:
        return {"type": "refusal", "refusal": text}
    return {"type": "output_text", "annotations": [], "logprobs": [], "text": text}


def _write_thought(writer: EventWriter, index: int, item: _Object, _: Reply) -> None:
    text = item["summary"][0]["text"]
    place = {"item_id": item["id"], "output_index": index, "summary_index": 0}
    writer.add("response.output_item.added", output_index=index, item={**item, "summary": []})
    empty = {"type": "summary_text", "text": ""}
    writer.add("response.reasoning_summary_part.added", **place, part=empty)
    writer.add("response.reasoning_summary_text.delta", **place, delta=text)
    writer.add("response.reasoning_summary_text.done", **place, text=text)
    writer.add("response.reasoning_summary_part.done", **place, part=item["summary"][0])
    writer.add("response.output_item.done", output_index=index, item=item)


def _write_call(writer: EventWriter, index: int, item: _Object, _: Reply) -> None:
    arguments = item["arguments"]
    place = {"item_id": item["id"], "output_index": index}
    added = {**item, "status": "in_progress", "arguments": ""}
    pieces = [
        arguments[low : low + _ARGUMENT_DELTA] for low in range(0, len(arguments), _ARGUMENT_DELTA)
    ]
    writer.add("response.output_item.added", output_index=index, item=added)
    writer.open_deltas("response.function_call_arguments.delta", place)
    writer.deltas(tuple(pieces))
    writer.add(
        "response.function_call_arguments.done", **place, arguments=arguments, name=item["name"]
    )
    writer.add("response.output_item.done", output_index=index, item=item)


def _write_message(writer: EventWriter, index: int, item: _Object, reply: Reply) -> None:
    part = item["content"][0]
    place = {"item_id": item["id"], "output_index": index, "content_index": 0}
    opened = {**item, "status": "in_progress", "content": []}
    kind, name = ("refusal", "refusal") if reply.refusal else ("output_text", "text")
    more: _Object = {} if reply.refusal else {"logprobs": []}
    writer.add("response.output_item.added", output_index=index, item=opened)
    writer.add("response.content_part.added", **place, part=_part("", refusal=reply.refusal))
    writer.open_deltas(f"response.{kind}.delta", place, **more)
    writer.deltas(reply.pieces[:-1])
    for number, note in enumerate(part.get("annotations", ())):
        added = "response.output_text.annotation.added"
        writer.add(added, **place, annotation_index=number, annotation=note)
    writer.deltas(reply.pieces[-1:])
    writer.unknown()
    if reply.ending.kind in ("failed", "error"):
        return
    writer.add(f"response.{kind}.done", **place, **{name: part[name]}, **more)
    writer.add("response.content_part.done", **place, part=part)
    writer.add("response.output_item.done", output_index=index, item=item)


def _write_search(writer: EventWriter, index: int, item: _Object, _: Reply) -> None:
    write_search(writer, index, item)


def _write_code(writer: EventWriter, index: int, item: _Object, _: Reply) -> None:
    write_code(writer, index, item)


_ITEMS = {
    "reasoning": _write_thought,
    "function_call": _write_call,
    "file_search_call": _write_search,
    "code_interpreter_call": _write_code,
    "message": _write_message,
}
