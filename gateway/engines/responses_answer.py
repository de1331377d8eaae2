"""Answers of a Responses upstream, streamed and whole, as batches of events."""

from typing import Any, cast

import msgspec

from gateway.engines.errors import Cause, EngineError
from gateway.engines.events import Event, decode, deltas
from gateway.engines.exchange import Exchange
from gateway.engines.sse import Splitter

_TERMINAL = frozenset(
    {
        "response.completed",
        "response.incomplete",
        "response.failed",
        "response.cancelled",
        "error",
    }
)
_STATES = _TERMINAL | {"response.created", "response.queued", "response.in_progress"}
_OURS = "gateway."  # what a run's log holds beside the upstream's events; never the upstream's
_UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
_encoder = msgspec.json.Encoder()
_INSTRUCTIONS = b'"instructions":'


class StreamedAnswer:
    """A stream: what arrives together is read together.

    Args:
        exchange: its head has come.
        instructions: the call's, as JSON. An upstream repeats them in every state of its response;
            they are the tenant's own and known, so ``null`` is kept in their place.
    """

    __slots__ = ("_ended", "_exchange", "_failure", "_instructions", "_splitter")

    def __init__(self, exchange: Exchange, instructions: bytes) -> None:
        self._exchange = exchange
        self._instructions = instructions
        self._splitter = Splitter()
        self._ended = False
        self._failure: EngineError | None = None

    def arrived(self) -> list[Event]:
        """See ``gateway.engines.ports.Answer``."""
        chunk = self._exchange.arrived()
        return self._events(chunk) if chunk else []

    async def read(self) -> list[Event]:
        """See ``gateway.engines.ports.Answer``."""
        while not self._ended:
            if self._failure is not None:
                raise self._failure
            chunk = await self._exchange.read()
            if not self._ended and (events := self._events(chunk)):
                return events
        return []

    async def close(self) -> None:
        """See ``gateway.engines.ports.Answer``."""
        self._ended = True
        self._exchange.close()

    def _events(self, chunk: bytes) -> list[Event]:
        """The chunk's events; what is wrong behind them is raised at the next read."""
        events: list[Event] = []
        try:
            came = self._splitter.feed(chunk)
            read = deltas([data for _, data in came])
            for at in [at for at, event in enumerate(read) if event is None]:
                events += cast("list[Event]", read[len(events) : at])
                event = _event(*came[at], self._instructions)
                events.append(event)
                if event.type in _TERMINAL:
                    self._ended = True
                    self._exchange.release()
                    return events
            events += cast("list[Event]", read[len(events) :])
        except EngineError as error:
            self._fail(error)
        except _UNREADABLE as error:
            self._fail(_broken("an event that is no JSON object", error))
        else:
            if not chunk or self._splitter.ended:
                self._fail(EngineError(Cause.BROKEN, detail="no terminal event"))
        return events

    def _fail(self, error: EngineError) -> None:
        self._failure = error
        self._exchange.close()


class WholeAnswer:
    """An unstreamed answer as the events that it stands for; ``instructions`` as of a stream."""

    __slots__ = ("_ended", "_exchange", "_instructions")

    def __init__(self, exchange: Exchange, instructions: bytes) -> None:
        self._exchange = exchange
        self._instructions = instructions
        self._ended = False

    def arrived(self) -> list[Event]:
        """See ``gateway.engines.ports.Answer``; nothing of it is told before the whole."""
        return []

    async def read(self) -> list[Event]:
        """See ``gateway.engines.ports.Answer``."""
        if self._ended:
            return []
        document = await self._exchange.read_whole()
        if self._ended:
            return []
        events = events_of(_without(self._instructions, document))
        self._ended = True
        return events

    async def close(self) -> None:
        """See ``gateway.engines.ports.Answer``."""
        self._ended = True
        self._exchange.close()


def _without(instructions: bytes, data: bytes) -> bytes:
    """Within a text quotes are escaped, so what is found is the field and nothing else."""
    start = data.find(_INSTRUCTIONS) + len(_INSTRUCTIONS)
    if start < len(_INSTRUCTIONS):
        return data
    start += data.startswith(b" ", start)
    if not data.startswith(instructions, start):
        return data
    return b"".join((data[:start], b"null", data[start + len(instructions) :]))


def events_of(document: bytes) -> list[Event]:
    """The events of a whole response: its creation, its items, its end.

    Raises:
        EngineError: BROKEN; it is no response object, or one that has not ended.
    """
    try:
        response = _one_line(document)
        fields = msgspec.json.decode(response, type=dict[str, msgspec.Raw])
        items = msgspec.json.decode(fields["output"], type=list[msgspec.Raw])
        status = msgspec.json.decode(fields.get("status", b'"completed"'))
    except (*_UNREADABLE, KeyError) as error:
        raise _broken("no response object", error) from None
    ending = f"response.{status}"
    if ending not in _TERMINAL:
        raise EngineError(Cause.BROKEN, detail="the response has not ended")
    events = [_made(0, "response.created", response=_begun(fields))]
    events += [
        _made(index + 1, "response.output_item.done", output_index=index, item=item)
        for index, item in enumerate(items)
    ]
    return [*events, _made(len(events), ending, response=msgspec.Raw(response))]


def _begun(fields: dict[str, msgspec.Raw]) -> dict[str, Any]:
    """The response as it was when it began."""
    began = {"status": "in_progress", "output": []}
    unknown = ("error", "incomplete_details", "usage", "completed_at")
    return {**fields, **began, **{name: None for name in unknown if name in fields}}


def _made(number: int, name: str, **fields: object) -> Event:
    raw = _encoder.encode({"type": name, "sequence_number": number, **fields})
    return decode(raw, name)


def _event(name: str | None, data: bytes, instructions: bytes) -> Event:
    """One event by the type in its JSON: a log is read again without the framing's name."""
    raw = data if data.isascii() and b"\n" not in data else _one_line(data)
    event = decode(raw)
    if not event.type and name:
        fields = msgspec.json.decode(raw, type=dict[str, msgspec.Raw])
        event = decode(_encoder.encode({"type": name, **fields}))
    if event.type.startswith(_OURS):
        raise EngineError(Cause.BROKEN, detail="an event in the gateway's own name")
    if event.type in _STATES:
        event.raw = _without(instructions, event.raw)
    return event


def _one_line(document: bytes) -> bytes:
    """The JSON document, checked to be UTF-8 and without line breaks, so that SSE can carry it.

    msgspec does not look into what it carries unread.
    """
    if not document.isascii():
        document.decode()
    return msgspec.json.format(document, indent=-1) if b"\n" in document else document


def _broken(what: str, error: Exception) -> EngineError:
    return EngineError(Cause.BROKEN, detail=f"{what}: {type(error).__name__}")
