"""The JSON of turns and runs."""

from collections.abc import Sequence
from typing import Any

from gateway.runs.lifecycle import RunCreated, RunEnded
from gateway.runs.projections.answer import responses
from gateway.store.model import Item, Run


def chat_answer(
    head: RunCreated, ending: RunEnded, items: Sequence[Item], correlation_id: str
) -> dict[str, Any]:
    """What ``POST /chat`` answers to a run that was completed or is incomplete."""
    answer = {
        "responses": responses(items),
        "thread_id": head.thread_id,
        "run_id": head.run_id,
        "status": ending.status,
        "correlation_id": correlation_id,
        "usage": usage(ending),
    }
    if ending.status == "incomplete":
        answer["incomplete_details"] = {"reason": ending.reason}
    return answer


def run_object(run: Run, ending: RunEnded | None) -> dict[str, Any]:
    """How a run stands, for ``GET /runs/{id}``."""
    error = None
    if ending is not None and ending.status == "failed":
        error = {"code": ending.code, "message": ending.message}
    return {
        "id": run.id,
        "object": "thread.run",
        "thread_id": run.thread_id,
        "assistant_id": run.assistant_id,
        "model": run.model,
        "status": run.status,
        "created_at": run.created_at,
        "ended_at": run.ended_at,
        "last_error": error,
        "usage": None if ending is None else usage(ending),
        "correlation_id": run.correlation_id,
    }


def usage(ending: RunEnded) -> dict[str, int]:
    """Tokens of a run."""
    return {
        "prompt_tokens": ending.usage.prompt_tokens,
        "completion_tokens": ending.usage.completion_tokens,
        "total_tokens": ending.usage.total_tokens,
    }
