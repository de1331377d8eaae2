"""The port of the executor: what a model is told, whatever a function does.

It is promised by the executor of the gateway, which has a worker process, and by what the worker
itself uses.
"""

import asyncio
import os

import pytest
import pytest_asyncio

from gateway.tools.errors import UnknownFunctionError
from gateway.tools.executor import InlineExecutor
from gateway.tools.failures import failure
from gateway.tools.jobs import LONGEST_ARGUMENTS_BYTES, job_of, with_source
from gateway.tools.outputs import LONGEST_OUTPUT_BYTES
from gateway.tools.ports import ToolCall, ToolResult
from gateway.tools.process import ProcessExecutor
from tenants.functions import ArgumentsError
from tests.fakes.tenants import compile_directory, until, write_tenant

FAILED = ToolResult("The function failed. Reference: corr-7.", failed=True)

# One worker serves all of these tests, as it does all tenants.
pytestmark = pytest.mark.asyncio(loop_scope="module")


class Inline:
    """The inline executor as the worker uses it, behind the port."""

    def __init__(self):
        self._executor = InlineExecutor()

    async def run(self, tenant, assistant, call):
        """See the port."""
        try:
            job = with_source(job_of(tenant, assistant, call), tenant)
        except (UnknownFunctionError, ArgumentsError) as error:
            outcome = failure(error, call.correlation_id)
        else:
            outcome = await self._executor.run(job)
        return ToolResult(outcome.output, failed=outcome.error is not None)


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=["inline", "process"])
async def executor(request):
    """Each adapter, once for all tests."""
    if request.param == "inline":
        yield Inline()
        return
    process = ProcessExecutor()
    yield process
    await process.close()


@pytest.fixture
def run(executor, tmp_path):
    """Runs one call of a function of a module that is given as its source."""

    async def run_call(source: str, arguments: str = "{}", name: str = "f", seconds: float = 5):
        directory = write_tenant(tmp_path, tools=source, timeout_seconds=seconds)
        tenant = compile_directory(directory)
        call = ToolCall("call_1", name, arguments, "thread_1", "corr-7")
        return await executor.run(tenant, tenant.default, call)

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


async def test_arguments_beyond_the_bound_are_told(run):
    """A mebibyte of arguments is taken, more is not."""
    source = module("return len(text)", "f(text: str)")
    room = LONGEST_ARGUMENTS_BYTES - len('{"text": ""}')

    most = await run(source, f'{{"text": "{"x" * room}"}}')
    more = await run(source, f'{{"text": "{"é" * (room // 2 + 1)}"}}')

    assert most == ToolResult(str(room))
    assert more.failed
    assert "longer than 1 MiB" in more.output


async def test_arguments_that_are_no_unicode_are_told(run):
    """A lone surrogate can be written by a model, and sent nowhere."""
    result = await run(module("return text", "f(text: str)"), '{"text": "\ud800"}')

    assert result.failed
    assert "not a JSON object" in result.output


async def test_sync_functions_run_side_by_side(run):
    """Two calls that wait for each other can only end when both run at once."""
    source = "import threading\nbarrier = threading.Barrier(2, timeout=5)\n"
    source += module("barrier.wait(); return 'both'")

    assert await asyncio.gather(run(source), run(source)) == [ToolResult("both")] * 2


async def test_async_functions_run_side_by_side(run):
    """The same, of functions on the event loop."""
    source = "import asyncio\narrived = []\nasync " + module(
        "arrived.append(1)\n    while len(arrived) < 2: await asyncio.sleep(0)\n    return 'both'"
    )

    assert await asyncio.gather(run(source), run(source)) == [ToolResult("both")] * 2


async def test_slow_function_is_given_up(run, tmp_path):
    """After its time the model is told so, and the next call is answered."""
    gate = tmp_path / "gate"
    os.mkfifo(gate)

    hung = await run(module(f"open({str(gate)!r}).close()"), seconds=0.2)

    assert hung.output == "The function took over 0.2 s and was given up. Reference: corr-7."
    assert hung.failed
    assert await run(module("return 'next'")) == ToolResult("next")
    gate.write_text("")  # the thread goes on, and ends


async def test_slow_async_function_is_cancelled(run, tmp_path):
    """After its time an async function is told to end, and the model that it did not in time."""
    told = tmp_path / "told"
    source = "import asyncio\nasync " + module(
        "try:\n"
        "        await asyncio.Event().wait()\n"
        "    except asyncio.CancelledError:\n"
        f"        open({str(told)!r}, 'w').close()\n"
    )

    hung = await run(source, seconds=0.2)

    assert "took over 0.2 s" in hung.output
    await until(told.exists)


async def test_cancelled_run_cancels_its_function(run, tmp_path):
    """Whoever cancels a run gets it cancelled at once; an async function hears of it."""
    started, told = tmp_path / "started", tmp_path / "told"
    source = "import asyncio\nasync " + module(
        f"open({str(started)!r}, 'w').close()\n"
        "    try:\n"
        "        await asyncio.Event().wait()\n"
        "    finally:\n"
        f"        open({str(told)!r}, 'w').close()\n"
    )
    task = asyncio.create_task(run(source))
    await until(started.exists)

    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await task
    await until(told.exists)


async def test_cancelled_run_leaves_a_sync_function_behind(run, tmp_path):
    """A thread cannot be stopped, but nobody waits for it."""
    started, gate = tmp_path / "started", tmp_path / "gate"
    os.mkfifo(gate)
    body = f"open({str(started)!r}, 'w').close(); open({str(gate)!r}).close()"
    task = asyncio.create_task(run(module(body)))
    await until(started.exists)

    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await task
    gate.write_text("")


async def test_function_that_cancels_its_own_task_harms_only_itself(run):
    """The run's task is not the function's."""
    source = "import asyncio\nasync " + module(
        "asyncio.current_task().cancel(); await asyncio.sleep(0)"
    )

    assert await run(source) == FAILED
    assert asyncio.current_task().cancelling() == 0


@pytest.mark.parametrize("write", ["print('x' * 1_000_000)", "print('x' * 1_000_000, flush=True)"])
async def test_printing_does_not_reach_the_log(run, capfd, write):
    """A function that prints a megabyte is answered, and standard output is left alone."""
    assert await run(module(f"{write}; return 'ok'")) == ToolResult("ok")

    assert capfd.readouterr().out == ""


async def test_a_later_broken_file_does_not_reach_a_compiled_tenant(executor, tmp_path):
    """The module that runs is the one that was compiled, even when it is imported later."""
    directory = write_tenant(tmp_path, tools=module("return 'good'"))
    tenant = compile_directory(directory)
    (directory / "tools.py").write_text("broken (")

    call = ToolCall("call_1", "f", "{}", "thread_1", "corr-7")

    assert await executor.run(tenant, tenant.default, call) == ToolResult("good")


async def test_module_that_cannot_be_imported_again_is_a_neutral_failure(executor, tmp_path):
    """What worked when the tenant was compiled may fail later; the model is told no more."""
    flag = tmp_path / "gone"
    flag.touch()
    source = f"open({str(flag)!r}).close()\n" + module("return 1")
    tenant = compile_directory(write_tenant(tmp_path, tools=source))
    flag.unlink()

    call = ToolCall("call_1", "f", "{}", "thread_1", "corr-7")

    assert await executor.run(tenant, tenant.default, call) == FAILED


async def test_two_tenants_modules_are_apart(executor, tmp_path):
    """The same name in two tenants is two functions with two states."""
    source = "seen = []\n" + module("seen.append(1); return [name, len(seen)]", "f(name: str)")
    tenants = [compile_directory(write_tenant(tmp_path, name, tools=source)) for name in "ab"]

    async def call(tenant):
        asked = ToolCall("call_1", "f", f'{{"name": "{tenant.tenant_id}"}}', "thread_1", "corr-7")
        return (await executor.run(tenant, tenant.default, asked)).output

    assert [await call(tenant) for tenant in (*tenants, *tenants)] == [
        '["a",1]',
        '["b",1]',
        '["a",2]',
        '["b",2]',
    ]
