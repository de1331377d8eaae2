"""Logs of runs as the Assistants API shows them, in each dialect and with each ending."""

from hypothesis import strategies as st

from gateway.runs.projections.assistants import AssistantsProjection
from gateway.runs.projections.dialect import API, CONVERSATION, Dialect
from gateway.runs.projections.frames import Frame
from tests.fakes import run_logs as logs
from tests.fakes.run_logs import START_MS, Log

DIALECTS = st.sampled_from([CONVERSATION, API])
ENDINGS = {
    "completed": logs.ended(),
    "max_tokens": logs.ended("incomplete", reason="max_output_tokens"),
    "content_filter": logs.ended("incomplete", reason="content_filter"),
    "run_failed": logs.ended("failed", code="invalid_prompt", message="It broke."),
    "run_cancelled": logs.ended("cancelled"),
    "run_expired": logs.ended("expired"),
}


def project(log: Log, dialect: Dialect = CONVERSATION) -> list[Frame]:
    """All frames of a log that came in one batch."""
    return AssistantsProjection(dialect).feed(START_MS, log)
