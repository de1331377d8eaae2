"""Where the parts of one run's projection put their frames."""

import attrs

from gateway.runs.ids import derived_id
from gateway.runs.lifecycle import RunCreated
from gateway.runs.projections.assistants_wire import around, encode
from gateway.runs.projections.frames import Frame


class Pieces:
    """A text that arrives in many small pieces, each of which becomes a frame.

    The hot path of every stream: what surrounds a piece was encoded once.
    """

    __slots__ = ("_after", "_before", "_frames", "_name", "_texts")

    def __init__(self, frames: list[Frame], name: str, template: object) -> None:
        self._frames = frames
        self._name = name
        self._before, self._after = around(template)
        self._texts: list[str] = []

    def send(self, text: str) -> None:
        """Show the next piece."""
        self._texts.append(text)
        self._frames.append(Frame(self._name, self._before + encode(text) + self._after))

    def complete(self, whole: str) -> None:
        """Show what of the whole text was not shown yet; at least one piece is."""
        shown = self.text
        rest = whole[len(shown) :] if whole.startswith(shown) else ""
        if rest or not self._texts:
            self.send(rest)

    @property
    def text(self) -> str:
        """All that was shown."""
        return "".join(self._texts)


@attrs.define(eq=False)
class Writer:
    """Collects frames; an object is encoded at once, so that later changes do not reach it.

    Args:
        shows_tool_calls: whether what goes into tools and comes out of them is shown.
        now: Unix time in seconds of the events that are being read.
    """

    head: RunCreated
    shows_tool_calls: bool
    now: int = 0
    frames: list[Frame] = attrs.field(factory=list)

    def emit(self, name: str, thing: object) -> None:
        """Add a frame with an object as it is now."""
        self.frames.append(Frame(name, encode(thing)))

    def pieces(self, name: str, template: object) -> Pieces:
        """Prepare for a text that comes in pieces.

        Args:
            name: of each frame.
            template: the object that carries them, with ``MARK`` where the piece goes.
        """
        return Pieces(self.frames, name, template)

    def derive(self, prefix: str, ordinal: int) -> str:
        """The id of a thing of this run, the same at every replay."""
        return derived_id(prefix, self.head.run_id, ordinal)

    def take(self) -> list[Frame]:
        """The frames since the last call."""
        frames = self.frames[:]
        self.frames.clear()
        return frames
