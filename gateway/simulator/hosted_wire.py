"""Hosted tools' calls and citations on the Responses wire."""

from collections.abc import Collection
from typing import Any, TypeAlias

from gateway.simulator.arithmetic import Program
from gateway.simulator.conversation import Citation, Searched
from gateway.simulator.event_writer import EventWriter
from gateway.simulator.ids import new_id

_Object: TypeAlias = dict[str, Any]
_CODE_DELTA = 12  # characters


def search_item(searched: Searched, include: Collection[str]) -> _Object:
    """``file_search_call``, with results where the request asks for them."""
    results = [
        {
            "file_id": found.file_id,
            "filename": found.filename,
            "score": found.score,
            "text": found.text,
            "attributes": found.attributes,
        }
        for found in searched.found
    ]
    return {
        "id": new_id("fs_"),
        "type": "file_search_call",
        "status": "completed",
        "queries": [searched.query],
        "results": results if "file_search_call.results" in include else None,
    }


def code_item(program: Program, include: Collection[str]) -> _Object:
    """``code_interpreter_call``, with outputs where the request asks for them."""
    outputs = [{"type": "logs", "logs": program.logs}]
    return {
        "id": new_id("ci_"),
        "type": "code_interpreter_call",
        "status": "completed",
        "code": program.code,
        "container_id": new_id("cntr_"),
        "outputs": outputs if "code_interpreter_call.outputs" in include else None,
    }


def annotations(citations: Collection[Citation], text: str, container_id: str) -> list[_Object]:
    """A text's annotations; those beyond the end of a text that was cut are left out."""
    return [_annotation(one, container_id) for one in citations if one.end <= len(text)]


def _annotation(cited: Citation, container_id: str) -> _Object:
    if cited.file_id:
        return {
            "type": "file_citation",
            "file_id": cited.file_id,
            "filename": cited.filename,
            "index": cited.start,
        }
    return {
        "type": "container_file_citation",
        "container_id": container_id,
        "file_id": new_id("cfile_"),
        "filename": cited.filename,
        "start_index": cited.start,
        "end_index": cited.end,
    }


def write_search(writer: EventWriter, index: int, item: _Object) -> None:
    """The events of a file search."""
    place = {"item_id": item["id"], "output_index": index}
    added = {**item, "status": "in_progress", "queries": [], "results": None}
    writer.add("response.output_item.added", output_index=index, item=added)
    for state in ("in_progress", "searching", "completed"):
        writer.add(f"response.file_search_call.{state}", **place)
    writer.add("response.output_item.done", output_index=index, item=item)


def write_code(writer: EventWriter, index: int, item: _Object) -> None:
    """The events of a program that is written and run."""
    code, place = item["code"], {"item_id": item["id"], "output_index": index}
    added = {**item, "status": "in_progress", "code": "", "outputs": None}
    writer.add("response.output_item.added", output_index=index, item=added)
    writer.add("response.code_interpreter_call.in_progress", **place)
    writer.open_deltas("response.code_interpreter_call_code.delta", place)
    starts = range(0, len(code), _CODE_DELTA)
    writer.deltas(tuple(code[start : start + _CODE_DELTA] for start in starts))
    writer.add("response.code_interpreter_call_code.done", **place, code=code)
    writer.add("response.code_interpreter_call.interpreting", **place)
    writer.add("response.code_interpreter_call.completed", **place)
    writer.add("response.output_item.done", output_index=index, item=item)
