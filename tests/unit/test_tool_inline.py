"""The inline executor, beyond the port: threads that hang, modules that are kept."""

import asyncio
import json
import threading
import time

import pytest
import structlog

from gateway.tools.errors import ModuleMissingError
from gateway.tools.executor import InlineExecutor
from gateway.tools.jobs import Outcome, job_of, with_source
from gateway.tools.ports import ToolCall
from tests.fakes.tenants import compile_directory, until, write_tenant


def job(tmp_path, source, name="f", tenant_id="acme", seconds=5):
    """A call of a function of a module that is given as its source."""
    directory = write_tenant(tmp_path, tenant_id, tools=source, timeout_seconds=seconds)
    tenant = compile_directory(directory)
    call = ToolCall("call_1", name, "{}", "thread_1", "corr-7")
    return with_source(job_of(tenant, tenant.default, call), tenant)


def module(body: str, signature: str = "f()") -> str:
    """A module with one function."""
    return f"def {signature}:\n    {body}\nTOOL_MAP = {{'f': f}}\n"


def globals_of(executor):
    """The variables of the one module that is kept."""
    (kept,) = executor._modules._modules.values()
    return kept.functions["f"].call.__globals__


async def test_sync_functions_run_off_the_loop(tmp_path):
    """The loop's thread runs no sync function, so that none holds it up."""
    source = "import threading\n" + module("return threading.get_ident()")

    outcome = await InlineExecutor().run(job(tmp_path, source))

    assert outcome.output != str(threading.get_ident())


async def test_context_variables_reach_functions(tmp_path):
    """What is bound around a call, as the log's context is, is seen in its function."""
    seen = module("return structlog.contextvars.get_contextvars()")
    executor = InlineExecutor()

    with structlog.contextvars.bound_contextvars(run_id="run_1"):
        outcomes = [
            await executor.run(job(tmp_path, f"import structlog\n{kind}{seen}"))
            for kind in ("", "async ")
        ]

    assert outcomes == [Outcome('{"run_id":"run_1"}')] * 2


async def test_hung_function_keeps_its_place_until_it_ends(tmp_path):
    """With all places hung, sync calls fail at once and async ones work; an end frees a place."""
    source = "import threading\ngate = threading.Event()\n" + module("gate.wait(30); return 1")
    source += "async def easy() -> str:\n    return 'easy'\nTOOL_MAP |= {'easy': easy}\n"
    executor = InlineExecutor(limit=1)
    easy, hanging = (job(tmp_path, source, name, seconds=0.2) for name in ("easy", "f"))

    assert await executor.run(easy) == Outcome("easy")
    hung = await executor.run(hanging)
    began = time.monotonic()
    refused = await executor.run(hanging)

    assert "took over 0.2 s" in hung.output
    assert refused.error.startswith("ThreadsExhaustedError")
    assert time.monotonic() - began < 0.15
    assert executor.abandoned == 1
    assert executor.exhausted
    assert await executor.run(easy) == Outcome("easy")
    globals_of(executor)["gate"].set()
    await until(lambda: executor.abandoned == 0)
    assert await executor.run(hanging) == Outcome("1")


async def test_async_function_is_given_up_in_time_even_if_it_will_not_be_cancelled(tmp_path):
    """A coroutine that swallows its cancellation does not hold up its run."""
    source = "import asyncio\nstop = []\nasync " + module(
        "while True:\n"
        "        try:\n"
        "            await asyncio.sleep(3600)\n"
        "        except asyncio.CancelledError:\n"
        "            if stop: raise\n"
    )
    executor = InlineExecutor()

    outcome = await executor.run(job(tmp_path, source, seconds=0.2))

    assert "took over 0.2 s" in outcome.output
    (task,) = executor._tasks
    globals_of(executor)["stop"].append(1)
    task.cancel()
    await asyncio.wait([task])


async def test_only_the_last_used_modules_stay_imported(tmp_path):
    """Memory is bounded by the tenants that are called, and a dropped module comes back."""
    executor = InlineExecutor(modules=2)
    source = "import sys\n" + module("return sum('tenant_tools' in m for m in sys.modules)")
    jobs = [job(tmp_path, source, tenant_id=name) for name in "abcd"]

    before = json.loads((await executor.run(jobs[0])).output)
    counts = [json.loads((await executor.run(each)).output) - before for each in (*jobs, *jobs)]

    assert max(counts) <= 2  # the two that are kept, while a third comes in


async def test_job_without_source_is_run_only_where_its_module_is_kept(tmp_path):
    """The source is asked for once, and again only when the module was dropped."""
    executor = InlineExecutor(modules=1)
    first, second = (job(tmp_path, module("return 1"), tenant_id=name) for name in "ab")
    bare = type(first)(**{name: getattr(first, name) for name in first.__struct_fields__[:-1]})

    with pytest.raises(ModuleMissingError):
        await executor.run(bare)
    await executor.run(first)

    assert await executor.run(bare) == Outcome("1")
    await executor.run(second)
    with pytest.raises(ModuleMissingError):
        await executor.run(bare)
