"""The log: one line an event, JSON or keyvalue, ours and the libraries' through the same chain."""

import contextlib
import logging
import sys
from collections.abc import Callable, Iterable, MutableMapping
from typing import Any, BinaryIO, TypeAlias

import msgspec
import structlog

from gateway.settings import Settings
from gateway.telemetry.redaction import redact_fields, scrubber

Event: TypeAlias = MutableMapping[str, Any]
Render: TypeAlias = Callable[[Event], bytes]
Processor: TypeAlias = Callable[[Any, str, Event], Any]

_SPECIAL = frozenset(" \"'=")
_encode = msgspec.json.Encoder(enc_hook=repr).encode


class LineWriter:
    """Where lines end up. A log that cannot be written never fails the work that it tells of."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def write(self, line: bytes) -> None:
        """Write one line and flush it."""
        with contextlib.suppress(OSError, ValueError):
            self._file.write(line + b"\n")
            self._file.flush()

    debug = info = warning = error = critical = write


class LibraryHandler(logging.Handler):
    """Hands the standard library's records to the chain: uvicorn's, asyncio's, warnings."""

    def __init__(self, chain: Iterable[Processor], writer: LineWriter) -> None:
        super().__init__()
        self._chain = tuple(chain)
        self._writer = writer

    def emit(self, record: logging.LogRecord) -> None:
        """Write one record."""
        try:
            level = record.levelname.lower()
            event: Any = {"event": record.getMessage(), "logger": record.name}
            if record.exc_info:
                event["exc_info"] = record.exc_info
            for process in self._chain:
                event = process(None, level, event)
            self._writer.write(event)
        except Exception:  # noqa: BLE001 - as every logging handler: a bad record is reported
            self.handleError(record)


def configure(settings: Settings, file: BinaryIO | None = None) -> None:
    """Send this process's log where the settings say. Call it once, before anything is logged.

    Args:
        settings: level, format, stream, and the secrets that must not appear.
        file: where to write instead of the settings' stream.
    """
    file = file or getattr(sys, settings.log_stream).buffer
    as_json = settings.log_format == "json" or (settings.log_format is None and not file.isatty())
    writer = LineWriter(file)
    chain = _chain(json_line if as_json else keyvalue_line, _secrets(settings))
    level = logging.getLevelNamesMapping()[settings.log_level]
    structlog.configure(
        processors=chain,
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=lambda *_: writer,
        cache_logger_on_first_use=True,
    )
    _take_over_libraries(LibraryHandler(chain, writer), level)


def json_line(event: Event) -> bytes:
    """One JSON object."""
    try:
        return _encode(_ordered(event))
    except (TypeError, ValueError, OverflowError):
        return _encode({ascii(name): ascii(value) for name, value in _ordered(event).items()})


def keyvalue_line(event: Event) -> bytes:
    """``time level event name=value …``; a traceback follows on lines of its own, marked."""
    ordered = _ordered(event)
    head = " ".join(str(ordered.pop(name, "")) for name in ("timestamp", "level", "event"))
    traceback = str(ordered.pop("exception", "")).splitlines()
    pairs = [f"{_one_line(name)}={_word(value)}" for name, value in ordered.items()]
    line = " ".join([_one_line(head), *pairs])
    return "\n  | ".join([line, *traceback]).encode(errors="backslashreplace")


def _chain(render: Render, secrets: Iterable[str]) -> list[Processor]:
    scrub = scrubber(secrets)
    return [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        redact_fields,
        lambda _logger, _method, event: scrub(render(event)),
    ]


def _secrets(settings: Settings) -> Iterable[str]:
    operators = (settings.openai_api_key, *settings.session_secrets, *settings.admin_keys)
    return filter(None, (*operators, *settings.tenant_secrets.values()))


def _take_over_libraries(handler: logging.Handler, level: int) -> None:
    """Route the standard library's log; below INFO libraries log whole frames and headers."""
    noise = logging.INFO if level < logging.INFO else logging.WARNING
    root = logging.getLogger()
    root.handlers = [handler]
    handler.setLevel(level)  # a library may set a lower level on a logger of its own
    root.setLevel(max(level, noise))
    logging.captureWarnings(capture=True)


def _ordered(event: Event) -> dict[str, Any]:
    first = {name: event[name] for name in ("timestamp", "level", "event") if name in event}
    return {**first, **event}


def _word(value: object) -> str:
    """The value as it is where it is one plain word; else as JSON, which has no line breaks."""
    if isinstance(value, str) and value.isprintable() and value and not set(value) & _SPECIAL:
        return value
    return _json(value).decode()


def _one_line(text: str) -> str:
    return text if text.isprintable() else _json(text).decode()


def _json(value: object) -> bytes:
    try:
        return _encode(value)
    except (TypeError, ValueError, OverflowError):
        return _encode(ascii(value))
