"""Finding text in files by the words that they share with a question."""

import re
from collections.abc import Iterable

import attrs

from gateway.simulator.wording import stems, subjects

_LONGEST_CHUNK = 800  # characters
_PRINTED = re.compile(rb"[\t\n\r\x20-\x7e]{4,}")


@attrs.frozen(eq=False)
class Chunk:
    """A passage of a file.

    Args:
        stems: of its words.
    """

    text: str
    stems: frozenset[str]


@attrs.frozen
class Found:
    """A passage that answers a question.

    Args:
        score: from 0 to 1.
    """

    file_id: str
    filename: str
    text: str
    score: float
    attributes: dict[str, str | float | bool]


def chunks_of(content: bytes) -> tuple[Chunk, ...]:
    """A file's passages; of one that is not text, what can be read in its bytes."""
    try:
        text = content.decode()
    except UnicodeDecodeError:
        text = b"\n\n".join(_PRINTED.findall(content)).decode()
    return tuple(Chunk(passage, stems(passage)) for passage in _passages(text))


def _passages(text: str) -> Iterable[str]:
    for paragraph in re.split(r"\n\s*\n", text):
        stripped = paragraph.strip()
        for start in range(0, len(stripped), _LONGEST_CHUNK):
            yield stripped[start : start + _LONGEST_CHUNK]


def score(query: str, chunk: Chunk, filename: str) -> float:
    """How much of a question a passage speaks of, from 0 to 1; a file's name counts a little."""
    wanted = subjects(query)
    if not wanted:
        return 0.0
    named = wanted & stems(filename)
    return (len(wanted & chunk.stems) + 0.5 * len(named - chunk.stems)) / len(wanted)
