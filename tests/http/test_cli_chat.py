"""``tenantctl chat``: conversations in a terminal, against a whole gateway."""

import asyncio
import itertools
import json
import re
import signal
import sys
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit

import aiohttp
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.runs.turn import TurnLimits
from tenants.cli.chat_http import read_events
from tests.fakes.cutting_proxy import CuttingProxy
from tests.fakes.gateway import serving
from tests.fakes.tenantctl import Terminal

PROTOCOLS = ("sse", "ws", "json")
TENANTCTL = Path(sys.executable).with_name("tenantctl")
SLOW = "Tell me more [[words=40 delay=30ms]]"
SLOW_AND_WHOLE = "Tell me more [[words=40 delay=1s]]"


class Chatting:
    """A running ``tenantctl chat``."""

    def __init__(self, process):
        self.process = process
        self.out = ""

    async def until(self, pattern):
        """Read what it answers until this is there."""
        async with asyncio.timeout(20):
            while not re.search(pattern, self.out):
                piece = await self.process.stdout.read(4096)
                assert piece, self.out
                self.out += piece.decode()

    async def finish(self, typed=b""):
        """Type the rest, and give the exit code and what standard error says."""
        out, err = await asyncio.wait_for(self.process.communicate(typed), timeout=30)
        self.out += out.decode()
        return self.process.returncode, err.decode()


@asynccontextmanager
async def chatting(url, *arguments, tenant="acme"):
    """Start ``tenantctl chat``."""
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        *(TENANTCTL, "chat", tenant, "--gateway", url, *arguments),
        stdin=pipe,
        stdout=pipe,
        stderr=pipe,
    )
    try:
        yield Chatting(process)
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def chat(url, *arguments, typed=b"", tenant="acme"):
    """Run it to its end: exit code, answers, and what is said about them."""
    async with chatting(url, *arguments, tenant=tenant) as running:
        code, about = await running.finish(typed)
        return code, running.out, about


async def stored_answers(url, thread_id):
    """The texts of a thread's answers, as the gateway has them."""
    path = f"{url}/t/acme/threads/{thread_id}/messages?order=asc"
    async with aiohttp.ClientSession() as session, session.get(path) as response:
        page = await response.json()
    return [
        message["content"][0]["text"]["value"]
        for message in page["data"]
        if message["role"] == "assistant"
    ]


@pytest.mark.parametrize("protocol", PROTOCOLS)
async def test_one_message_is_answered(gateway, protocol):
    """The answer alone is on standard output, whatever the protocol."""
    code, answer, _ = await chat(
        gateway.url, "--protocol", protocol, "--message", "What is the weather in Paris?"
    )

    assert code == 0
    assert answer == "Here is what I found. Paris: city Paris, sky sunny.\n"


@pytest.mark.parametrize("protocol", ["sse", "ws"])
async def test_the_use_of_tools_shows(gateway, protocol):
    """While a function runs its name shows, beside the answer."""
    _, answer, about = await chat(
        gateway.url, "--protocol", protocol, "--message", "What is the weather in Paris?"
    )

    assert about == "• Using get_weather …\n"
    assert "get_weather" not in answer


@pytest.mark.parametrize("protocol", ["sse", "ws"])
async def test_programs_get_every_event(gateway, protocol):
    """With --json each event is a line, numbered without a gap, to the last."""
    code, out, _ = await chat(
        gateway.url, "--protocol", protocol, "--json", "--message", "What is the weather in Paris?"
    )

    events = [json.loads(line) for line in out.splitlines()]
    numbers = [int(event["id"].rpartition("-")[2]) for event in events]
    assert code == 0
    assert numbers == [*range(1, len(events) + 1)]
    assert [event["event"] for event in events[-2:]] == ["thread.run.completed", "metadata"]


async def test_programs_get_the_whole_answer(gateway):
    """With --json over JSON, the one line is the answer."""
    _, out, _ = await chat(gateway.url, "--protocol", "json", "--json", "--message", "Hello")

    answer = json.loads(out)
    assert answer["event"] == "answer"
    assert answer["data"]["status"] == "completed"


@pytest.mark.parametrize("protocol", PROTOCOLS)
async def test_a_pipe_holds_a_conversation(gateway, protocol):
    """Lines of a pipe are messages on one thread; /new forgets them, /quit ends."""
    typed = b"My name is Ada.\n\nWhat did I say?\n/new\nWhat did I say?\n/quit\nNever said.\n"

    code, out, about = await chat(gateway.url, "--protocol", protocol, typed=typed)

    answers = out.splitlines()
    assert code == 0
    assert len(answers) == 3
    assert "“My name is Ada.”" in answers[1]
    assert answers[2] == "This is the first thing that you have said to me."
    assert about == "Hello from Acme.\n" * 2


async def test_a_thread_goes_on(gateway):
    """--thread-id takes a conversation up where it was."""
    _, out, _ = await chat(gateway.url, "--protocol", "json", "--json", "--message", "I am Ada.")
    thread_id = json.loads(out)["data"]["thread_id"]

    _, answer, _ = await chat(gateway.url, "--thread-id", thread_id, "--message", "What did I say?")

    assert "“I am Ada.”" in answer


@pytest.mark.parametrize("protocol", PROTOCOLS)
async def test_interrupting_ends_the_run(environ, upstream, protocol):
    """Ctrl-C ends the run at the gateway, not the program's patience alone."""
    delay = "20s" if protocol == "json" else "50ms"
    async with (
        serving(environ, turns=TurnLimits(exists_after_seconds=0.2)) as gateway,
        chatting(gateway.url, "--protocol", protocol) as running,
    ):
        running.process.stdin.write(f"Go on [[words=500 delay={delay}]]\n".encode())
        await upstream.arrived(1)
        if protocol != "json":
            await running.until(r"\w+ \w+")
        running.process.send_signal(signal.SIGINT)
        await asyncio.wait_for(upstream.requests[0].done.wait(), timeout=10)
        code, about = await running.finish(b"Are you there?\n")

    assert upstream.requests[0].abandoned
    assert "cancelled" in about
    assert "you said “Are you there?”" in running.out
    assert code == 1


@pytest.mark.parametrize("protocol", PROTOCOLS)
async def test_a_dropped_connection_is_taken_up_again(gateway, upstream, protocol):
    """An answer whose connection broke is whole in the end, without anything twice."""
    port = urlsplit(gateway.url).port
    async with CuttingProxy(port) as proxy, chatting(proxy.url, "--protocol", protocol) as running:
        message = SLOW_AND_WHOLE if protocol == "json" else SLOW
        running.process.stdin.write(message.encode() + b"\n")
        await upstream.arrived(1)
        if protocol != "json":
            await running.until(r"\w+ \w+")
        await proxy.cut()
        early = len(running.out)
        code, _ = await running.finish()

    assert code == 0
    assert len(running.out.split()) == 40
    assert early < len(running.out)
    assert len(upstream.requests) == 1


async def test_a_connection_that_stays_away_is_told(gateway):
    """An answer that cannot be followed any more is called incomplete, with the way back."""
    port = urlsplit(gateway.url).port
    async with CuttingProxy(port) as proxy, chatting(proxy.url, "--message", SLOW) as running:
        await running.until(r"\w+ \w+")
        await proxy.close()
        code, about = await running.finish()

    assert code == 1
    assert "so the answer is incomplete" in about
    assert re.search(r"--thread-id thread_\w+", about)


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize(
    ("directive", "words"),
    [
        ("failed", "The model's provider failed to answer."),
        ("incomplete", "The answer is incomplete: it reached its greatest length."),
        ("status=400", "The model's provider refused the request."),
    ],
)
async def test_an_answer_that_is_not_whole_is_told(gateway, protocol, directive, words):
    """Failures and cut answers are told in words, and the exit code says it too."""
    code, _, about = await chat(
        gateway.url, "--protocol", protocol, "--message", f"Hello [[{directive}]]"
    )

    assert code == 1
    assert words in about


async def test_a_gateway_that_does_not_run_is_told(unused_tcp_port):
    """Without a gateway, the way to start one is told."""
    code, out, about = await chat(f"http://127.0.0.1:{unused_tcp_port}", "--message", "Hello")

    assert (code, out) == (1, "")
    assert "Start it with `make run`" in about


async def test_something_else_than_a_gateway_is_told(upstream):
    """A server that is no gateway is called so."""
    code, _, about = await chat(upstream.base_url, "--message", "Hello")

    assert code == 1
    assert "is no assistant gateway" in about


async def test_an_unknown_tenant_is_told(gateway):
    """A tenant that is not there is refused before anything is asked."""
    code, _, about = await chat(gateway.url, tenant="nobody")

    assert code == 1
    assert "There is no such tenant. Look for its id" in about


@pytest.mark.parametrize(
    "arguments",
    [
        ("--gateway", "ftp://x"),
        ("--gateway", "localhost:8000"),
        ("--protocol", "smoke"),
        ("--header", "no colon"),
        ("--nonsense",),
    ],
)
async def test_bad_usage_is_told(gateway, arguments):
    """What cannot be meant ends with 2, before anything is sent."""
    code, _, about = await chat(gateway.url, *arguments)

    assert code == 2
    assert arguments[0] in about


@pytest.mark.parametrize("protocol", PROTOCOLS)
async def test_headers_are_sent_along(gateway, protocol):
    """A header of the user's own rides on every request."""
    _, out, _ = await chat(
        *(gateway.url, "--protocol", protocol, "--json", "--message", "Hello"),
        *("--header", "X-Correlation-ID: mine-42"),
    )

    assert json.loads(out.splitlines()[-1])["data"]["correlation_id"] == "mine-42"


async def test_an_answer_cannot_command_the_terminal(gateway):
    """Control characters in an answer are shown as such, never obeyed."""
    code, answer, _ = await chat(gateway.url, "--message", "a\x1b[2J\x07b [bold]c")

    assert code == 0
    assert "a\ufffd[2J\ufffdb [bold]c" in answer


async def test_a_terminal_is_asked_and_left(gateway, tmp_path):
    """On a terminal Ctrl-C at the prompt explains the keys, and Ctrl-D leaves with 0."""

    def talk():
        command = ("chat", "acme", "--gateway", gateway.url)
        terminal = Terminal(*command, environ={}, folder=tmp_path)
        terminal.sees("Hello from Acme")
        terminal.sees("\n> ")
        terminal.interrupts_until("Ctrl-D or /quit leaves.")
        terminal.types("Hi")
        terminal.sees("you said “Hi”")
        terminal.sees("best to help.\r\n\r\n> ")
        terminal.closes()
        terminal.sees("--thread-id thread_")
        return terminal.ends()

    assert await asyncio.to_thread(talk) == 0


EVENTS = (
    b"id: run_1-1\nevent: thread.run.created\nretry: 5000\n"
    b'data: {"event":"thread.run.created","data":{"id":"run_1","text":"\xc3\xbc"}}\n\n'
    b": keepalive\n"
    b'id: run_1-2\r\nevent: metadata\r\ndata: {"usage":1}\r\n\r\n'
    b": keepalive\n"
    b'event: error\ndata: {"error":"x"}\n\n'
    b'id: run_1-4\nevent: cut\ndata: {"data":1}\n'
)


@given(cuts=st.lists(st.integers(0, len(EVENTS)), max_size=8))
def test_a_stream_reads_the_same_however_it_is_cut(cuts):
    """Whatever pieces a stream comes in, its events are the same, and half an event is none."""
    bounds = [0, *sorted(cuts), len(EVENTS)]

    async def pieces():
        for low, high in itertools.pairwise(bounds):
            yield EVENTS[low:high]

    async def read():
        return [(event.name, event.id, event.data) async for event in read_events(pieces())]

    assert asyncio.run(read()) == [
        ("thread.run.created", "run_1-1", {"id": "run_1", "text": "ü"}),
        ("metadata", "run_1-2", {"usage": 1}),
        ("error", None, {"error": "x"}),
    ]
