"""The transport of one answer: when its head leaves."""

import asyncio

import attrs
import pytest

from gateway.serving import Answering


@attrs.define
class Wire(asyncio.Transport):
    """Keeps what each call of the system would send, and whether it was closed."""

    calls: list[bytes] = attrs.field(factory=list)
    closed: bool = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Keep it."""
        self.calls.append(bytes(data))

    def close(self) -> None:
        """Keep it."""
        self.closed = True


@pytest.fixture
def wire() -> Wire:
    """What leaves."""
    return Wire()


def test_a_held_head_leaves_with_its_body(wire: Wire) -> None:
    """Head and body are one write, and whatever follows is one of its own."""
    answering = Answering(wire)

    answering.hold_head()
    for piece in (b"head ", b"body ", b"more"):
        answering.write(piece)

    assert wire.calls == [b"head body ", b"more"]


def test_a_head_that_nobody_holds_leaves_at_once(wire: Wire) -> None:
    """A stream that is silent at first has sent its head."""
    answering = Answering(wire)

    answering.write(b"head")

    assert wire.calls == [b"head"]


def test_a_held_head_leaves_before_the_connection_closes(wire: Wire) -> None:
    """An answer that breaks between head and body still has its head."""
    answering = Answering(wire)
    answering.hold_head()
    answering.write(b"head")

    answering.close()

    assert (wire.calls, wire.closed) == ([b"head"], True)
