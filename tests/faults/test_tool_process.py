"""The worker process of tenants' functions: whatever ends it, only what it had is lost."""

import asyncio
import json
import os
import select
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import structlog
import uvloop

from gateway.tools.backoff import Backoff
from gateway.tools.ports import ToolResult
from gateway.tools.worker_process import Patience
from tests.fakes.deadly_tools import TOOLS, Caller, events
from tests.fakes.tenants import compile_directory, until, write_tenant

pytest_plugins = ("tests.fakes.deadly_fixtures",)

FAILED = ToolResult("The function failed. Reference: corr-7.", failed=True)
SOON = Patience(late_seconds=0.2, ping_seconds=0.2)
LOOPS = pytest.mark.parametrize("loop_factory", [asyncio.new_event_loop, uvloop.new_event_loop])
DEADLY = {
    "exits": 3,
    "exits_in_a_thread": 4,
    "exits_on_the_loop": 5,
    "is_killed": -signal.SIGKILL,
    "aborts": -signal.SIGABRT,
    "reads_null": -signal.SIGSEGV,
    "babbles": -signal.SIGKILL,
    "answers_nonsense": -signal.SIGKILL,
    "hangs_up": None,
}


def children():
    """The ids of this process's children."""
    return set(map(int, Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()))


def ended(pid, seconds=5):
    """Whether a process, which need not be a child, ends within so many seconds."""
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        return bool(select.select([descriptor], [], [], seconds)[0])
    finally:
        os.close(descriptor)


async def test_nothing_is_started_before_the_first_call(caller, tenant):
    """A gateway whose tenants have no functions has no worker; code runs in no gateway."""
    call = caller(tenant)
    before = children()

    assert (await call("made_up")).output.startswith("There is no such function")
    assert children() == before

    assert await call.pid() in children() - before


@pytest.mark.parametrize("deadly", DEADLY)
async def test_deadly_function_takes_only_its_worker_along(caller, tenant, tmp_path, logs, deadly):
    """It and what ran beside it fail neutrally, it is told to the operator, the next call works."""
    call = caller(tenant)
    first = await call.pid()
    beside = asyncio.create_task(call("forever", started=str(tmp_path / "started")))
    await until((tmp_path / "started").exists)

    assert await call(deadly) == FAILED
    assert await beside == FAILED

    assert await call.pid() != first
    await until(lambda: call.deaths)
    assert call.deaths == 1
    (line,) = events(logs, "tool_worker_died")
    assert line["exit_code"] == DEADLY[deadly] or DEADLY[deadly] is None
    failed = events(logs, "tool_failed")
    assert {each["function"] for each in failed} == {deadly, "forever"}
    assert {each["correlation_id"] for each in failed} == {"corr-7"}


async def test_worker_that_dies_between_calls_is_replaced(caller, tenant):
    """No call has to fail for that."""
    call = caller(tenant)
    first = await call.pid()
    await call("exits_later")

    await until(lambda: call.deaths)

    assert await call.pid() != first


@pytest.mark.parametrize(
    "harmless", ["system_exit", "system_exit_on_the_loop", "recurses", "interrupts", "surrogate"]
)
async def test_worker_survives_what_python_can_catch(caller, tenant, harmless):
    """The call fails neutrally; others beside it need not."""
    call = caller(tenant)
    first = await call.pid()

    assert await call(harmless) == FAILED

    assert await call.pid() == first
    assert call.deaths == 0


async def test_error_s_text_stands_in_the_log_alone(caller, tenant, logs):
    """Who reads the log finds what was raised, by tenant, function and correlation id."""
    assert await caller(tenant)("raises") == FAILED

    (line,) = events(logs, "tool_failed")
    assert line["error"] == "ValueError: planted secret"
    assert (line["tenant_id"], line["function"], line["call_id"]) == ("acme", "raises", "call_1")
    assert line["correlation_id"] == "corr-7"


async def test_worker_whose_loop_is_blocked_is_replaced(caller, tenant, hasty, tmp_path, logs):
    """The blocking call ends in time all the same, those beside it neutrally, later ones work."""
    call = caller(tenant, patience=SOON)
    hurried = caller(hasty)
    hurried.executor = call.executor
    first = await call.pid()
    beside = asyncio.create_task(call("forever", started=str(tmp_path / "started")))
    await until((tmp_path / "started").exists)

    blocked = await hurried("block")

    assert blocked.output == "The function took over 0.3 s and was given up. Reference: corr-7."
    assert await beside == FAILED
    assert await call.pid() != first
    assert len(events(logs, "tool_worker_hangs")) == 1


async def test_calls_do_not_pile_up_before_a_worker_that_does_not_read(caller, hasty, logs):
    """Beyond some megabytes they fail at once, and what waits is bounded."""
    call = caller(hasty, patience=SOON)
    await call.pid()
    blocking = asyncio.create_task(call("block"))
    await asyncio.sleep(0)

    results = await asyncio.gather(*(call("length", text="x" * 1_000_000) for _ in range(30)))

    assert all(result.failed for result in results)
    refused = [line for line in events(logs, "tool_failed") if "it does not read" in line["error"]]
    assert 10 <= len(refused) <= 14
    assert (await blocking).failed
    await until(lambda: call.deaths)
    assert await call.pid()


async def test_worker_that_is_only_slow_is_kept(caller, hasty, tmp_path):
    """A hung sync function does not block the loop, so its worker goes on."""
    os.mkfifo(tmp_path / "gate")
    call = caller(hasty, patience=SOON)
    first = await call.pid()

    assert "took over 0.3 s" in (await call("hang", gate=str(tmp_path / "gate"))).output

    assert await call.pid() == first
    (tmp_path / "gate").write_text("")


async def test_worker_whose_threads_all_hang_is_replaced(caller, hasty, tmp_path, logs):
    """Sync functions work again without a restart of the gateway."""
    os.mkfifo(tmp_path / "gate")
    call = caller(hasty)
    first = await call.pid()

    await asyncio.gather(*(call("hang", gate=str(tmp_path / "gate")) for _ in range(64)))

    await until(lambda: call.deaths)
    assert await call.pid() != first
    assert events(logs, "tool_worker_died")[0]["exit_code"] == os.EX_TEMPFAIL


@pytest.mark.parametrize("program", ["/nonexistent/python", "/bin/false", "silent"])
async def test_worker_that_cannot_be_started_fails_calls_fast(
    caller, tenant, tmp_path, logs, program
):
    """Two starts are tried, then no more until some time has passed."""
    starts = tmp_path / "starts"
    if program == "silent":
        script = tmp_path / "silent"
        script.write_text(f"#!/bin/sh\necho x >> {starts}\nexec sleep 600\n")
        script.chmod(0o755)
        program = str(script)
    call = caller(tenant, python=program, patience=Patience(start_seconds=0.3))

    assert [await call("pid") for _ in range(10)] == [FAILED] * 10

    assert len(events(logs, "tool_worker_not_started")) == 2
    assert call.deaths == 2
    assert "workers keep ending" in events(logs, "tool_failed")[-1]["error"]
    assert not starts.exists() or starts.read_text() == "x\nx\n"


async def test_function_that_kills_every_worker_is_not_given_ever_more(caller, tenant, logs):
    """After the second early death calls fail at once; after a pause they work again."""
    seconds = 0.0
    call = caller(tenant, backoff=Backoff(first_seconds=2, clock=lambda: seconds))
    for _ in range(2):
        assert await call("exits") == FAILED
        await until(lambda: len(events(logs, "tool_worker_died")) == call.deaths)
    await until(lambda: call.deaths == 2)

    assert [await call("pid") for _ in range(5)] == [FAILED] * 5
    assert len(events(logs, "tool_worker_started")) == 2

    seconds += 2
    assert not (await call("pid")).failed


async def test_calls_at_the_same_time_share_one_start(caller, tenant, logs):
    """Even if the one that began it is cancelled, the others are answered."""
    call = caller(tenant)
    tasks = [asyncio.create_task(call("pid")) for _ in range(5)]
    await asyncio.sleep(0)

    tasks[0].cancel()
    results = await asyncio.gather(*tasks, return_exceptions=True)

    assert isinstance(results[0], asyncio.CancelledError)
    assert len({result.output for result in results[1:]}) == 1
    assert not any(result.failed for result in results[1:])
    assert len(events(logs, "tool_worker_started")) == 1


async def test_nothing_of_the_gateway_s_environment_is_seen(caller, tenant, monkeypatch):
    """Neither Python nor the kernel tells a function of the gateway's secrets."""
    planted = {"OPENAI_API_KEY", "AGW_ACME__CRM", "GATEWAY_STORE", "GOOGLE_APPLICATION_CREDENTIALS"}
    for name in planted:
        monkeypatch.setenv(name, "planted-secret")
    monkeypatch.setenv("TZ", "Europe/Vienna")

    names, raw = json.loads((await caller(tenant)("environment")).output)

    assert not planted & set(names)
    assert "planted-secret" not in raw
    assert "TZ=Europe/Vienna" in raw.split("\0")


async def test_what_functions_write_goes_to_standard_error(caller, tenant, logs, capfd):
    """Megabytes, of children too, arrive there whole and leave the log's stream alone."""
    call = caller(tenant)

    assert not (await call("write")).failed

    assert events(logs, "tool_worker_started")
    out, err = capfd.readouterr()
    assert out == ""
    assert "p" * 1_000_000 in err
    assert "w" * 1_000_000 in err
    assert "from a child" in err
    assert err.endswith("straight")


async def test_worker_is_in_a_session_of_its_own(caller, tenant):
    """Ctrl-C in a terminal is for the gateway, whose runs still need the worker."""
    session, pid = json.loads((await caller(tenant)("session")).output)

    assert session == pid


@pytest.mark.parametrize("state", ["pid", "stubborn", "block"])
async def test_closing_ends_the_worker(caller, tenant, logs, state):
    """Asked first, then by force, also where it ignores signals or its loop is blocked."""
    call = caller(tenant, patience=Patience(stop_seconds=0.2))
    pid = await call.pid()
    task = asyncio.create_task(call(state))
    if state != "block":
        await task

    await call.executor.close()

    assert ended(pid, seconds=0)
    assert state != "block" or await task == FAILED
    assert await call("pid") == FAILED
    assert call.deaths == 0
    assert not events(logs, "tool_worker_died")


@pytest.mark.parametrize("state", ["idle", "block"])
def test_worker_ends_with_a_gateway_that_is_killed(tmp_path, state):
    """No orphan is left, also where its loop is blocked."""
    write_tenant(tmp_path, tools=TOOLS, timeout_seconds=60)
    program = f"""
import asyncio
from pathlib import Path
from tests.fakes.tenants import compile_directory
from tests.fakes.deadly_tools import Caller

async def main():
    call = Caller(compile_directory(Path({str(tmp_path / "acme")!r})))
    print(await call.pid(), flush=True)
    if {state == "block"}:
        await call("block")
    await asyncio.Event().wait()

asyncio.run(main())
"""
    root = Path(__file__).parents[2]
    with subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, cwd=root, text=True
    ) as gateway:
        lines = (line for line in gateway.stdout if line.strip().isdigit())
        pid = int(next(lines))

        gateway.kill()

        assert ended(pid)


@LOOPS
def test_no_open_file_of_the_gateway_is_inherited(tmp_path, loop_factory):
    """Not even one that may be inherited reaches a function."""
    tenant = compile_directory(write_tenant(tmp_path, tools=TOOLS))
    secret = tmp_path / "secret"
    descriptor = os.open(secret, os.O_CREAT | os.O_RDWR)
    os.set_inheritable(descriptor, True)

    async def live():
        call = Caller(tenant)
        result = await call("files")
        await call.executor.close()
        return json.loads(result.output)

    with asyncio.Runner(loop_factory=loop_factory) as runner:
        files = runner.run(live())

    os.close(descriptor)
    assert "/dev/null" in files
    assert str(secret) not in files


@LOOPS
def test_end_of_a_worker_is_not_told_of_who_started_it(tmp_path, logs, loop_factory):
    """The log's context of the first call, its tenant for one, is on no line of a later end."""
    tenant = compile_directory(write_tenant(tmp_path, tools=TOOLS))

    async def live():
        call = Caller(tenant)
        for deadly in ("exits", "babbles"):
            deaths = call.deaths
            with structlog.contextvars.bound_contextvars(run_id="run_1"):
                await call("pid")
            await call(deadly)
            await until(lambda: call.deaths > deaths)  # noqa: B023  (it is over before the next)
        await call.executor.close()

    with asyncio.Runner(loop_factory=loop_factory) as runner:
        runner.run(live())

    names = {"tool_worker_started", "tool_worker_incomprehensible", "tool_worker_died"}
    told = [(line["event"], "run_id" in line) for line in logs if line["event"] in names]
    assert sorted(set(told)) == [(name, name == "tool_worker_started") for name in sorted(names)]


def test_it_works_on_the_loop_that_serves(tmp_path, logs):
    """The gateway's own event loop starts, loses, replaces and ends workers too."""
    tenant = compile_directory(write_tenant(tmp_path, tools=TOOLS))

    async def live():
        call = Caller(tenant)
        first = await call.pid()
        results = await asyncio.gather(call("exits"), call("forever", started=str(tmp_path / "x")))
        second = await call.pid()
        await until(lambda: call.deaths)
        await call.executor.close()
        return first, second, results

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        first, second, results = runner.run(live())

    assert results == [FAILED] * 2
    assert events(logs, "tool_worker_died")[0]["exit_code"] == 3
    assert first != second
    assert ended(first, seconds=0)
    assert ended(second, seconds=0)
