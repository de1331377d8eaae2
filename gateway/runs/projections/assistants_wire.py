"""Assistants v2 objects as they are sent: every key is always there, null where there is nothing.

Source: OpenAI's API reference, "Assistants", and the types of its SDK (``openai.types.beta``).
"""

from typing import Any, TypeAlias

import msgspec

from gateway.runs.lifecycle import Usage

encode = msgspec.json.Encoder().encode

MARK = "\x00"
_ENCODED_MARK = encode(MARK)


def around(template: object) -> tuple[bytes, bytes]:
    """The bytes before and after the one place of an object where its news goes.

    Args:
        template: the object, with ``MARK`` in that place.
    """
    before, _, after = encode(template).partition(_ENCODED_MARK)
    return before, after


class FileRef(msgspec.Struct, omit_defaults=True, gc=False):
    """A file by its id, with its name, which OpenAI's API leaves out, where that is known."""

    file_id: str
    filename: str = ""


class FileCitation(msgspec.Struct, tag_field="type", tag="file_citation", gc=False):
    """What a file search found; ``text`` is the marker in the message, which Responses has not."""

    text: str
    start_index: int
    end_index: int
    file_citation: FileRef


class FilePath(msgspec.Struct, tag_field="type", tag="file_path", gc=False):
    """A file that code wrote."""

    text: str
    start_index: int
    end_index: int
    file_path: FileRef


Annotation: TypeAlias = FileCitation | FilePath


class Text(msgspec.Struct, gc=False):
    """A text with its annotations."""

    value: str
    annotations: list[Annotation] = []


class TextBlock(msgspec.Struct, tag_field="type", tag="text", gc=False):
    """A part of a message that is text."""

    text: Text


class RefusalBlock(msgspec.Struct, tag_field="type", tag="refusal", gc=False):
    """A part of a message in which the model refuses."""

    refusal: str


Block: TypeAlias = TextBlock | RefusalBlock


class Message(msgspec.Struct, kw_only=True, gc=False):
    """``thread.message``."""

    id: str
    object: str = "thread.message"
    created_at: int
    thread_id: str
    role: str = "assistant"
    status: str = "in_progress"
    content: list[Block] = []
    assistant_id: str | None = None
    run_id: str | None = None
    attachments: list[Any] = []
    completed_at: int | None = None
    incomplete_at: int | None = None
    incomplete_details: dict[str, str] | None = None
    metadata: dict[str, str] = {}


class Function(msgspec.Struct, gc=False):
    """A function call's name and what went in and came out."""

    name: str
    arguments: str = ""
    output: str | None = None


class FunctionCall(msgspec.Struct, tag_field="type", tag="function", gc=False):
    """A call of a function, and of every tool that Assistants v2 has no name for."""

    id: str
    function: Function


class CodeInterpreter(msgspec.Struct, gc=False):
    """Code and its outputs: ``{"type": "logs", …}`` and ``{"type": "image", …}``."""

    input: str = ""
    outputs: list[dict[str, Any]] = []


class CodeInterpreterCall(msgspec.Struct, tag_field="type", tag="code_interpreter", gc=False):
    """A call of the code interpreter."""

    id: str
    code_interpreter: CodeInterpreter


class FileSearchCall(msgspec.Struct, tag_field="type", tag="file_search", gc=False):
    """A file search; ``file_search`` is empty or has ``results``."""

    id: str
    file_search: dict[str, Any]


ToolCall: TypeAlias = FunctionCall | CodeInterpreterCall | FileSearchCall


class RunStep(msgspec.Struct, kw_only=True, gc=False):
    """``thread.run.step``."""

    id: str
    object: str = "thread.run.step"
    created_at: int
    run_id: str
    assistant_id: str
    thread_id: str
    type: str
    status: str = "in_progress"
    cancelled_at: int | None = None
    completed_at: int | None = None
    expired_at: int | None = None
    failed_at: int | None = None
    last_error: dict[str, str] | None = None
    step_details: dict[str, Any]
    usage: None = None
    metadata: dict[str, str] = {}


class TruncationStrategy(msgspec.Struct, frozen=True, gc=False):
    """How a thread is cut to fit a model."""

    type: str = "auto"
    last_messages: int | None = None


class Run(msgspec.Struct, kw_only=True, gc=False):
    """``thread.run``."""

    id: str
    object: str = "thread.run"
    created_at: int
    assistant_id: str
    thread_id: str
    status: str = "queued"
    started_at: int | None = None
    expires_at: int | None
    cancelled_at: int | None = None
    failed_at: int | None = None
    completed_at: int | None = None
    required_action: dict[str, Any] | None = None
    last_error: dict[str, str] | None = None
    model: str
    instructions: str = ""
    tools: list[Any] = []
    metadata: dict[str, str] = {}
    temperature: float | None = None
    top_p: float | None = None
    max_completion_tokens: int | None = None
    max_prompt_tokens: int | None = None
    truncation_strategy: TruncationStrategy = TruncationStrategy()
    incomplete_details: dict[str, str] | None = None
    usage: Usage | None = None
    response_format: str = "auto"
    tool_choice: str = "auto"
    parallel_tool_calls: bool = True
