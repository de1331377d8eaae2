"""Which runs of this process a context reaches: those of its end user, or of its one thread.

The store sees to that for what is stored; this is for runs that are found in memory.
"""

from gateway.runs.live import LiveRun
from gateway.store.errors import NotFoundError
from gateway.store.ports import Threads
from tenants.context import TenantContext


async def require_thread(store: Threads, context: TenantContext, thread_id: str | None) -> None:
    """Let a context on to a thread, or start one.

    Raises:
        NotFoundError: it does not reach a thread of that id.
    """
    if context.restricted and thread_id is not None:
        await store.thread(context, thread_id)


async def require_run(store: Threads, context: TenantContext, run: LiveRun) -> None:
    """Let a context on to a run that works.

    Raises:
        NotFoundError: it does not reach the run's thread.
    """
    if not context.restricted or await _reaches(store, context, run):
        return
    raise NotFoundError("run", run.id)


async def _reaches(store: Threads, context: TenantContext, run: LiveRun) -> bool:
    if run.request.thread_id is None:  # Its thread may not be stored yet.
        return context.reaches(run.thread_id, run.context.user)
    try:
        await store.thread(context, run.thread_id)
    except NotFoundError:
        return False
    return True
