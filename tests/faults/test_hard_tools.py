"""Functions that misbehave: the model hears a neutral message, clients nothing, others go on."""

import os
from pathlib import Path

import aiohttp
import pytest

from tests.fakes.conversation import Talker, text_of
from tests.fakes.gateway import serving, write_tenant
from tests.fakes.scripted_gateway import call_reply, call_stream
from tests.fakes.upstream import Upstream, stream_reply, text_stream, whole_stream_reply

HIDDEN = "the-functions-own-words"
TOOLS = '''
import os, sys

def do_hang() -> str:
    """Waits for somebody who writes into a pipe."""
    with open({pipe!r}) as pipe:
        return pipe.read()

async def do_hang_async() -> str:
    """Waits for ever."""
    import asyncio
    await asyncio.Event().wait()

def do_raise() -> str:
    """Raises."""
    raise RuntimeError({hidden!r})

def do_bytes() -> bytes:
    """Gives what is no text."""
    return {hidden!r}.encode()

def do_exit() -> str:
    """Leaves."""
    sys.exit({hidden!r})

def do_interrupt() -> str:
    """Interrupts."""
    raise KeyboardInterrupt({hidden!r})

def do_recurse() -> str:
    """Calls itself."""
    return do_recurse()

def do_print() -> str:
    """Prints a megabyte."""
    print("x" * 2**20)
    return "printed"

def do_much() -> str:
    """Answers a megabyte."""
    return "x" * 2**20

TOOL_MAP = {{name: value for name, value in globals().items() if name.startswith("do_")}}
'''
SETTINGS = """
[tools]
module = "tools.py"
isolation = "inline"
timeout_seconds = 1
"""
FAILED = "The function failed."
NEUTRAL = {
    "do_hang": "The function took over 1 s and was given up.",
    "do_hang_async": "The function took over 1 s and was given up.",
    "do_raise": FAILED,
    "do_bytes": FAILED,
    "do_exit": FAILED,
    "do_interrupt": FAILED,
    "do_recurse": FAILED,
    "do_nothing_known": "There is no such function; there are: ",
}


@pytest.fixture
async def upstream():
    """An upstream that plays a script."""
    async with Upstream() as running:
        yield running


@pytest.fixture
async def acme(tmp_path, upstream, nothing_broke):  # noqa: ARG001 - it looks at the log afterwards
    """A client of a gateway whose functions misbehave."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    tenants = tmp_path / "tenants"
    folder = write_tenant(tenants, "acme", rest=SETTINGS)
    (folder / "tools.py").write_text(TOOLS.format(pipe=str(pipe), hidden=HIDDEN))
    environ = {
        "GATEWAY_TENANTS": f"dir:{tenants}",
        "GATEWAY_STORE": f"sqlite:{tmp_path / 'gateway.db'}",
        "OPENAI_BASE_URL": upstream.base_url,
        "OPENAI_API_KEY": "sk-x",
    }
    async with serving(environ) as gateway, aiohttp.ClientSession(gateway.url) as session:
        yield Talker(session)
    _let_go(pipe)


def _let_go(pipe: Path) -> None:
    """Let a function that reads the pipe see its end, if one does."""
    os.close(os.open(pipe, os.O_RDWR | os.O_NONBLOCK))


@pytest.mark.parametrize("name", NEUTRAL)
async def test_the_model_gets_a_neutral_message(acme, upstream, name):
    """The run goes on with a plain sentence for an output, and nothing of the cause is told."""
    upstream.script(call_reply(name), stream_reply(text_stream("sorry")))

    events = await acme.stream("go")

    output = upstream.requests[1].json["input"][-1]
    assert output["type"] == "function_call_output"
    assert output["output"].startswith(NEUTRAL[name])
    assert (events[-2].name, text_of(events)) == ("thread.run.completed", "sorry")
    assert HIDDEN not in str(events)
    assert HIDDEN.encode() not in upstream.requests[1].body


async def test_what_a_function_prints_is_no_part_of_its_answer(acme, upstream):
    """A megabyte of print harms nothing; a megabyte of answer is cut to what fits, and says so."""
    upstream.script(
        call_reply("do_print"),
        stream_reply(text_stream("a")),
        call_reply("do_much"),
        stream_reply(text_stream("b")),
    )

    printed, much = [await acme.stream("go"), await acme.stream("go")]

    assert upstream.requests[1].json["input"][-1]["output"] == "printed"
    assert len(upstream.requests[3].json["input"][-1]["output"]) <= 65_536
    assert "was cut" in upstream.requests[3].json["input"][-1]["output"]
    assert (text_of(printed), text_of(much)) == ("a", "b")


@pytest.mark.parametrize("name", ["do_hang", "do_hang_async", "do_exit", "do_recurse"])
async def test_other_turns_go_on_meanwhile(acme, upstream, name):
    """While a function misbehaves other turns are answered, and its own thread is not lost."""
    # Even where the call comes at once, its run is told before the function is done.
    upstream.script(whole_stream_reply(call_stream(name)))
    upstream.usual = stream_reply(text_stream("well"))
    async with acme.open("go") as stream:
        head = await stream.content.readuntil(b"thread.run.in_progress")
        others = [await acme.say("hello") for _ in range(3)]
        rest = await stream.read()
    thread_id = others[0]["thread_id"]
    again = await acme.say("and again", thread_id)

    assert [other["responses"] for other in others] == [["well"]] * 3
    assert b"thread.run.completed" in rest
    assert HIDDEN.encode() not in head + rest
    assert again["responses"] == ["well"]
    if name.startswith("do_hang"):
        # All three were asked and answered before the function was given up.
        kinds = [asked.json["input"][-1]["type"] for asked in upstream.requests]
        assert kinds[:5] == ["message"] * 4 + ["function_call_output"]
