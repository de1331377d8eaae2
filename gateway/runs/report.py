"""The canonical log line of a turn, and its counts."""

import structlog

from gateway.engines.errors import EngineError
from gateway.runs import outcome
from gateway.runs.lifecycle import RunEnded
from gateway.runs.live import LiveRun
from gateway.runs.ports import TurnMetrics

_log = structlog.get_logger(__name__)


def report(run: LiveRun, metrics: TurnMetrics) -> None:
    """Say once how a turn went; a turn that never existed was refused."""
    ending = _ending(run)
    _log.info(
        "turn_answered" if run.exists.error is None else "turn_refused",
        tenant_id=run.context.tenant_id,
        correlation_id=run.context.correlation_id,
        thread_id=run.thread_id,
        run_id=run.id,
        surface=run.request.surface,
        engine=run.assistant.engine,
        model=run.assistant.model,
        rounds=run.rounds,
        events=run.log.count,
        prompt_tokens=ending.usage.prompt_tokens,
        completion_tokens=ending.usage.completion_tokens,
        time_to_first_token_ms=run.first_token_ms,
        duration_ms=run.elapsed_ms(),
        outcome=ending.status,
        cause=ending.cause,
    )
    metrics.turn_ended(run.request.surface, ending)


def _ending(run: LiveRun) -> RunEnded:
    error = run.exists.error or run.ended.error
    if isinstance(error, EngineError):
        return outcome.failed(error)
    return run.ending if error is None and run.ending else outcome.broken()
