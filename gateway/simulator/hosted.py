"""The upstream's own tools: searching files and running code, and what is said of it."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

import attrs
import msgspec

from gateway.simulator import reading
from gateway.simulator.arithmetic import Program, program_for
from gateway.simulator.conversation import Calling, Citation, Conversation, Message, Searched
from gateway.simulator.errors import RefusedError
from gateway.simulator.searching import Found
from gateway.simulator.shelf import Shelf
from gateway.simulator.wording import clipped, stems, subjects

_USUAL_RESULTS = 20
_MOST_RESULTS = 50  # the API reference
_MOST_CITED = 3
_SENTENCE = re.compile(r"(?<=[.!?])\s+|\n+")


class _FileSearch(msgspec.Struct):
    vector_store_ids: list[str]
    max_num_results: int = _USUAL_RESULTS
    filters: dict[str, Any] | None = None


class _CodeInterpreter(msgspec.Struct):
    container: str | dict[str, Any]


@attrs.frozen(eq=False)
class Files:
    """The vector stores that a request may search."""

    shelf: Shelf
    store_ids: tuple[str, ...]
    most: int

    def search(self, query: str) -> tuple[Found, ...]:
        """The passages that answer a question best."""
        return tuple(self.shelf.search(self.store_ids, query, self.most))


def read_files(tools: Iterable[Mapping[str, Any]], shelf: Shelf) -> Files | None:
    """The vector stores that a request's tools name; None where it searches no files.

    Raises:
        RefusedError: 400; a tool is not of its form. 404; there is no such vector store.
    """
    for index, tool in enumerate(tools):
        if tool.get("type") == "file_search":
            asked = reading.convert(tool, _FileSearch, f"tools[{index}]")
            _check(asked, f"tools[{index}]")
            for store_id in asked.vector_store_ids:
                shelf.store(store_id)
            return Files(shelf, tuple(asked.vector_store_ids), asked.max_num_results)
    return None


def runs_code(tools: Iterable[Mapping[str, Any]]) -> bool:
    """Whether a request's tools hold the code interpreter.

    Raises:
        RefusedError: 400; without a container.
    """
    found = False
    for index, tool in enumerate(tools):
        if tool.get("type") == "code_interpreter":
            reading.convert(tool, _CodeInterpreter, f"tools[{index}]")
            found = True
    return found


def _check(asked: _FileSearch, param: str) -> None:
    if not asked.vector_store_ids:
        raise reading.missing(f"{param}.vector_store_ids")
    if not 1 <= asked.max_num_results <= _MOST_RESULTS:
        raise reading.unsupported(f"{param}.max_num_results", asked.max_num_results)
    if asked.filters is not None:
        raise RefusedError(400, "The simulator has no filters.", param=f"{param}.filters")


@attrs.frozen(eq=False)
class Used:
    """What was done with hosted tools, and what is said then.

    Args:
        text: empty where the usual answer is given.
    """

    searched: Searched | None = None
    program: Program | None = None
    text: str = ""
    citations: tuple[Citation, ...] = ()


NOTHING_USED = Used()


def use(conversation: Conversation) -> Used:
    """Search files or run code, where a message asks for it or the request demands it."""
    last = conversation.entries[-1] if conversation.entries else None
    allowed = conversation.calling is not Calling.NONE and conversation.script.rounds > 0
    if not allowed or not isinstance(last, Message) or last.role != "user":
        return NOTHING_USED
    program = program_for(last.text) if conversation.runs_code else None
    if program is not None and conversation.demanded != "file_search":
        return _ran(program)
    files = conversation.files
    wanted = subjects(last.text) or conversation.demanded == "file_search"
    if files is None or not wanted:
        return NOTHING_USED
    return _read(Searched(last.text, files.search(last.text)))


def _ran(program: Program) -> Used:
    text = f"The result is {program.logs.strip()}."
    if not program.file:
        return Used(program=program, text=text)
    link = f"sandbox:/mnt/data/{program.file}"
    start = len(text) + len(f" [Download {program.file}](")
    text += f" [Download {program.file}]({link})"
    cited = Citation("", program.file, start, start + len(link))
    return Used(program=program, text=text, citations=(cited,))


def _read(searched: Searched) -> Used:
    if not searched.found:
        return Used(searched=searched, text="")
    text, citations = "Here is what the files say.", []
    for found in _best_of_each(searched.found):
        text += f" {_sentence(found, searched.query)}"
        citations.append(Citation(found.file_id, found.filename, len(text)))
    return Used(searched, text=text, citations=tuple(citations))


def _best_of_each(found: Iterable[Found]) -> list[Found]:
    """The best passage of each file, of those that come near the best of all."""
    best: dict[str, Found] = {}
    for one in found:
        best.setdefault(one.file_id, one)
    highest = max(one.score for one in best.values())
    return [one for one in best.values() if one.score >= highest / 2][:_MOST_CITED]


def _sentence(found: Found, query: str) -> str:
    """The sentence of a passage that shares most with a question."""
    wanted = subjects(query)
    sentences = [one for one in _SENTENCE.split(found.text) if one.strip()]
    return clipped(max(sentences, key=lambda one: len(stems(one) & wanted)), 300)
