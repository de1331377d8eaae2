"""A run's messages, calls and outputs as items of its thread."""

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from gateway.runs.ids import derived_id, item_ordinal, new_id
from gateway.runs.leg import Leg, Output
from gateway.runs.lifecycle import ToolOutput
from gateway.store.model import Item

_INTERRUPTED = "The run ended before this function answered."
_PREFIXES = {"message": "msg", "function_call": "fc", "reasoning": "rs"}
_REPLAYED = frozenset({"message", "function_call", "function_call_output", "reasoning"})
_encode = msgspec.json.Encoder().encode


def user_message(text: str, now: int) -> Item:
    """What a client says."""
    payload = {
        "type": "message",
        "role": "user",
        "content": [{"type": "input_text", "text": text}],
    }
    return Item(
        id=new_id("msg"),
        type="message",
        role="user",
        created_at=now,
        completed_at=now,
        payload=_encode(payload),
    )


def newest(items: Sequence[Item], most_bytes: int) -> list[Item]:
    """The end of a thread that fits, where ``replayable`` cuts it at what a client said."""
    kept: list[Item] = []
    for item in reversed(items):
        most_bytes -= len(item.payload)
        if most_bytes < 0:
            break
        kept.append(item)
    return kept[::-1]


def replayable(items: Iterable[Item], origin: str) -> list[bytes]:
    """A thread's items as the upstream ``origin`` takes them in ``input``.

    A thread is cut to begin with what a client said, so that no output stands without its call.
    Reasoning goes back to its maker alone, and only before the item that it led to. Calls of hosted
    tools stay behind, with the reasoning that led to them: upstream takes them by the id of an item
    that it stored, and it stored none. What they found is in the message that follows.
    """
    kept: list[Item] = []
    for item in items:
        if item.type not in _REPLAYED:
            _drop_trailing_reasoning(kept)
            continue
        if item.type == "reasoning" and item.origin != origin:
            continue
        if item.type == "message" and item.role == "user":
            _drop_trailing_reasoning(kept)
        if kept or item.role == "user":
            kept.append(item)
    _drop_trailing_reasoning(kept)
    return [item.payload for item in kept]


def _drop_trailing_reasoning(items: list[Item]) -> None:
    while items and items[-1].type == "reasoning":
        items.pop()


class Maker:
    """Makes the items of one run.

    Attributes:
        origin: the upstream account that answers it, as a hash.
    """

    __slots__ = ("_assistant_id", "_run_id", "origin")

    def __init__(self, run_id: str, assistant_id: str) -> None:
        self._run_id = run_id
        self._assistant_id = assistant_id
        self.origin: str | None = None

    def finished(
        self, number: int, leg: Leg, outputs: Sequence[ToolOutput], now: int
    ) -> list[Item]:
        """Everything of a leg whose calls were answered, each call with its output."""
        items = [self._output(number, output, now) for output in leg.outputs]
        items += self._unfinished(number, leg, now)
        return items + [self._tool_output(number, index, o, now) for index, o in enumerate(outputs)]

    def interrupted(self, number: int, leg: Leg, reason: str, now: int) -> list[Item]:
        """What there is of a leg that was cut short; open calls get an output that says so."""
        items = [self._output(number, output, now, reason) for output in leg.outputs]
        items += self._unfinished(number, leg, now, reason)
        items += [
            self._tool_output(number, index, ToolOutput(call.call_id, _INTERRUPTED), now)
            for index, call in enumerate(leg.calls)
        ]
        return items

    def _output(self, leg: int, output: Output, now: int, reason: str | None = None) -> Item:
        kind = output.type
        whole = output.text("status") != "incomplete"
        payload = _as_input(output)
        return Item(
            id=derived_id(
                _PREFIXES.get(kind, "item"), self._run_id, item_ordinal(leg, output.index)
            ),
            type=kind,
            role="assistant" if kind == "message" else None,
            created_at=now,
            completed_at=now if whole else None,
            status="completed" if whole else "incomplete",
            incomplete_reason=None if whole else reason,
            run_id=self._run_id,
            assistant_id=self._assistant_id,
            payload=_encode(payload),
            origin=self.origin if payload.get("encrypted_content") else None,
        )

    def _unfinished(self, number: int, leg: Leg, now: int, reason: str | None = None) -> list[Item]:
        """Messages of which only deltas came; whole where nothing cut them short."""
        return [
            self._message(number, index, parts, now, reason)
            for index, parts in leg.unfinished().items()
        ]

    def _message(
        self, leg: int, index: int, parts: list[dict[str, Any]], now: int, reason: str | None
    ) -> Item:
        return Item(
            id=derived_id("msg", self._run_id, item_ordinal(leg, index)),
            type="message",
            role="assistant",
            created_at=now,
            completed_at=None if reason else now,
            status="incomplete" if reason else "completed",
            incomplete_reason=reason,
            run_id=self._run_id,
            assistant_id=self._assistant_id,
            payload=_encode({"type": "message", "role": "assistant", "content": parts}),
        )

    def _tool_output(self, leg: int, index: int, output: ToolOutput, now: int) -> Item:
        payload = {
            "type": "function_call_output",
            "call_id": output.call_id,
            "output": output.output,
        }
        return Item(
            id=derived_id("fco", self._run_id, item_ordinal(leg, index)),
            type="function_call_output",
            created_at=now,
            completed_at=now,
            run_id=self._run_id,
            assistant_id=self._assistant_id,
            payload=_encode(payload),
        )


def _as_input(output: Output) -> dict[str, Any]:
    """An output item as it may be sent back: without the upstream's id and state."""
    kept = {key: value for key, value in output.fields.items() if key not in {"id", "status"}}
    if output.type == "message":
        kept["content"] = _parts(kept.get("content"))
    if output.type == "function_call":
        kept |= {"call_id": output.call_id, "arguments": output.arguments}
    return kept


def _parts(content: object) -> list[dict[str, Any]]:
    """A message's content as a list of parts; some servers send a string."""
    if isinstance(content, str):
        return [{"type": "output_text", "text": content, "annotations": []}]
    if not isinstance(content, list):
        return []
    parts = (part for part in content if isinstance(part, dict))
    return [{key: part[key] for key in part if key != "logprobs"} for part in parts]
