"""Events of the Responses wire as they are written: numbered and framed."""

from itertools import count
from typing import Any, TypeAlias

import attrs
import msgspec

_Object: TypeAlias = dict[str, Any]
_encode = msgspec.json.Encoder().encode


@attrs.define
class EventWriter:
    """Numbers and frames events.

    Args:
        odd: whether there are things in them that no SDK knows.
        frames: the events so far.
        paced: the positions of those that come one by one where a script wants it.
    """

    odd: bool
    frames: list[bytes] = attrs.Factory(list)
    paced: list[int] = attrs.Factory(list)
    number: int = 0
    head: bytes = b""
    place: bytes = b""
    tail: bytes = b""

    def add(self, kind: str, **fields: Any) -> None:  # noqa: ANN401 -- JSON values
        """Write one event."""
        data = _encode({"type": kind, "sequence_number": self.number, **fields})
        self.number += 1
        self.frames.append(b"event: %b\ndata: %b\n\n" % (kind.encode(), data))

    def unknown(self) -> None:
        """An event that no SDK knows, where the script wants some."""
        if self.odd:
            self.add("response.simulator.weather", outlook={"sunny": True}, item_id="sim_0")

    def open_deltas(self, kind: str, place: _Object, **more: Any) -> None:  # noqa: ANN401 -- JSON values
        """Prepare what the deltas of a part have in common: encoding each would cost ten times."""
        extra = {**more, "weather": "sunny"} if self.odd else more
        around = _encode({**place, "delta": "", **extra})
        self.place, after = around[1:].split(b'"delta":""', 1)
        self.head = b'event: %b\ndata: {"type":"%b","sequence_number":' % (2 * (kind.encode(),))
        self.tail = after + b"\n\n"

    def delta(self, number: int, text: str) -> bytes:
        """One delta, put together from what was prepared."""
        return b'%b%d,%b"delta":%b%b' % (self.head, number, self.place, _encode(text), self.tail)

    def deltas(self, pieces: tuple[str, ...]) -> None:
        """All deltas of a part."""
        start = len(self.frames)
        self.frames += map(self.delta, count(self.number), pieces)
        self.number += len(pieces)
        self.paced += range(start, len(self.frames))
