"""A run's messages as they are spoken."""

from collections.abc import Mapping
from typing import Any, Literal

import attrs
import msgspec

from gateway.runs.projections.assistants_steps import COMPLETED, Ending, Step
from gateway.runs.projections.assistants_wire import (
    MARK,
    Annotation,
    Block,
    Message,
    RefusalBlock,
    Text,
    TextBlock,
)
from gateway.runs.projections.content import indexed_blocks, text_of
from gateway.runs.projections.writer import Pieces, Writer

Kind = Literal["text", "refusal"]
_DELTA = "thread.message.delta"


@attrs.define(eq=False)
class Part:
    """A text or a refusal within a message.

    Args:
        index: its place in the message as it is shown.
        whole: the upstream's last word on it, once that came.
    """

    writer: Writer
    message_id: str
    index: int
    kind: Kind
    pieces: Pieces
    annotations: list[Annotation] = attrs.field(factory=list)
    whole: Block | None = None

    def annotate(self, note: Annotation) -> None:
        """Show an annotation once; they are numbered as they come."""
        if note in self.annotations:
            return
        numbered = {"index": len(self.annotations), **msgspec.to_builtins(note)}
        self.annotations.append(note)
        text = {"value": "", "annotations": [numbered]}
        block = {"index": self.index, "type": "text", "text": text}
        self.writer.emit(_DELTA, _delta(self.message_id, block))

    def finish(self, whole: Block) -> None:
        """Show what was not shown yet."""
        self.whole = whole
        if isinstance(whole, RefusalBlock):
            self.pieces.complete(whole.refusal)
            return
        self.pieces.complete(whole.text.value)
        for note in whole.text.annotations:
            self.annotate(note)

    def block(self) -> Block:
        """The part as it is now, with every annotation that was shown."""
        if self.kind == "refusal":
            return self.whole or RefusalBlock(self.pieces.text)
        if not isinstance(self.whole, TextBlock):
            return TextBlock(Text(self.pieces.text, self.annotations))
        notes = self.whole.text.annotations
        late = [note for note in self.annotations if note not in notes]
        return TextBlock(Text(self.whole.text.value, notes + late))


@attrs.define(eq=False)
class SpokenMessage:
    """One message of a run; not shown before there is something in it.

    The SDK's reader fails on a gap between parts, on a part without a delta and on a message
    without a part. So parts are numbered as they appear, and there is always one.

    Args:
        ordinal: of its output item.
    """

    writer: Writer
    ordinal: int
    closed: bool = False
    _thing: Message | None = None
    _step: Step | None = None
    _parts: dict[tuple[Kind, int], Part] = attrs.field(factory=dict)

    def open(self) -> Message:
        """Show that it begins, if that was not shown yet."""
        if self._thing is None:
            self._thing = self._begun()
            self._step = Step.begin(
                self.writer, self.ordinal, "message_creation", {"message_id": self._thing.id}
            )
            self.writer.emit("thread.message.created", self._thing)
            self.writer.emit("thread.message.in_progress", self._thing)
        return self._thing

    def part(self, kind: Kind, content_index: int) -> Part:
        """The part at the upstream's index, which is begun where it is new."""
        part = self._parts.get((kind, content_index))
        if part is None:
            thing, index = self.open(), len(self._parts)
            news = {"value": MARK} if kind == "text" else MARK
            template = _delta(thing.id, {"index": index, "type": kind, kind: news})
            pieces = self.writer.pieces(_DELTA, template)
            part = Part(self.writer, thing.id, index, kind, pieces)
            self._parts[kind, content_index] = part
        return part

    def finish(self, item: Mapping[str, Any]) -> None:
        """Show the rest of it. An incomplete one stays open: the run's end says why."""
        for index, block in indexed_blocks(item):
            self.part("text" if isinstance(block, TextBlock) else "refusal", index).finish(block)
        if text_of(item, "status") != "incomplete":
            self.open()
            self.end(COMPLETED)

    def end(self, ending: Ending) -> None:
        """Show that it ended, if it was shown at all."""
        self.closed = True
        if self._thing is None or self._step is None:
            return
        if not self._parts:
            self.part("text", 0).pieces.send("")
        thing, now = self._thing, self.writer.now
        thing.content = [part.block() for part in self._parts.values()]
        if ending.reason is None:
            thing.status, thing.completed_at = "completed", now
        else:
            thing.status, thing.incomplete_at = "incomplete", now
            thing.incomplete_details = {"reason": ending.reason}
        self.writer.emit(f"thread.message.{thing.status}", thing)
        self._step.end(ending)

    def _begun(self) -> Message:
        head = self.writer.head
        return Message(
            id=self.writer.derive("msg", self.ordinal),
            created_at=self.writer.now,
            thread_id=head.thread_id,
            assistant_id=head.assistant_id,
            run_id=head.run_id,
        )


def _delta(message_id: str, block: Mapping[str, Any]) -> dict[str, Any]:
    return {"id": message_id, "object": _DELTA, "delta": {"content": (block,)}}
