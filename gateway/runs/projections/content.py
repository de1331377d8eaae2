"""The content of Responses messages as Assistants v2 blocks.

Servers differ, so nothing is taken for granted about what they send.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from gateway.runs.projections.assistants_wire import (
    Annotation,
    Block,
    FileCitation,
    FilePath,
    FileRef,
    RefusalBlock,
    Text,
    TextBlock,
)
from tenants.knowledge.names import shown_name


def text_of(item: Mapping[str, Any], key: str) -> str:
    """A member of an object if it is a text, else an empty one."""
    value = item.get(key)
    return value if isinstance(value, str) else ""


def objects_of(item: Mapping[str, Any], key: str) -> list[dict[str, Any]]:
    """The objects in a list that is a member of an object."""
    value = item.get(key)
    return [entry for entry in value if isinstance(entry, dict)] if isinstance(value, list) else []


def blocks(item: Mapping[str, Any]) -> list[Block]:
    """The parts of a message item that Assistants v2 knows."""
    return [block for _, block in indexed_blocks(item)]


def indexed_blocks(item: Mapping[str, Any]) -> list[tuple[int, Block]]:
    """Those parts, each with its ``content_index`` in the item."""
    if isinstance(item.get("content"), str):
        return [(0, TextBlock(Text(text_of(item, "content"))))]
    read = [(index, _block(part)) for index, part in enumerate(objects_of(item, "content"))]
    return [(index, block) for index, block in read if block is not None]


def _block(part: Mapping[str, Any]) -> Block | None:
    match part.get("type"):
        case "output_text" | "input_text":
            notes = annotations(objects_of(part, "annotations"))
            return TextBlock(Text(text_of(part, "text"), notes))
        case "refusal":
            return RefusalBlock(text_of(part, "refusal"))
    return None


def annotations(raw: Iterable[Mapping[str, Any]]) -> list[Annotation]:
    """The annotations that Assistants v2 knows, each once."""
    kept: list[Annotation] = []
    for note in map(annotation, raw):
        if note is not None and note not in kept:
            kept.append(note)
    return kept


def annotation(raw: Mapping[str, Any]) -> Annotation | None:
    """One annotation; None for those without a counterpart, such as ``url_citation``.

    Responses says where it stands and not what it marks, so the marker text is empty.
    """
    file = FileRef(text_of(raw, "file_id"), shown_name(text_of(raw, "filename")))
    if not file.file_id:
        return None
    start = _position(raw, "index" if "index" in raw else "start_index")
    match raw.get("type"):
        case "file_citation":
            return FileCitation("", start, start, file)
        case "file_path":
            return FilePath("", start, start, file)
        case "container_file_citation":
            return FilePath("", start, _position(raw, "end_index"), file)
    return None


def _position(raw: Mapping[str, Any], key: str) -> int:
    value = raw.get(key)
    return value if isinstance(value, int) else 0
