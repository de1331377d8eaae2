"""How runs are written, and what becomes of them when they are stopped or the store breaks."""

import asyncio

import pytest

from gateway.engines.ports import Credential
from gateway.engines.responses import ResponsesEngine
from gateway.engines.transport import Transport
from gateway.runs import lifecycle, outcome
from gateway.runs.credentials import Credentials
from gateway.runs.errors import DrainingError
from gateway.runs.live import TurnRequest
from gateway.runs.orchestrator import Orchestrator
from gateway.runs.turn import TurnServices
from gateway.store.errors import FenceLostError
from gateway.store.sqlite import SqliteStore
from gateway.telemetry.metrics import Metrics
from gateway.tools.process import ProcessExecutor
from tenants.context import TenantContext
from tenants.secrets.environment import EnvironmentSecrets
from tests.fakes.simulator import RecordingSimulator
from tests.fakes.tenants import compile_directory, write_tenant
from tests.fakes.upstream import Upstream, text_stream, whole_stream_reply

CONTEXT = TenantContext("acme", "corr-1")
TOOLS = '''
def get_weather(city: str) -> str:
    """The weather in a city."""
    return "sunny"

TOOL_MAP = {"get_weather": get_weather}
'''


class HeldStore(SqliteStore):
    """Writes as usual, then holds back its word that it has written.

    Attributes:
        written: set when something has been written and is held back.
    """

    def __init__(self, path, held):
        super().__init__(path)
        self.written = asyncio.Event()
        self._held = held

    async def begin_run(self, tenant, begin):
        """See ``Runs.begin_run``."""
        await super().begin_run(tenant, begin)
        await self._hold("begin_run")

    async def save_items(self, tenant, fence, items):
        """See ``Runs.save_items``."""
        await super().save_items(tenant, fence, items)
        await self._hold("save_items")

    async def _hold(self, name):
        if name == self._held:
            self.written.set()
            await asyncio.Event().wait()


class BrokenStore(SqliteStore):
    """Breaks in ways that no store should, in the methods named."""

    def __init__(self, path, *broken):
        super().__init__(path)
        self._broken = broken

    async def begin_run(self, tenant, begin):
        """See ``Runs.begin_run``."""
        self._break("begin_run")
        await super().begin_run(tenant, begin)

    async def record_run(self, tenant, begin, end):
        """See ``Runs.record_run``."""
        self._break("record_run")
        await super().record_run(tenant, begin, end)

    async def end_run(self, tenant, end):
        """See ``Runs.end_run``."""
        self._break("end_run")
        await super().end_run(tenant, end)

    def _break(self, name):
        if name in self._broken:
            raise RuntimeError(name)


@pytest.fixture
def running(tmp_path):
    """Starts an orchestrator over a store, by default one that holds one of its methods back."""
    tenant = compile_directory(write_tenant(tmp_path / "tenants", tools=TOOLS))

    async def run(held, work, kind=HeldStore, simulator=RecordingSimulator):
        store, executor = kind(tmp_path / "x.db", *held), ProcessExecutor()
        await store.open(lifecycle.event(outcome.lost()).raw)
        async with simulator() as upstream, Transport() as transport:
            services = TurnServices(
                engine=ResponsesEngine(transport),
                executor=executor,
                store=store,
                credentials=Credentials(
                    EnvironmentSecrets({}), Credential(upstream.base_url, "sk-x")
                ),
                metrics=Metrics(),
            )
            await work(Orchestrator(services), store, tenant)
        await executor.close()
        await store.close()

    return run


async def test_a_run_is_cancelled_while_its_calls_are_written(running):
    """The calls and outputs are on the thread once, and the run ends as cancelled."""

    async def work(orchestrator, store, tenant):
        request = TurnRequest("weather in Paris?", None, stream=True, surface="sse")
        joined = await orchestrator.start(tenant, CONTEXT, request)
        await store.written.wait()

        await orchestrator.cancel(CONTEXT, joined.head.run_id)
        ending, _ = await joined.ended()

        items = await store.items(CONTEXT, joined.head.thread_id, 100)
        assert ending.status == "cancelled"
        assert [item.type for item in items] == ["message", "function_call", "function_call_output"]
        assert (await store.run(CONTEXT, joined.head.run_id)).status == "cancelled"

    await running(["save_items"], work)


async def test_a_process_that_stops_while_a_run_begins_refuses_it(running):
    """Nobody waits for ever for a run whose begin is written while the process stops."""

    async def work(orchestrator, store, tenant):
        message = "[[deltas=3 delay=20ms]]"
        request = TurnRequest(message, None, stream=True, surface="sse")
        starting = asyncio.ensure_future(orchestrator.start(tenant, CONTEXT, request))
        await store.written.wait()

        await orchestrator.drain(0)

        with pytest.raises(DrainingError):
            await starting

    await running(["begin_run"], work)


@pytest.mark.parametrize("broken", [["record_run"], ["record_run", "end_run"]])
async def test_a_run_whose_end_breaks_is_answered(running, broken):
    """Whoever waits for an unstreamed run is told, however the writing of its end breaks."""

    async def work(orchestrator, _, tenant):
        request = TurnRequest("hello", None, stream=False, surface="json")

        async with asyncio.timeout(10):
            with pytest.raises((RuntimeError, FenceLostError)):
                await orchestrator.start(tenant, CONTEXT, request)
            await orchestrator.drain(10)

        assert orchestrator.working() == 0

    await running(broken, work, BrokenStore)


async def test_a_stream_that_came_whole_is_written_once(running):
    """It begins and ends in one commit, and all of it can be read again."""

    async def work(orchestrator, store, tenant):
        request = TurnRequest("hello", None, stream=True, surface="sse")

        joined = await orchestrator.start(tenant, CONTEXT, request)
        ending, items = await joined.ended()
        await orchestrator.drain(10)
        again = await orchestrator.find(CONTEXT, joined.head.run_id)

        assert ending.status == "completed"
        assert [item.type for item in items] == ["message"]
        assert again.log.encoded() == joined.log.encoded()
        assert len(await store.items(CONTEXT, joined.head.thread_id, 100)) == 2

    whole = whole_stream_reply(text_stream("Hel", "lo"))
    await running(["begin_run"], work, BrokenStore, lambda: Upstream(whole))
