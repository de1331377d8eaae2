"""The JSON answer of a turn."""

from collections.abc import Iterable

from gateway.runs.projections.messages import texts
from gateway.store.model import Item


def responses(items: Iterable[Item]) -> list[str]:
    """What the assistant said in a run: a string for each text of each of its messages.

    Args:
        items: what the run added to its thread, oldest first; a user's messages are left out.
    """
    return [
        text
        for item in items
        if item.type == "message" and item.role == "assistant"
        for text in texts(item)
    ]
