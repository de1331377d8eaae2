"""Turns: starting, joining, cancelling and finding them again."""

import asyncio
import secrets
import time
from weakref import WeakValueDictionary

import attrs

from gateway.runs.admission import Admission
from gateway.runs.errors import (
    DrainingError,
    EventsExpiredError,
    IdempotencyMismatchError,
    RunEndedError,
)
from gateway.runs.ids import new_id
from gateway.runs.items import user_message
from gateway.runs.lifecycle import RunCreated, RunEnded
from gateway.runs.live import LiveRun, TurnRequest
from gateway.runs.log import RunLog
from gateway.runs.reach import require_run, require_thread
from gateway.runs.report import report
from gateway.runs.stored import ending_of, head_of, outline
from gateway.runs.supervisor import Supervisor
from gateway.runs.turn import Turn, TurnServices
from gateway.store.errors import StoreError, StoreUnavailableError, ThreadBusyError
from gateway.store.model import Fence, Item, Run, Thread
from tenants.compiled import CompiledTenant
from tenants.context import TenantContext

_FORGOTTEN_AT_ONCE = 16  # threads: some 5 ms, for which others' writes wait


@attrs.frozen
class Joined:
    """A run that a client may follow, live or stored.

    Args:
        log: its events; closed already where the run has ended.
        live: the run, while it works.
        ending: of a stored run.
        items: of a stored run: what it added to its thread.
    """

    head: RunCreated
    log: RunLog
    live: LiveRun | None = None
    ending: RunEnded | None = None
    items: tuple[Item, ...] = ()

    async def ended(self) -> tuple[RunEnded, tuple[Item, ...]]:
        """Wait for its end: how it ended, and what it added to its thread.

        Raises:
            StoreError: its end could not be stored.
        """
        if self.live is not None:
            return await self.live.ended.result(), tuple(self.live.items)
        return self.ending or RunEnded("in_progress"), self.items


class Orchestrator:
    """Owns the runs of this process."""

    def __init__(self, services: TurnServices) -> None:
        self._services = services
        self._store = services.store
        self._admission = Admission()
        self._supervisor = Supervisor()
        self._owner = secrets.token_hex(8)
        self._draining = False
        self._logs: WeakValueDictionary[tuple[str, str], RunLog] = WeakValueDictionary()

    def working(self) -> int:
        """How many runs work now."""
        return len(self._admission)

    @property
    def draining(self) -> bool:
        """Whether the process is stopping."""
        return self._draining

    async def start(
        self, tenant: CompiledTenant, context: TenantContext, request: TurnRequest
    ) -> Joined:
        """Start a run for a message, or join the one that answers it already.

        Returns:
            The run, once it exists.

        Raises:
            DrainingError: the process is stopping.
            TenantLeavingError: the tenant's threads are being deleted.
            NotFoundError: there is no such thread within the tenant.
            ThreadBusyError: another message is being answered on the thread.
            IdempotencyMismatchError: the key was used for another body.
            EngineError: the upstream failed before the run existed.
            StoreError: the store failed before the run existed.
            TenantsError: the tenant's secret could not be read.
        """
        if (joined := await self._repeated(context, request)) is not None:
            return joined
        await require_thread(self._store, context, request.thread_id)
        run = self._admission.joinable(context.tenant_id, request)
        if run is None:
            cut = self._admission.cut_run(context.tenant_id, request)
            if cut is not None:
                return await self._outlined(context, cut)
            return await _existing(self._admit(tenant, context, request))
        await require_run(self._store, context, run)
        return await _shared(run)

    async def find(self, context: TenantContext, run_id: str) -> Joined:
        """A run to follow from its first event on.

        Raises:
            NotFoundError: there is no such run within the tenant.
            EventsExpiredError: it has ended, and its events are kept no longer.
            StoreError: the store could not be read.
        """
        live = await self._live(context, run_id)
        if live is not None:
            return await _shared(live)
        run, ending = await self._ended_run(context, run_id)
        log = await self._stored_log(context, run_id)
        if log is not None:
            return Joined(head_of(run), log, ending=ending)
        if ending.lost:
            return Joined(head_of(run), outline(run, ()), ending=ending)
        raise EventsExpiredError(run_id)

    async def status(self, context: TenantContext, run_id: str) -> tuple[Run, RunEnded | None]:
        """A run as stored, and how it ended if it did.

        Raises:
            NotFoundError: there is no such run within the tenant.
            StoreError: the store could not be read.
        """
        run = await self._stored(context, run_id)
        return run, ending_of(run)

    async def cancel(self, context: TenantContext, run_id: str) -> Run:
        """Ask a run to end.

        Returns:
            The run as it was.

        Raises:
            NotFoundError: there is no such run within the tenant.
            RunEndedError: it has ended already.
        """
        run = await self._stored(context, run_id)
        live = self._admission.run(context.tenant_id, run_id)
        if live is None or not (live.stop("cancelled") or live.stop_reason == "cancelled"):
            raise RunEndedError(run_id, run.status)
        return run

    async def _stored(self, context: TenantContext, run_id: str) -> Run:
        if (live := await self._live(context, run_id)) is not None:
            await live.share()
        return await self._store.run(context, run_id)

    async def _live(self, context: TenantContext, run_id: str) -> LiveRun | None:
        """A run that works now, within the context's reach."""
        live = self._admission.run(context.tenant_id, run_id)
        if live is not None:
            await require_run(self._store, context, live)
        return live

    async def delete_thread(self, context: TenantContext, thread_id: str) -> None:
        """Delete a thread on which no run works.

        Raises:
            NotFoundError: there is no such thread within the tenant.
            ThreadBusyError: a run works on it.
            StoreError: the store could not be written.
        """
        await require_thread(self._store, context, thread_id)
        if (run := self._admission.working(context.tenant_id, thread_id)) is not None:
            raise ThreadBusyError(thread_id, run.id)
        await self._store.delete_thread(context, thread_id)
        self._admission.forget(context.tenant_id, thread_id)

    async def create_thread(self, context: TenantContext, thread: Thread) -> None:
        """Keep a new, empty thread.

        Raises:
            TenantLeavingError: the tenant's threads are being deleted.
            StoreError: the store could not be written.
        """
        self._admission.require_open(context.tenant_id)
        await self._store.create_thread(context, thread)

    async def delete_tenant(self, context: TenantContext) -> int:
        """Delete everything that is stored of a tenant, some threads at a time.

        Its runs end as cancelled, and nothing of it begins meanwhile.

        Returns:
            How many threads.

        Raises:
            StoreUnavailableError: the store failed, or runs could not end; what is deleted by then
                stays deleted.
        """
        with self._admission.closed(context.tenant_id):
            await self._end_runs(context.tenant_id)
            deleted = 0
            while forgotten := await self._store.forget(context, _FORGOTTEN_AT_ONCE):
                deleted += forgotten
            self._admission.forget_all(context.tenant_id)
        return deleted

    async def _end_runs(self, tenant_id: str) -> None:
        runs = self._admission.runs_of(tenant_id)
        for run in runs:
            run.stop("cancelled")
        tasks = [run.task for run in runs if run.task is not None]
        if tasks:
            _, working = await asyncio.wait(tasks, timeout=self._services.limits.commit_seconds)
            if working:
                raise StoreUnavailableError(f"{len(working)} runs of the tenant have not ended")

    def left(self, context: TenantContext, joined: Joined, *, whole: bool) -> None:
        """Remember that a client went away before it had read the run's end, or that one read it.

        Args:
            context: the client's.
            joined: what it followed.
            whole: whether it was sent the end.
        """
        if whole:
            head = joined.head
            self._admission.delivered(context.tenant_id, head.thread_id, head.run_id)
        elif joined.live is not None:
            self._admission.cut(joined.live)

    async def drain(self, grace_seconds: float) -> None:
        """Take no new turns; give those that work some time, then end them as failed."""
        self._draining = True
        if not await self._supervisor.idle(grace_seconds):
            for run in self._admission.runs():
                run.stop("shutdown")
            await self._supervisor.idle(self._services.limits.commit_seconds)

    async def _repeated(self, context: TenantContext, request: TurnRequest) -> Joined | None:
        """The run that this ``Idempotency-Key`` started, if it did."""
        if request.key is None:
            return None
        used = await self._store.run_by_key(context, request.key.scope, request.key.key)
        if used is None:
            return None
        key, run_id = used
        if key.body != request.key.body:
            raise IdempotencyMismatchError
        return await self._outlined(context, run_id)

    async def _outlined(self, context: TenantContext, run_id: str) -> Joined:
        """A run with its items, and an outline where its events are gone."""
        live = await self._live(context, run_id)
        if live is not None:
            return await _shared(live)
        run, ending = await self._ended_run(context, run_id)
        items = tuple(await self._store.run_items(context, run_id))
        log = await self._stored_log(context, run_id) or outline(run, items)
        return Joined(head_of(run), log, ending=ending, items=items)

    async def _stored_log(self, context: TenantContext, run_id: str) -> RunLog | None:
        """An ended run's log, one for all who read it now: it may be a hundred times its row."""
        place = (context.tenant_id, run_id)
        if (log := self._logs.get(place)) is not None:
            return log
        events = await self._store.run_events(context, run_id)
        if events is None:
            return None
        # Somebody may have been quicker meanwhile.
        if (log := self._logs.get(place)) is None:
            log = self._logs[place] = RunLog(events)
        return log

    async def _ended_run(self, context: TenantContext, run_id: str) -> tuple[Run, RunEnded]:
        run, ending = await self.status(context, run_id)
        if ending is None:
            raise StoreUnavailableError("the run is owned by another process")
        return run, ending

    def _admit(
        self, tenant: CompiledTenant, context: TenantContext, request: TurnRequest
    ) -> LiveRun:
        if self._draining:
            raise DrainingError
        self._admission.require_open(context.tenant_id)
        if not self._store.healthy():
            raise StoreUnavailableError("the last write failed")
        run = self._new_run(tenant, context, request)
        self._admission.enter(run)
        run.task = self._supervisor.spawn(self._drive(run))
        return run

    def _new_run(
        self, tenant: CompiledTenant, context: TenantContext, request: TurnRequest
    ) -> LiveRun:
        now = int(time.time())
        assistant = tenant.default
        head = RunCreated(
            run_id=new_id("run"),
            thread_id=request.thread_id or new_id("thread"),
            assistant_id=assistant.id,
            model=assistant.model,
            correlation_id=context.correlation_id,
            created_at=now,
            temperature=assistant.temperature,
            expose_tool_calls=tenant.expose_tool_calls,
        )
        return LiveRun(
            tenant=tenant,
            context=context,
            assistant=assistant,
            request=request,
            head=head,
            fence=Fence(head.run_id, self._owner, 1),
            message=user_message(request.message, now),
        )

    async def _drive(self, run: LiveRun) -> None:
        turn = Turn(run, self._services)
        run.write = turn.exist
        limits = self._services.limits
        first = min(limits.exists_after_seconds, limits.run_seconds)
        run.timer = asyncio.get_running_loop().call_later(first, self._grown_slow, run, turn)
        try:
            await turn.drive()
        finally:
            run.timer.cancel()
            run.write = None  # a circle of two otherwise, with all that the run has left behind
            self._admission.leave(run)
            report(run, self._services.metrics)

    def _grown_slow(self, run: LiveRun, turn: Turn) -> None:
        """Let a run exist that nobody has answered yet; and later, end it."""
        limits = self._services.limits
        left = limits.run_seconds - limits.exists_after_seconds
        if left <= 0:
            run.stop("overdue")
        else:
            self._supervisor.spawn(_exist(turn))
            run.timer = asyncio.get_running_loop().call_later(left, run.stop, "overdue")


async def _shared(run: LiveRun) -> Joined:
    await run.share()
    return await _existing(run)


async def _existing(run: LiveRun) -> Joined:
    await run.exists.result()
    return Joined(run.head, run.log, run)


async def _exist(turn: Turn) -> None:
    try:
        await turn.exist()
    except StoreError:
        return  # the turn itself sees it, and answers with it
