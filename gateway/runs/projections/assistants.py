"""A run in the vocabulary of OpenAI's Assistants API (v2), as a pure state machine.

No I/O, no clock, no chance: the same log gives the same frames, byte for byte, however it is cut
into batches.
"""

from collections.abc import Sequence

import msgspec

from gateway.engines.events import Event, ResponseChanged
from gateway.runs.lifecycle import RoundAnswered, RunCancelling, RunCreated, RunEnded
from gateway.runs.projections.assistants_leg import Handler, ShownLeg
from gateway.runs.projections.assistants_runs import ShownRun, ending
from gateway.runs.projections.dialect import Dialect
from gateway.runs.projections.frames import Frame
from gateway.runs.projections.writer import Writer


class AssistantsProjection:
    """Turns one run's log into frames.

    Args:
        dialect: what the surface shows.
    """

    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect
        self._course: _Course | None = None

    def feed(self, at_ms: int, events: Sequence[Event]) -> list[Frame]:
        """Read the next events of the log, which opens with the run's head.

        Args:
            at_ms: when they came, as Unix time in milliseconds.
            events: the next batch, however the log was cut.

        Returns:
            What they show; nothing without the head, and nothing after the run's end.
        """
        course = self._course
        if course is None:
            if not events or events[0].type != RunCreated.TYPE:
                return []
            course = self._course = self._begin(events[0])
        course.writer.now = at_ms // 1000
        for event in events:
            handler = course.handlers.get(event.type)
            if handler is not None:
                handler(event)
        return course.writer.take()

    def _begin(self, event: Event) -> "_Course":
        head = msgspec.json.decode(event.raw, type=RunCreated)
        shows = self._dialect.shows_tool_calls or head.expose_tool_calls
        return _Course(self._dialect, Writer(head, shows))


class _Course:
    """A run's states and the responses that it is made of.

    Attributes:
        handlers: what to do with an event of each type, as things stand.
    """

    def __init__(self, dialect: Dialect, writer: Writer) -> None:
        self.writer = writer
        self._dialect = dialect
        self._run = ShownRun.begin(writer, dialect)
        self._started = False
        self._begin_leg(0)

    def _begin_leg(self, number: int) -> None:
        self._number = number
        self._leg = ShownLeg(self.writer, number, self._start)
        self.handlers: dict[str, Handler] = {
            "response.created": self._response_changed,
            "response.in_progress": self._response_changed,
            "response.completed": self._response_completed,
            "response.incomplete": self._leg.complete_output,
            RoundAnswered.TYPE: self._round_answered,
            RunCancelling.TYPE: self._cancelling,
            RunEnded.TYPE: self._ended,
            **self._leg.handlers(),
        }

    def _start(self) -> None:
        """Show once a leg that the run works."""
        if not self._started:
            self._started = True
            self._run.pass_through("in_progress")

    def _response_changed(self, event: Event) -> None:
        queued = isinstance(event.body, ResponseChanged) and event.body.response.status == "queued"
        if not queued:
            self._start()

    def _response_completed(self, event: Event) -> None:
        self._start()
        self._leg.complete_output(event)
        self._leg.complete()
        functions = self._leg.functions
        if functions is not None and self._dialect.passing_rounds:
            self._run.pass_through("requires_action", functions.required_action())

    def _round_answered(self, event: Event) -> None:
        self._leg.answer(msgspec.json.decode(event.raw, type=RoundAnswered))
        if self._dialect.passing_rounds:
            self._run.pass_through("queued")
            self._started = False
        self._begin_leg(self._number + 1)

    def _cancelling(self, _: Event) -> None:
        self._run.pass_through("cancelling")

    def _ended(self, event: Event) -> None:
        ended = msgspec.json.decode(event.raw, type=RunEnded)
        if ended.status == "cancelled":
            self._run.pass_through("cancelling")
        self._leg.end(ending(ended))
        self._run.end(ended)
        # Nothing follows; what refers to each other here would wait for the garbage collector.
        self.handlers = {}
        del self._leg
