"""A run in the vocabulary of OpenAI's Assistants API (v2), as a pure state machine.

No I/O, no clock, no chance: the same log gives the same frames, byte for byte, however it is cut
into batches.
"""

from collections.abc import Callable, Mapping, Sequence

import msgspec

from gateway.engines.events import Event, ResponseGoesOn
from gateway.runs.lifecycle import RoundAnswered, RunCancelling, RunCreated, RunEnded
from gateway.runs.projections.assistants_leg import LEG_HANDLERS, ShownLeg
from gateway.runs.projections.assistants_runs import ShownRun, ending
from gateway.runs.projections.dialect import Dialect
from gateway.runs.projections.frames import Frame
from gateway.runs.projections.writer import Writer


class AssistantsProjection:
    """Turns one run's log into frames.

    Args:
        dialect: what the surface shows.
    """

    __slots__ = ("_course", "_dialect")

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
            if course.over:
                break
            if (of_leg := LEG_HANDLERS.get(event.type)) is not None:
                of_leg(course.leg, event)
            elif (of_course := _HANDLERS.get(event.type)) is not None:
                of_course(course, event)
        return course.writer.take()

    def _begin(self, event: Event) -> "_Course":
        head = msgspec.json.decode(event.raw, type=RunCreated)
        shows = self._dialect.shows_tool_calls or head.expose_tool_calls
        return _Course(self._dialect, Writer(head, shows))


class _Course:
    """A run's states and the responses that it is made of.

    Attributes:
        leg: the response that goes by.
        over: whether the run has ended.
    """

    __slots__ = ("_dialect", "_number", "_run", "_started", "leg", "over", "writer")

    def __init__(self, dialect: Dialect, writer: Writer) -> None:
        self.writer = writer
        self._dialect = dialect
        self._run = ShownRun.begin(writer, dialect)
        self._started = False
        self.over = False
        self._begin_leg(0)

    def _begin_leg(self, number: int) -> None:
        self._number = number
        self.leg = ShownLeg(self.writer, number, self._start)

    def _start(self) -> None:
        """Show once a leg that the run works."""
        if not self._started:
            self._started = True
            self._run.pass_through("in_progress")

    def response_changed(self, event: Event) -> None:
        queued = isinstance(event.body, ResponseGoesOn) and event.body.response.status == "queued"
        if not queued:
            self._start()

    def response_completed(self, event: Event) -> None:
        self._start()
        self.leg.complete_output(event)
        self.leg.complete()
        functions = self.leg.functions
        if functions is not None and self._dialect.passing_rounds:
            self._run.pass_through("requires_action", functions.required_action())

    def response_incomplete(self, event: Event) -> None:
        self.leg.complete_output(event)

    def round_answered(self, event: Event) -> None:
        self.leg.answer(msgspec.json.decode(event.raw, type=RoundAnswered))
        if self._dialect.passing_rounds:
            self._run.pass_through("queued")
            self._started = False
        self._begin_leg(self._number + 1)

    def cancelling(self, _: Event) -> None:
        self._run.pass_through("cancelling")

    def ended(self, event: Event) -> None:
        ended = msgspec.json.decode(event.raw, type=RunEnded)
        if ended.status == "cancelled":
            self._run.pass_through("cancelling")
        self.leg.end(ending(ended))
        self._run.end(ended)
        self.over = True
        del self.leg  # which knows this course: a circle, that would wait for the garbage collector


_HANDLERS: Mapping[str, Callable[[_Course, Event], None]] = {
    "response.created": _Course.response_changed,
    "response.in_progress": _Course.response_changed,
    "response.completed": _Course.response_completed,
    "response.incomplete": _Course.response_incomplete,
    RoundAnswered.TYPE: _Course.round_answered,
    RunCancelling.TYPE: _Course.cancelling,
    RunEnded.TYPE: _Course.ended,
}
