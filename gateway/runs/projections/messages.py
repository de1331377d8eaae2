"""Stored messages as Assistants v2 objects, and pages of them."""

from collections.abc import Sequence
from typing import Any

import msgspec

from gateway.runs.projections.assistants_wire import (
    Block,
    Message,
    RefusalBlock,
    Text,
    TextBlock,
    encode,
)
from gateway.runs.projections.content import blocks
from gateway.store.model import Item


class _Page(msgspec.Struct):
    object: str
    data: list[Message]
    first_id: str | None
    last_id: str | None
    has_more: bool


def message(item: Item, thread_id: str) -> Message:
    """A stored item of the type ``message`` as its stream showed it."""
    complete = item.status != "incomplete"
    return Message(
        id=item.id,
        created_at=item.created_at,
        thread_id=thread_id,
        role=item.role or "assistant",
        status="completed" if complete else "incomplete",
        content=_blocks(item) or [TextBlock(Text(""))],
        assistant_id=item.assistant_id,
        run_id=item.run_id,
        completed_at=item.completed_at if complete else None,
        incomplete_at=None if complete else item.created_at,
        incomplete_details=None if complete else {"reason": item.incomplete_reason or "run_failed"},
        metadata=item.metadata,
    )


def message_page(items: Sequence[Item], thread_id: str, *, has_more: bool) -> bytes:
    """A page of stored messages as OpenAI's API lists things, encoded as JSON."""
    data = [message(item, thread_id) for item in items]
    first_id, last_id = (data[0].id, data[-1].id) if data else (None, None)
    return encode(_Page("list", data, first_id, last_id, has_more))


def texts(item: Item) -> list[str]:
    """A string for each text of a message; a refusal is what its user reads, so it counts."""
    return [
        block.refusal if isinstance(block, RefusalBlock) else block.text.value
        for block in _blocks(item)
    ]


def _blocks(item: Item) -> list[Block]:
    payload: Any = msgspec.json.decode(item.payload)
    return blocks(payload) if isinstance(payload, dict) else []
