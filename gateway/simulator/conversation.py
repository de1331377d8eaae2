"""What both wires are read into: a conversation, the functions on offer and what is asked for."""

import enum
from collections.abc import Mapping
from typing import Any, Protocol, TypeAlias

import attrs

from gateway.simulator.arithmetic import Program
from gateway.simulator.directives import Script
from gateway.simulator.searching import Found


@attrs.frozen
class Message:
    """Something said.

    Args:
        role: ``user``, ``assistant``, ``system`` or ``developer``.
        images: how many pictures came with it.
    """

    role: str
    text: str
    images: int = 0


@attrs.frozen
class FunctionCall:
    """A function call; ``arguments`` is JSON text."""

    call_id: str
    name: str
    arguments: str


@attrs.frozen
class FunctionOutput:
    """What a function call gave."""

    call_id: str
    text: str


@attrs.frozen
class Thought:
    """A reasoning item that comes back."""

    id: str
    encrypted_content: str | None


@attrs.frozen
class Other:
    """An item of another type; it is carried, not read."""

    type: str


Entry: TypeAlias = Message | FunctionCall | FunctionOutput | Thought | Other


@attrs.frozen(eq=False)
class Function:
    """A function on offer.

    Args:
        parameters: its JSON Schema, as the client wrote it.
    """

    name: str
    description: str
    parameters: Mapping[str, Any]


class Files(Protocol):
    """Files that may be searched."""

    def search(self, query: str) -> tuple[Found, ...]:
        """The passages that answer a question best."""
        ...


@attrs.frozen(eq=False)
class Searched:
    """A search of files, and what it found."""

    query: str
    found: tuple[Found, ...]


@attrs.frozen
class Citation:
    """Where a text speaks of a file.

    Args:
        file_id: empty for a file that code wrote.
        start: where in the text; ``end`` where what is marked there ends.
    """

    file_id: str
    filename: str
    start: int
    end: int = attrs.field(default=attrs.Factory(lambda self: self.start, takes_self=True))


class Calling(enum.Enum):
    """Whether functions are called."""

    AUTO = "auto"
    NONE = "none"
    REQUIRED = "required"


@attrs.frozen(eq=False)
class Conversation:
    """One request, whichever wire it came over.

    Args:
        entries: oldest first, without the instructions.
        functions: those that may be called, after the tool choice.
        parallel: whether several calls may be made at once.
        schema: the JSON Schema of a structured answer, or None for plain text.
        max_tokens: for the answer.
        prompt_tokens: what all of it counts.
        files: those that may be searched.
        runs_code: whether there is a code interpreter.
        demanded: the type of the hosted tool that the tool choice names; empty for none.
    """

    model: str
    instructions: str
    entries: tuple[Entry, ...]
    functions: tuple[Function, ...]
    calling: Calling
    parallel: bool
    script: Script
    schema: Mapping[str, Any] | None = None
    max_tokens: int | None = None
    prompt_tokens: int = 0
    files: Files | None = None
    runs_code: bool = False
    demanded: str = ""

    @property
    def said(self) -> list[Message]:
        """The user's messages, oldest first."""
        return [
            entry for entry in self.entries if isinstance(entry, Message) and entry.role == "user"
        ]

    @property
    def reasons(self) -> bool:
        """Whether the model is a reasoning one, by its name."""
        return "reasoning" in self.model or self.model.startswith("o")


@attrs.frozen
class Ending:
    """How an answer ends.

    Args:
        kind: ``completed``, ``incomplete``, ``failed`` or ``error``.
        code: an incomplete answer's reason, or a failed one's error code.
    """

    kind: str = "completed"
    code: str = ""


@attrs.frozen
class Reply:
    """What the model does, before a wire puts it into its form.

    Args:
        pieces: the text, cut into its deltas.
        refusal: whether the text is a refusal.
        calls: function calls, instead of text.
        thought: a reasoning model's summary.
        searched: a search of files before the text.
        program: one that was run before the text.
        citations: of files, in the text.
    """

    pieces: tuple[str, ...] = ()
    refusal: bool = False
    calls: tuple[FunctionCall, ...] = ()
    thought: str | None = None
    ending: Ending = Ending()
    searched: Searched | None = None
    program: Program | None = None
    citations: tuple[Citation, ...] = ()

    @property
    def text(self) -> str:
        """The whole text."""
        return "".join(self.pieces)


def tokens(text: str) -> int:
    """How many tokens a text counts: one for every four characters, at least one."""
    return max(1, len(text) // 4) if text else 0
