"""The inline executor: what a model is told, whatever a function does."""

import asyncio
import json
import threading
import time

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from gateway.tools.executor import InlineExecutor
from gateway.tools.outputs import LONGEST_OUTPUT_BYTES, bounded
from gateway.tools.ports import ToolCall, ToolResult
from tests.fakes.tenants import compile_directory, until, write_tenant

FAILED = ToolResult("The function failed. Reference: corr-7.", failed=True)


@pytest.fixture
def run(tmp_path):
    """Runs one call of a function of a module that is given as its source."""
    executor = InlineExecutor()

    async def run_call(source: str, arguments: str = "{}", name: str = "f", seconds: float = 5):
        directory = write_tenant(tmp_path, tools=source, timeout_seconds=seconds)
        tenant = compile_directory(directory)
        call = ToolCall("call_1", name, arguments, "thread_1", "corr-7")
        return await executor.run(tenant, tenant.default, call)

    run_call.executor = executor
    return run_call


def module(body: str, signature: str = "f()") -> str:
    """A module with one function."""
    return f"def {signature}:\n    {body}\nTOOL_MAP = {{'f': f}}\n"


@pytest.mark.parametrize(
    ("expression", "output"),
    [
        ("'as is: \"é\"'", 'as is: "é"'),
        ("''", ""),
        ("None", "null"),
        ("True", "true"),
        ("[1, 2.5, {'a': None}]", '[1,2.5,{"a":null}]'),
        ("float('nan')", "null"),
        ("{'x': float('inf')}", '{"x":null}'),
        ("__import__('datetime').date(2026, 1, 2)", '"2026-01-02"'),
        ("{1: 'a'}", '{"1":"a"}'),
        ("'\\ud800'", "?"),
    ],
)
async def test_any_json_able_result_becomes_text(run, expression, output):
    """Text stays as it is; everything else is JSON."""
    assert await run(module(f"return {expression}")) == ToolResult(output)


@pytest.mark.parametrize(
    "expression", ["b'bytes'", "object()", "1j", "{(1, 2): 3}", "(i for i in [1])", "['\\ud800']"]
)
async def test_result_without_a_json_form_is_a_neutral_failure(run, expression):
    """What JSON cannot carry is not squeezed into some text."""
    assert await run(module(f"return {expression}")) == FAILED


async def test_recursive_result_is_a_neutral_failure(run):
    """A list that holds itself has no end in JSON."""
    assert await run(module("x = []; x.append(x); return x")) == FAILED


RAISING = [
    "raise ValueError('planted secret')",
    "raise SystemExit(1)",
    "raise KeyboardInterrupt",
    "raise __import__('asyncio').CancelledError",
    "raise TimeoutError('planted secret')",
    "raise StopIteration",
    "raise GeneratorExit",
    "return f()",
    "raise type('Odd', (Exception,), {'__str__': lambda self: 1 / 0})",
]


@pytest.mark.parametrize("statement", RAISING)
@pytest.mark.parametrize("keyword", ["", "async "])
async def test_whatever_a_function_raises_becomes_a_neutral_message(run, statement, keyword):
    """The model learns that it failed and under which reference; the process goes on."""
    statement = statement.replace("return f()", "return await f()" if keyword else "return f()")

    result = await run(keyword + module(statement))

    assert result == FAILED


async def test_exception_s_text_stands_in_the_log_alone(run):
    """Who reads the log finds what was raised, by tenant, function and correlation id."""
    with structlog.testing.capture_logs() as logs:
        await run(module("raise ValueError('planted secret')"))

    (line,) = (line for line in logs if line["event"] == "tool_failed")
    assert line["error"] == "ValueError: planted secret"
    assert (line["tenant_id"], line["function"], line["correlation_id"]) == ("acme", "f", "corr-7")


async def test_wrong_arguments_are_all_told_to_the_model(run):
    """The model reads everything that is wrong with its arguments, so that it can do better."""
    source = module("return 'ok'", "f(city: str, days: int)")

    result = await run(source, '{"city": 5, "dayz": 1}')

    assert result.failed
    for part in ("city: Expected `str`", "days: required", "dayz: there is no such argument"):
        assert part in result.output


@pytest.mark.parametrize("arguments", ["[]", "{", "null", '"x"', "[" * 100_000, '{"a": "\\ud800"}'])
async def test_arguments_that_are_no_object_are_told(run, arguments):
    """Malformed JSON of a model is a message to it, never an exception."""
    result = await run(module("return 'ok'"), arguments)

    assert result.failed
    assert "not a JSON object" in result.output


async def test_blank_arguments_are_an_empty_object(run):
    """Some models write nothing for no arguments."""
    assert await run(module("return 'ok'"), " ") == ToolResult("ok")


async def test_unknown_function_is_told_with_what_there_is(run):
    """A model that makes up a name learns the real ones."""
    result = await run(module("return 1"), name="g")

    assert result.failed
    assert "there are: f" in result.output


async def test_context_goes_to_who_asks_for_it(run):
    """A ToolContext parameter is filled in, and the model cannot fill it."""
    source = "from tenants.functions import ToolContext\n" + module(
        "return [c.tenant_id, c.thread_id, c.correlation_id]", "f(c: ToolContext)"
    )

    assert await run(source) == ToolResult('["acme","thread_1","corr-7"]')
    assert "c: there is no such argument" in (await run(source, '{"c": {}}')).output


async def test_context_variables_reach_functions(run):
    """What is bound around a run, as the log's context is, is seen in its functions."""
    seen = "return structlog.contextvars.get_contextvars()"

    with structlog.contextvars.bound_contextvars(run_id="run_1"):
        results = [await run(f"import structlog\n{kind}{module(seen)}") for kind in ("", "async ")]

    assert results == [ToolResult('{"run_id":"run_1"}')] * 2


async def test_sync_functions_run_off_the_loop_and_side_by_side(run):
    """Two functions that wait for each other can only end when both run at once."""
    source = "import threading\nbarrier = threading.Barrier(2, timeout=5)\n" + module(
        "barrier.wait(); return threading.get_ident()"
    )

    first, second = await asyncio.gather(run(source), run(source))

    assert first.output != second.output
    assert str(threading.get_ident()) not in {first.output, second.output}


async def test_hung_function_is_given_up_and_keeps_its_place(tmp_path):
    """After the time limit the model is told; with all places hung, calls fail at once."""
    source = "import threading\ngate = threading.Event()\n" + module(
        "gate.wait(30); return 1", "f()"
    )
    source += "def free():\n    gate.set()\nasync def easy() -> str:\n    return 'easy'\n"
    source += "TOOL_MAP |= {'easy': easy}\n"
    tenant = compile_directory(write_tenant(tmp_path, tools=source, timeout_seconds=0.2))
    executor = InlineExecutor(limit=1)

    def call(name: str):
        asked = ToolCall("call_1", name, "{}", "thread_1", "corr-7")
        return executor.run(tenant, tenant.default, asked)

    assert await call("easy") == ToolResult("easy")
    hung = await call("f")
    began = time.monotonic()
    refused = await call("f")

    assert hung.output == "The function took over 0.2 s and was given up. Reference: corr-7."
    assert refused == FAILED
    assert time.monotonic() - began < 0.15
    assert executor.abandoned == 1
    assert await call("easy") == ToolResult("easy")
    (loaded,) = executor._modules._modules.values()
    loaded.functions["f"].call.__globals__["gate"].set()
    await until(lambda: executor.abandoned == 0)
    assert await call("f") == ToolResult("1")


async def test_async_function_is_given_up_in_time_even_if_it_will_not_be_cancelled(run):
    """A coroutine that swallows its cancellation does not hold up its run."""
    source = "import asyncio\nasync " + module(
        "while True:\n"
        "        try:\n"
        "            await asyncio.sleep(3600)\n"
        "        except asyncio.CancelledError:\n"
        "            if stop: raise\n"
    )
    source += "stop = []\n"

    result = await run(source, seconds=0.2)

    assert "took over 0.2 s" in result.output
    (task,) = run.executor._tasks
    (loaded,) = run.executor._modules._modules.values()
    loaded.functions["f"].call.__globals__["stop"].append(1)
    task.cancel()
    await asyncio.wait([task])


async def test_function_that_cancels_its_own_task_harms_only_itself(run):
    """The run's task is not the function's."""
    source = "import asyncio\nasync " + module(
        "asyncio.current_task().cancel(); await asyncio.sleep(0)"
    )

    assert await run(source) == FAILED
    assert asyncio.current_task().cancelling() == 0


@pytest.mark.parametrize("keyword", ["", "async "])
async def test_cancelling_a_run_goes_through(run, tmp_path, keyword):
    """Whoever cancels the run gets it cancelled, not a tool result."""
    started = tmp_path / "started"
    wait = "await asyncio.sleep(30)" if keyword else "threading.Event().wait(0.5)"
    body = module(f"open({str(started)!r}, 'w').close(); {wait}")
    task = asyncio.create_task(run(f"import asyncio, threading\n{keyword}{body}"))
    await until(started.exists)

    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await task


async def test_sync_function_that_returns_a_coroutine_is_awaited(run):
    """A decorated async function is no riddle."""
    source = "async def g():\n    return 'late'\n" + module("return g()")

    assert await run(source) == ToolResult("late")


async def test_output_beyond_the_bound_is_cut_and_said(run):
    """The model gets 64 KiB at most, whole characters, and is told that there was more."""
    result = await run(module("return 'é' * 100_000"))

    assert len(result.output.encode()) <= LONGEST_OUTPUT_BYTES
    assert result.output.startswith("éé")
    assert "cut here: it had 200,000 bytes" in result.output


@given(st.text(alphabet="aé€😀", max_size=4), st.integers(65_520, 65_560))
def test_every_cut_is_within_the_bound_and_valid(text, size):
    """At any mixture of characters around the bound the output is UTF-8 within it."""
    whole = "x" * size + text

    cut = bounded(whole)

    assert len(cut.encode()) <= LONGEST_OUTPUT_BYTES
    assert (cut == whole) == (len(whole.encode()) <= LONGEST_OUTPUT_BYTES)


async def test_printing_goes_to_standard_error(run, capfd):
    """A function that prints a megabyte leaves the log's stream alone."""
    assert await run(module("print('x' * 1_000_000); return 'ok'")) == ToolResult("ok")

    out, err = capfd.readouterr()
    assert out == ""
    assert len(err) > 1_000_000


async def test_a_later_broken_file_does_not_reach_a_compiled_tenant(tmp_path):
    """The module that runs is the one that was compiled, even when it is imported later."""
    directory = write_tenant(tmp_path, tools=module("return 'good'"))
    tenant = compile_directory(directory)
    (directory / "tools.py").write_text("broken (")

    call = ToolCall("call_1", "f", "{}", "thread_1", "corr-7")
    result = await InlineExecutor().run(tenant, tenant.default, call)

    assert result == ToolResult("good")


async def test_only_the_last_used_modules_stay_imported(tmp_path):
    """Memory is bounded by the tenants that are called, and a dropped module comes back."""
    executor = InlineExecutor(modules=2)
    source = "import sys\n" + module("return sum('tenant_tools' in m for m in sys.modules)")
    tenants = [compile_directory(write_tenant(tmp_path, name, tools=source)) for name in "abcd"]
    call = ToolCall("call_1", "f", "{}", "thread_1", "corr-7")

    before = json.loads((await executor.run(tenants[0], tenants[0].default, call)).output)
    counts = [
        json.loads((await executor.run(tenant, tenant.default, call)).output) - before
        for tenant in (*tenants, *tenants)
    ]

    assert max(counts) <= 2  # the two that are kept, while a third comes in


async def test_module_that_cannot_be_imported_again_is_a_neutral_failure(tmp_path):
    """What worked when the tenant was compiled may fail later; the model is told no more."""
    flag = tmp_path / "gone"
    flag.touch()
    source = f"open({str(flag)!r}).close()\n" + module("return 1")
    tenant = compile_directory(write_tenant(tmp_path, tools=source))
    flag.unlink()

    call = ToolCall("call_1", "f", "{}", "thread_1", "corr-7")

    assert await InlineExecutor().run(tenant, tenant.default, call) == FAILED
