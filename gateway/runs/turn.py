"""One turn, driven from its admission to its committed end."""

import asyncio
import time
from collections.abc import Sequence

import attrs
import structlog

from gateway.engines.errors import Cause, EngineError
from gateway.engines.events import Event
from gateway.engines.ports import Answer, Call, Engine
from gateway.runs import lifecycle, log, outcome
from gateway.runs.credentials import Account, Credentials
from gateway.runs.errors import DrainingError, TenantLeavingError
from gateway.runs.items import Maker, newest, replayable
from gateway.runs.leg import Leg, Output
from gateway.runs.lifecycle import RoundAnswered, RunCancelling, RunEnded, ToolOutput, Usage
from gateway.runs.live import LiveRun
from gateway.runs.ports import TurnMetrics
from gateway.store.errors import StoreError, StoreUnavailableError
from gateway.store.model import Item, RunBegin, RunEnd, Thread
from gateway.store.ports import Store
from gateway.tools.ports import ToolCall, ToolExecutor
from tenants.errors import SecretMissingError, SecretsUnavailableError

_log = structlog.get_logger(__name__)


@attrs.frozen
class TurnLimits:
    """Bounds of one run.

    Args:
        exists_after_seconds: when a run exists though its upstream has not answered yet.
        run_seconds: the longest that a run may take.
        log_bytes: the most that its events may take in memory.
        history_items: how much of a thread its model is sent.
        history_bytes: the same in bytes.
        commit_seconds: how long clients wait for a store that is away.
        commit_retry_seconds: between two tries to write a run's end.
    """

    exists_after_seconds: float = 10
    run_seconds: float = 1800
    log_bytes: int = 32 * 2**20
    history_items: int = 1000
    history_bytes: int = 8 * 2**20
    commit_seconds: float = 60
    commit_retry_seconds: float = 0.5


@attrs.frozen
class TurnServices:
    """What a turn works with."""

    engine: Engine
    executor: ToolExecutor
    store: Store
    credentials: Credentials
    metrics: TurnMetrics
    limits: TurnLimits = attrs.field(factory=TurnLimits)


class Turn:
    """Drives one live run; the only writer of its log."""

    __slots__ = ("_account", "_head", "_leg", "_maker", "_run", "_services", "_usage")

    def __init__(self, run: LiveRun, services: TurnServices) -> None:
        self._run = run
        self._services = services
        self._usage = Usage()
        self._leg: Leg | None = None
        self._maker = Maker(run.id, run.assistant.id)
        self._head = lifecycle.event(run.head)

    async def drive(self) -> None:
        """Work until the run's end is committed, or until it is known that it never exists."""
        run = self._run
        run.ending, error = await self._outcome()
        if not (run.begun or run.answered):
            run.exists.fail(error or DrainingError())
            return
        if run.begun:
            await run.exists.wait()
        if run.exists.error is None:
            await self._end_surely(run.ending)

    async def exist(self) -> None:
        """Make the run exist: written, so that whoever hears of it will find it.

        Raises:
            StoreError: it could not be written; the run never exists.
        """
        run = self._run
        if run.begun:
            await run.exists.result()
            return
        run.begun = True
        self._open_log()
        try:
            await self._services.store.begin_run(run.context, self._begin())
        except StoreError as error:
            run.exists.fail(error)
            raise
        except asyncio.CancelledError:
            run.exists.fail(DrainingError())
            raise
        run.exists.settle(None)

    def _open_log(self) -> None:
        """Its head is the first thing in a run's log."""
        if not self._run.log:
            self._run.log.append(self._run.head.created_at * 1000, [self._head])

    def _begin(self) -> RunBegin:
        run = self._run
        new = run.request.thread_id is None
        return RunBegin(
            fence=run.fence,
            thread_id=run.thread_id,
            assistant_id=run.assistant.id,
            model=run.assistant.model,
            created_at=run.head.created_at,
            correlation_id=run.context.correlation_id,
            head=self._head.raw,
            items=(run.message,),
            thread=Thread(run.thread_id, run.head.created_at, user=run.context.user)
            if new
            else None,
            key=run.request.key,
        )

    async def _outcome(self) -> tuple[RunEnded, Exception | None]:
        """How the work ended, and the error that is the answer if the run does not exist."""
        run = self._run
        try:
            return await self._work(), None
        except asyncio.CancelledError:
            _uncancel()
            return self._stopped(run.stop_reason)
        except EngineError as error:
            _log.warning("upstream_failed", run_id=run.id, **_facts(error))
            return outcome.failed(error), error
        except (SecretMissingError, SecretsUnavailableError) as error:
            _log.warning("upstream_key_missing", run_id=run.id, reason=str(error))
            return outcome.broken(), error
        except Exception as error:  # noqa: BLE001 - whatever breaks, the run gets an end
            if not isinstance(error, StoreError):
                _log.exception("turn_broken", run_id=run.id)
            return outcome.broken(), error

    def _stopped(self, reason: str | None) -> tuple[RunEnded, Exception | None]:
        if reason == "overdue":
            error = EngineError(Cause.TIMED_OUT)
            return outcome.failed(error), error
        if reason == "cancelled":
            self._append([lifecycle.event(RunCancelling())])
            # Before it exists nobody can name it: then its tenant's threads are being deleted.
            return outcome.stopped(reason), TenantLeavingError(self._run.tenant.tenant_id)
        return outcome.stopped(reason), None

    async def _work(self) -> RunEnded:
        """Round after round, until the model calls no more functions."""
        run = self._run
        self._use(await self._services.credentials.account(run.tenant))
        items = [*await self._history(), run.message]
        for number in range(run.assistant.max_rounds + 1):
            run.rounds = number + 1
            last = number == run.assistant.max_rounds
            leg = await self._round(items, tools=not last)
            if leg.concludes:
                break
            if last:
                return outcome.endless()
            items += await self._answered(number, leg)
        return outcome.answered(leg)

    async def _history(self) -> list[Item]:
        run = self._run
        if run.request.thread_id is None:
            return []
        store = self._services.store
        limits = self._services.limits
        items = await store.items(run.context, run.thread_id, limits.history_items)
        if not items:
            await store.thread(run.context, run.thread_id)
        return newest(items, limits.history_bytes)

    def _use(self, account: Account) -> None:
        self._account = account
        self._maker.origin = account.origin

    async def _round(self, items: list[Item], *, tools: bool) -> Leg:
        run = self._run
        answer = await self._accepted(items, tools=tools)
        run.answered = True
        self._open_log()
        leg = self._leg = Leg(run.log)
        try:
            self._take(answer.arrived(), leg)
            # Nobody has heard of the run yet: where all of it has come, it is written once.
            if not leg.concludes and (run.request.stream or run.shared):
                await self.exist()
            while events := await answer.read():
                self._take(events, leg)
        finally:
            await answer.close()
            self._count(leg.usage)
        return leg

    async def _accepted(self, items: list[Item], *, tools: bool) -> Answer:
        """The upstream's answer; where it does not accept the key and there is another, with that.

        So a key is rotated without a restart. What the old account alone can read stays behind.
        """
        try:
            return await self._open(self._request(items, tools=tools))
        except EngineError as error:
            if error.cause is not Cause.UNAUTHORIZED:
                raise
            credentials = self._services.credentials
            account = await credentials.renewed(self._run.tenant, self._account)
            if account is None:
                raise
        _log.info("upstream_key_renewed", run_id=self._run.id)
        self._use(account)
        return await self._open(self._request(items, tools=tools))

    def _request(self, items: list[Item], *, tools: bool) -> Call:
        run = self._run
        return Call(
            assistant=run.assistant,
            credential=self._account.credential,
            input=replayable(items, self._account.origin),
            stream=run.request.stream,
            tools_allowed=tools,
            prompt_cache_key=run.tenant.tenant_id,
            correlation_id=run.context.correlation_id,
        )

    async def _open(self, call: Call) -> Answer:
        metrics = self._services.metrics
        try:
            answer = await self._services.engine.open(call)
        except EngineError as error:
            metrics.upstream_called(error.cause.value)
            raise
        metrics.upstream_called("answered")
        return answer

    def _take(self, came: Sequence[Event], leg: Leg) -> None:
        if not came:
            return
        run, events = self._run, self._account.blanked(came)
        leg.feed(events)
        if leg.spoke and run.first_token_ms is None:
            run.first_token_ms = run.elapsed_ms()
        self._append(events)
        if run.log.size > self._services.limits.log_bytes:
            raise EngineError(Cause.BROKEN, detail="the answer is longer than what is kept")

    def _append(self, events: Sequence[Event]) -> None:
        self._run.log.append(time.time_ns() // 1_000_000, events)

    def _count(self, usage: Usage) -> None:
        self._usage = Usage(
            self._usage.prompt_tokens + usage.prompt_tokens,
            self._usage.completion_tokens + usage.completion_tokens,
            self._usage.total_tokens + usage.total_tokens,
        )

    async def _answered(self, number: int, leg: Leg) -> list[Item]:
        """Run a round's functions; calls and outputs are written together."""
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(self._call(output)) for output in leg.calls]
        outputs = [task.result() for task in tasks]
        items = self._maker.finished(number, leg, outputs, int(time.time()))
        await self.exist()
        # What the store was given is written, whoever stops waiting for it: never give it twice.
        self._leg = None
        self._run.items += items
        await self._services.store.save_items(self._run.context, self._run.fence, items)
        self._append([lifecycle.event(RoundAnswered(outputs))])
        return items

    async def _call(self, output: Output) -> ToolOutput:
        run = self._run
        call = ToolCall(
            call_id=output.call_id,
            name=output.text("name"),
            arguments=output.arguments,
            thread_id=run.thread_id,
            correlation_id=run.context.correlation_id,
        )
        result = await self._services.executor.run(run.tenant, run.assistant, call)
        self._services.metrics.tool_called(failed=result.failed)
        return ToolOutput(output.call_id, result.output, result.failed)

    async def _end_surely(self, ending: RunEnded) -> None:
        """End it, if need be as failed and without its last items: nobody may wait for ever."""
        run = self._run
        try:
            await self._end(ending)
        except Exception:  # noqa: BLE001 - whatever breaks, the run gets an end
            _log.exception("run_end_broken", run_id=run.id)
            self._leg, run.ending = None, outcome.broken()
            try:
                await self._end(run.ending)
            except Exception as error:
                run.ended.fail(error)
                raise  # to the supervisor's log
        finally:
            if not run.exists.done and run.ended.error is not None:
                run.exists.fail(run.ended.error)
            run.log.close()

    async def _end(self, ending: RunEnded) -> None:
        """Commit the end, and only then tell it."""
        run = self._run
        ending.usage = self._usage
        ending.elapsed_ms = run.elapsed_ms()
        ending.first_token_ms = run.first_token_ms
        batch = log.Batch(time.time_ns() // 1_000_000, [lifecycle.event(ending)])
        items = self._last_items(ending, batch.at_ms // 1000)
        end = RunEnd(
            fence=run.fence,
            status=ending.status,
            ended_at=batch.at_ms // 1000,
            ending=batch.events[0].raw,
            items=tuple(items),
            events=run.log.encoded(batch),
        )
        if await (self._commit(end) if run.begun else self._record(end)):
            run.items += items
            run.log.append(*batch)
            run.ended.settle(ending)

    def _last_items(self, ending: RunEnded, now: int) -> list[Item]:
        leg = self._leg
        if leg is None:
            return []
        number = self._run.rounds - 1
        if ending.status == "completed" and not leg.calls:
            return self._maker.finished(number, leg, (), now)
        return self._maker.interrupted(number, leg, outcome.message_reason(ending), now)

    async def _record(self, end: RunEnd) -> bool:
        """Write begin and end of a run that nobody has heard of yet, or fail its request."""
        run = self._run
        run.begun = True
        try:
            await self._services.store.record_run(run.context, self._begin(), end)
        except StoreError as error:
            run.exists.fail(error)
            return False
        run.exists.settle(None)
        return True

    async def _commit(self, end: RunEnd) -> bool:
        """Write the end; a store that is away is waited for, while clients see heartbeats.

        Returns:
            Whether clients may be told of the end. When the store stays away they are told of a
            fault, and the end is written once the store is back.
        """
        limits = self._services.limits
        deadline = time.monotonic() + limits.commit_seconds
        while True:
            try:
                await self._services.store.end_run(self._run.context, end)
            except StoreUnavailableError as error:
                if time.monotonic() > deadline and not self._run.ended.done:
                    _log.error("run_end_not_stored", run_id=self._run.id, detail=error.detail)
                    self._run.ended.fail(error)
                    self._run.log.close()
            except StoreError as error:
                _log.exception("run_end_refused", run_id=self._run.id)
                self._run.ended.fail(error)
                return False
            else:
                return not self._run.ended.done
            await asyncio.sleep(limits.commit_retry_seconds)


def _uncancel() -> None:
    task = asyncio.current_task()
    if task is not None:
        task.uncancel()


def _facts(error: EngineError) -> dict[str, str | int | None]:
    return {"cause": error.cause.value, "status": error.status, "detail": error.detail}
