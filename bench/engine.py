"""CPU of the Responses engine: for an unstreamed call, and for each event of a burst.

Run it as ``python bench/engine.py``. The upstream is a process of its own that writes canned
bytes, so what is counted is this process alone.
"""

import asyncio
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import uvloop

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from gateway.engines.ports import Call, Credential
from gateway.engines.proxies import Proxies
from gateway.engines.responses import ResponsesEngine
from gateway.engines.sse import Splitter
from gateway.engines.transport import Transport
from tenants.compiled import Assistant
from tests.fakes.upstream import Reply, stream_reply, text_answer, text_stream

EVENTS = 108
CALLS = 2000
ASSISTANT = Assistant(
    id="asst_bench",
    alias="default",
    engine="responses",
    model="gpt-4o",
    instructions="Be brief. " * 60,
    initial_message="",
    temperature=None,
    functions=(),
    tools=b"[]",
    timeout_seconds=1,
    max_rounds=1,
)
QUESTION = b'{"type":"message","role":"user","content":"How is the weather?"}'


class Canned(asyncio.Protocol):
    """Answers every request at once: streamed or whole, as it asks."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # over TCP
        """Keep the connection."""
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """One request comes in one piece here."""
        self._transport.write(STREAM if b'"stream":true' in data else WHOLE)


def on_the_wire(reply: Reply) -> bytes:
    """A reply as one write."""
    parts = (part for part in reply.parts if isinstance(part, bytes))
    if reply.chunked:
        parts = (b"%x\r\n%s\r\n" % (len(part), part) for part in parts)
    return reply.head + b"".join(parts) + (b"0\r\n\r\n" if reply.chunked else b"")


BURST = text_stream(*["word "] * (EVENTS - 7))
STREAM = on_the_wire(stream_reply(*(event + b"\n\n" for event in BURST.split(b"\n\n")[:-1])))
WHOLE = on_the_wire(text_answer("word " * 100))


async def serve() -> None:
    """Serve canned answers; the port goes to standard output."""
    server = await asyncio.get_running_loop().create_server(Canned, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


async def answer(engine: ResponsesEngine, base_url: str, *, stream: bool) -> int:
    """One call; how many events it gave."""
    call = Call(
        assistant=ASSISTANT,
        credential=Credential(base_url, "sk-bench"),
        input=(QUESTION,),
        stream=stream,
        tools_allowed=True,
        prompt_cache_key="bench",
        correlation_id="bench",
    )
    opened = await engine.open(call)
    events = 0
    while batch := await opened.read():
        events += len(batch)
    await opened.close()
    return events


async def microseconds(turn: Callable[[], Awaitable[object]]) -> float:
    """CPU of one turn: the best of five rounds."""
    rounds = []
    for _ in range(5):
        started = time.process_time()
        for _ in range(CALLS // 5):
            await turn()
        rounds.append((time.process_time() - started) / (CALLS // 5) * 1e6)
    return min(rounds)


async def measure(base_url: str) -> None:
    """Print the table."""
    async with Transport(proxies=Proxies({})) as transport:
        engine = ResponsesEngine(transport)
        events = await answer(engine, base_url, stream=True)
        whole = await microseconds(lambda: answer(engine, base_url, stream=False))
        burst = await microseconds(lambda: answer(engine, base_url, stream=True))

    async def split() -> None:
        Splitter().feed(BURST)

    print(f"unstreamed call             {whole:8.1f} us")
    print(f"burst of {events} events         {burst:8.1f} us")
    print(f"  an event, all included    {burst / events:8.2f} us")
    print(f"  an event beyond the call  {(burst - whole) / events:8.2f} us")
    print(f"  an event, splitting alone {await microseconds(split) / EVENTS:8.2f} us")


def main() -> None:
    """Start the upstream, measure, end it."""
    if sys.argv[1:] == ["--upstream"]:
        uvloop.run(serve())
        return
    command = [sys.executable, __file__, "--upstream"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as upstream:
        port = upstream.stdout.readline().strip() if upstream.stdout else ""
        try:
            uvloop.run(measure(f"http://127.0.0.1:{port}/v1"))
        finally:
            upstream.terminate()


if __name__ == "__main__":
    main()
