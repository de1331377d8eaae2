"""What of a thread goes back to an upstream that stores nothing."""

import msgspec
import pytest

from gateway.runs.items import replayable
from gateway.store.model import Item


def item(kind, *, role=None, origin=None, **payload):
    """An item of a thread."""
    content = msgspec.json.encode({"type": kind, **payload})
    return Item(
        id="item_1",
        type=kind,
        role=role,
        created_at=1,
        completed_at=1,
        payload=content,
        origin=origin,
    )


ASKED = item("message", role="user", content="Returns?")
THOUGHT = item("reasoning", origin="here", encrypted_content="x")
SAID = item("message", role="assistant", content="30 days.")
CALL = item("function_call", call_id="c")
OUTPUT = item("function_call_output", call_id="c")
HOSTED = ["file_search_call", "code_interpreter_call", "web_search_call", "mcp_call"]


def kinds(*items, origin="here"):
    """The types of what is replayed."""
    return [msgspec.json.decode(raw)["type"] for raw in replayable(items, origin)]


@pytest.mark.parametrize("hosted", HOSTED)
def test_hosted_calls_stay_behind_with_their_reasoning(hosted):
    """Upstream knows no item of theirs by its id, and refuses reasoning that leads to nothing."""
    called = item(hosted, id="x_1")

    assert kinds(ASKED, THOUGHT, called, SAID, ASKED) == ["message", "message", "message"]
    assert kinds(ASKED, THOUGHT, called, THOUGHT, SAID) == ["message", "reasoning", "message"]
    assert kinds(ASKED, called, CALL, OUTPUT, SAID) == [
        "message",
        "function_call",
        "function_call_output",
        "message",
    ]


def test_reasoning_goes_to_its_maker_alone():
    """With what it led to; another account is not sent it."""
    assert kinds(ASKED, THOUGHT, SAID) == ["message", "reasoning", "message"]
    assert kinds(ASKED, THOUGHT, SAID, origin="elsewhere") == ["message", "message"]
