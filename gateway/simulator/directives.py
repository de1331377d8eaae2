"""The script of a request: settings in the model's name and in the newest user message.

In a message a directive is ``[[deltas=108 delay=10ms]]``: settings with blanks between. In a
model's name they follow ``sim-``: ``sim-burst-108+delay-10ms``. Brackets in which one setting is
not understood are plain text, since users write brackets too. The settings: docs/simulator.md.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

import attrs

_BRACKETS = re.compile(r"\[\[([^\[\]]{1,300})\]\]")
_QUANTITY = re.compile(r"(\d{1,9})(ms|s|kb|mb|b)?", re.IGNORECASE)
_UNITS = {"ms": 0.001, "s": 1.0, "b": 1, "kb": 1024, "mb": 1024 * 1024}
_MAX_COUNT = 100_000
_MAX_BYTES = 32 * 1024 * 1024
_MAX_SECONDS = 60.0
_CODE = re.compile(r"[a-z][a-z0-9_]{0,63}")


@attrs.frozen
class Place:
    """Where in a stream something happens.

    Args:
        events: after so many events.
        inside: how far into the next one: ``event`` for half of it, ``character`` for the first
            byte of a character of several, empty for not at all.
    """

    events: int = 0
    inside: str = ""


@attrs.frozen
class Script:
    """What a request wants to be played; all of it is off by default.

    Args:
        words: of the answer.
        deltas: pieces that the answer comes in.
        delay_seconds: before each delta.
        chunk_bytes: the size of one write.
        rounds: of function calls before the answer.
        incomplete: the reason an answer stops early for.
        failed: the code of a failed response.
        error: the code of an error event in mid-stream.
        status: of an HTTP error.
        retry_after: seconds; ``retry_after_ms`` milliseconds; headers of that error.
        code: of that error.
        cut: where the connection breaks, or, with ``clean``, where the body ends as it should.
        silence: where nothing comes any more.
        hang: no response head ever comes.
        big_bytes: a delta of that size.
        times: for how many requests with this text the faults last.
    """

    words: int | None = None
    deltas: int | None = None
    delay_seconds: float = 0.0
    chunk_bytes: int | None = None
    rounds: int = 1
    refusal: bool = False
    incomplete: str = ""
    failed: str = ""
    error: str = ""
    status: int | None = None
    retry_after: int | None = None
    retry_after_ms: int | None = None
    code: str | None = None
    cut: Place | None = None
    clean: bool = False
    silence: Place | None = None
    hang: bool = False
    unknown_events: bool = False
    garbage: bool = False
    endless: bool = False
    big_bytes: int = 0
    times: int | None = None
    reasoning: bool = False

    @property
    def speaks(self) -> bool:
        """Whether it wants an ending that only a text has, so that no function is called."""
        return bool(self.refusal or self.incomplete or self.failed or self.error)


def healed(script: Script) -> Script:
    """The same script once its faults are over: only the form of the answer is left."""
    return Script(
        words=script.words,
        deltas=script.deltas,
        delay_seconds=script.delay_seconds,
        chunk_bytes=script.chunk_bytes,
        rounds=script.rounds,
        reasoning=script.reasoning,
    )


Setting: TypeAlias = dict[str, Any]
_Reader: TypeAlias = Callable[[str], Setting | None]


def _whole(field: str, low: int, high: int) -> _Reader:
    def read(value: str) -> Setting | None:
        if not value.isascii() or not value.isdigit() or len(value) > 9:  # noqa: PLR2004 -- more digits than any bound here
            return None
        number = int(value)
        return {field: number} if low <= number <= high else None

    return read


def _quantity(field: str, units: str, limit: float) -> _Reader:
    """A number with a unit; ``units`` are those it may have, the first stands for none."""
    allowed = units.split()

    def read(value: str) -> Setting | None:
        match = _QUANTITY.fullmatch(value)
        unit = (match.group(2) or allowed[0]).lower() if match else ""
        if match is None or unit not in allowed:
            return None
        amount = int(match.group(1)) * _UNITS[unit]
        return {field: amount} if 0 < amount <= limit else None

    return read


def _flag(field: str) -> _Reader:
    return lambda value: None if value else {field: True}


def _one_of(field: str, allowed: str) -> _Reader:
    """One of some words; the first stands for no value."""
    words = allowed.split()
    return lambda value: {field: value or words[0]} if (value or words[0]) in words else None


def _code(value: str) -> Setting | None:
    return {"code": value} if _CODE.fullmatch(value) else None


def _place(field: str, names: Mapping[str, Place]) -> _Reader:
    after = _whole("events", 0, _MAX_COUNT)

    def read(value: str) -> Setting | None:
        if value in names:
            return {field: names[value]}
        count = after(re.sub(r"^after[=-]", "", value)) if value.startswith("after") else None
        return None if count is None else {field: Place(count["events"])}

    return read


_CUTS = {
    "mid-event": Place(4, "event"),
    "mid-character": Place(4, "character"),
    "before-first": Place(0),
}
# OpenAI's `Response.error.code`, but for the codes of images.
_FAILURES = (
    "server_error rate_limit_exceeded invalid_prompt data_residency_mismatch bio_policy "
    "misalignment_policy_violation vector_store_timeout"
)
_READERS: Mapping[str, _Reader] = {
    "words": _whole("words", 1, _MAX_COUNT),
    "deltas": _whole("deltas", 1, _MAX_COUNT),
    "burst": _whole("deltas", 1, _MAX_COUNT),
    "delay": _quantity("delay_seconds", "ms s", _MAX_SECONDS),
    "chunk": _quantity("chunk_bytes", "b kb mb", _MAX_BYTES),
    "rounds": _whole("rounds", 0, 100),
    "refusal": _flag("refusal"),
    "incomplete": _one_of("incomplete", "max_output_tokens content_filter"),
    "failed": _one_of("failed", _FAILURES),
    "error": _one_of("error", _FAILURES),
    "status": _whole("status", 400, 599),
    "retry-after": _whole("retry_after", 0, 86_400),
    "retry-after-ms": _whole("retry_after_ms", 0, 86_400_000),
    "code": _code,
    "cut": _place("cut", _CUTS),
    "clean": _flag("clean"),
    "silence": _place("silence", {"": Place(0)}),
    "hang": _flag("hang"),
    "unknown-events": _flag("unknown_events"),
    "garbage": _flag("garbage"),
    "endless": _flag("endless"),
    "big-event": _quantity("big_bytes", "b kb mb", _MAX_BYTES),
    "times": _whole("times", 1, 1000),
    "reasoning": _flag("reasoning"),
}
_LONGEST_FIRST = sorted(_READERS, key=len, reverse=True)


def split(message: str) -> tuple[str, Setting]:
    """Take the directives out of a message.

    Args:
        message: the newest user message.

    Returns:
        What is left of it, and the settings of ``Script`` that were found.
    """
    settings: Setting = {}

    def take(match: re.Match[str]) -> str:
        found = _settings(match.group(1).split(), "=")
        settings.update(found or {})
        return match.group(0) if found is None else ""

    rest = _BRACKETS.sub(take, message)
    return (rest.strip() if settings else message), settings


def of_model(model: str) -> Setting:
    """The settings in a model's name; none where it does not start with ``sim-``."""
    head, _, rest = model.partition("sim-")
    return {} if head or not rest else _settings(rest.split("+"), "-") or {}


def _settings(words: list[str], sign: str) -> Setting | None:
    """The settings that some words stand for, or None where one is not understood."""
    settings: Setting = {}
    for word in words:
        name = next((n for n in _LONGEST_FIRST if word == n or word.startswith(n + sign)), None)
        found = None if name is None else _READERS[name](word[len(name) + 1 :])
        if found is None:
            return None
        settings.update(found)
    return settings or None
