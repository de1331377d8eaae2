"""Everything that an upstream can do wrong ends as the right cause, and frees its connection."""

import asyncio
import socket

import pytest

from gateway.engines.errors import Cause
from gateway.engines.exchange import Limits
from gateway.engines.transport import Transport
from tests.fakes.calls import (
    LIMITS,
    SOON,
    failed,
    make_call,
    read_all,
    read_until_error,
    refused,
    refused_or_failed,
)
from tests.fakes.upstream import (
    Ending,
    closed_port,
    error_reply,
    head,
    raw_reply,
    stream_reply,
    text_answer,
    text_stream,
)

pytest_plugins = ("tests.fakes.engine_fixtures",)

STREAM = text_stream("Hel", "wörld")


async def test_refused_connection(engine, waits):
    """Where nobody listens, the call is tried again and then unavailable."""
    error = await refused(engine, f"http://127.0.0.1:{closed_port()}/v1")

    assert (error.cause, error.status) == (Cause.UNAVAILABLE, None)
    assert waits == [0.5, 1.0]


async def test_unknown_name(engine, waits):
    """A host that does not exist is unavailable; the attempts are as many."""
    error = await refused(engine, "http://no-such-host.invalid/v1")

    assert error.cause in {Cause.UNAVAILABLE, Cause.TIMED_OUT}
    assert len(waits) == 2


async def test_connect_limit(engine, waits):
    """A host that does not take connections up in time has timed out."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as listener:
        place = listener.getsockname()
        with socket.create_connection(place):  # fills the queue of connections not yet taken up
            error = await refused(engine, f"http://127.0.0.1:{place[1]}/v1")

    assert error.cause is Cause.TIMED_OUT
    assert len(waits) == 2


async def test_no_tls_where_tls_was_asked_for(engine, waits):
    """A failed TLS handshake is unavailable, and not tried again."""

    async def answer_in_the_clear(_, writer):
        writer.write(head(400))
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(answer_in_the_clear, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        error = await refused(engine, f"https://127.0.0.1:{port}/v1")

    assert error.cause is Cause.UNAVAILABLE
    assert waits == []


@pytest.mark.parametrize("base_url", ["", "nonsense", "ftp://127.0.0.1/v1", "http://[::1/v1"])
async def test_an_upstream_that_is_no_url(engine, base_url):
    """An address that cannot be called is an upstream's failure, not a crash."""
    assert (await refused(engine, base_url)).cause is Cause.UNAVAILABLE


async def test_a_credential_that_no_header_carries(engine, upstream):
    """A key with a line break in it is never sent, and is not shown."""
    call = make_call(upstream.base_url)
    broken = type(call.credential)(upstream.base_url, "sk-planted\nX-Evil: 1")

    error = await refused(engine, upstream.base_url, credential=broken)

    assert error.cause is Cause.UNAUTHORIZED
    assert "planted" not in str(error)
    assert upstream.requests == []


@pytest.mark.parametrize(
    ("refusal", "outcome"),
    [
        ((401, "invalid_api_key", {}), (Cause.UNAUTHORIZED, 1, None)),
        ((400, "invalid_prompt", {}), (Cause.REJECTED, 1, None)),
        ((429, "rate_limit_exceeded", {}), (Cause.RATE_LIMITED, 3, None)),
        ((429, None, {"retry-after": "2"}), (Cause.RATE_LIMITED, 3, 2)),
        ((429, None, {"retry-after-ms": "1500"}), (Cause.RATE_LIMITED, 3, 1.5)),
        ((429, None, {"retry-after": "60"}), (Cause.RATE_LIMITED, 1, 60)),
        ((429, "insufficient_quota", {"retry-after": "1"}), (Cause.QUOTA_SPENT, 1, 1)),
        ((500, None, {}), (Cause.UNAVAILABLE, 3, None)),
        ((500, None, {"x-should-retry": "false"}), (Cause.UNAVAILABLE, 1, None)),
        ((503, "server_is_overloaded", {}), (Cause.UNAVAILABLE, 3, None)),
        ((307, None, {"location": "http://127.0.0.1:9/"}), (Cause.BROKEN, 1, None)),
    ],
)
@pytest.mark.parametrize("stream", [True, False])
async def test_refusals(engine, upstream, stream, refusal, outcome):
    """A refusal has its cause and is tried again as far as that helps; no redirect is followed."""
    upstream.usual = error_reply(*refusal)

    error = await refused(engine, upstream.base_url, stream=stream)

    assert error.status == refusal[0]
    assert (error.cause, len(upstream.requests), error.retry_after_seconds) == outcome


async def test_the_upstreams_wait_is_kept(engine, upstream, waits):
    """The pauses are those that the upstream asked for."""
    upstream.script(error_reply(429, headers={"retry-after": "3"}))
    upstream.script(error_reply(429, headers={"retry-after-ms": "40"}))
    upstream.script(text_answer("hi"))

    await read_all(await engine.open(make_call(upstream.base_url, stream=False)))

    assert waits == [3, 0.04]


async def test_an_error_that_repeats_the_key(engine, upstream):
    """What an upstream says of our key does not reach the log."""
    upstream.script(error_reply(401, message="bad key sk-planted-secret"))

    error = await refused(engine, upstream.base_url)

    assert "bad key" in error.detail
    assert "planted" not in str(error) + repr(error) + repr(error.__cause__)


@pytest.mark.parametrize("ending", [Ending.CUT, Ending.RESET])
async def test_cut_before_the_head(engine, upstream, ending):
    """A connection that ends without an answer is tried again."""
    upstream.script(raw_reply(ending=ending), stream_reply(STREAM))

    events = await read_all(await engine.open(make_call(upstream.base_url)))

    assert events[-1].type == "response.completed"
    assert len(upstream.requests) == 2


async def test_cut_within_the_head(engine, upstream):
    """Half a response head is no answer."""
    upstream.usual = raw_reply(b"HTTP/1.1 200 OK\r\ncontent-")

    assert (await refused(engine, upstream.base_url)).cause is Cause.UNAVAILABLE


@pytest.mark.parametrize(
    "garbage", [b"garbage\r\n\r\n", b"\x00\xff" * 50, b"HTTP/1.1 abc\r\n\r\n", b"\r\n\r\n!"]
)
async def test_garbage_for_a_head(engine, upstream, garbage):
    """What is not HTTP is broken, and not asked for twice."""
    upstream.usual = raw_reply(garbage, ending=Ending.STALL)

    error = await refused(engine, upstream.base_url)

    assert error.cause is Cause.BROKEN
    assert len(upstream.requests) == 1
    await upstream.until(lambda server: server.open_connections == 0)


@pytest.mark.parametrize("stream", [True, False])
async def test_silence_before_the_head(make_engine, upstream, stream):
    """An upstream that never answers has timed out; it is not asked twice, and let go of."""
    upstream.usual = raw_reply(ending=Ending.STALL)
    limits = Limits(**{f"{'stream' if stream else 'whole'}_head_seconds": SOON})
    async with Transport(limits) as transport:
        error = await refused(make_engine(transport), upstream.base_url, stream=stream)

        await upstream.until(lambda server: server.open_connections == 0)

    assert error.cause is Cause.TIMED_OUT
    assert len(upstream.requests) == 1


@pytest.mark.parametrize("stream", [True, False])
async def test_silence_after_the_head(engine, upstream, stream):
    """From the head on the idle limit counts."""
    kind = "text/event-stream" if stream else "application/json"
    fields = {"content-type": kind, "content-length": "100"}
    upstream.script(raw_reply(head(200, fields), ending=Ending.STALL))

    events, error = await failed(engine, upstream, stream=stream)

    assert (events, error.cause) == ([], Cause.TIMED_OUT)


async def test_silence_in_mid_stream(engine, upstream):
    """Events that came before the silence are given out first."""
    upstream.script(stream_reply(STREAM[:1500], ending=Ending.STALL))

    events, error = await failed(engine, upstream)

    assert events[0].type == "response.created"
    assert error.cause is Cause.TIMED_OUT


async def test_pauses_within_the_idle_limit(make_engine, upstream):
    """A stream may last longer than the idle limit, as long as something comes."""
    gates = [asyncio.Event() for _ in range(4)]
    parts = [part for gate in gates for part in (b": alive\n\n", gate)]
    upstream.script(stream_reply(*parts, STREAM))
    loop = asyncio.get_running_loop()
    for number, gate in enumerate(gates):
        loop.call_later(0.2 * (number + 1), gate.set)
    async with Transport(Limits(idle_seconds=0.5)) as transport:
        events = await read_all(await make_engine(transport).open(make_call(upstream.base_url)))

    assert events[-1].type == "response.completed"


@pytest.mark.parametrize("ending", [Ending.CUT, Ending.CLEAN])
async def test_a_head_and_nothing_more(engine, upstream, ending):
    """A stream that ends before its first event is a failed run, not tried again."""
    upstream.script(stream_reply(ending=ending))

    answer = await engine.open(make_call(upstream.base_url))
    events, error = await read_until_error(answer)

    assert (events, error.cause) == ([], Cause.BROKEN)
    assert len(upstream.requests) == 1


@pytest.mark.parametrize("ending", [Ending.CUT, Ending.CLEAN])
@pytest.mark.parametrize("done", [b"", b"data: [DONE]\n\n"])
async def test_no_terminal_event(engine, upstream, ending, done):
    """A stream that ends between two events, even politely, has failed."""
    upto = STREAM.index(b"event: response.completed")
    upstream.script(stream_reply(STREAM[:upto] + done, ending=ending))

    answer = await engine.open(make_call(upstream.base_url))
    events, error = await read_until_error(answer)

    assert [event.type for event in events[-1:]] == ["response.output_item.done"]
    assert error.cause is Cause.BROKEN


@pytest.mark.parametrize("place", [len(STREAM) - 1, STREAM.index(b"event: response.completed") + 9])
async def test_cut_in_mid_event(engine, upstream, place):
    """An event that is not whole is none, be it the terminal one but for its last byte."""
    upstream.script(stream_reply(STREAM[:place], ending=Ending.CUT))

    events, error = await failed(engine, upstream)

    assert events[-1].type == "response.output_item.done"
    assert error.cause is Cause.BROKEN


async def test_cut_in_mid_character(engine, upstream):
    """A stream cut within a character fails after the events before it."""
    stream = 'event: response.output_text.delta\ndata: {}\n\ndata: {"delta":"wö'.encode()
    upstream.script(stream_reply(stream[:-1], ending=Ending.CUT))

    events, error = await failed(engine, upstream)

    assert len(events) == 1
    assert error.cause is Cause.BROKEN


async def test_a_reset_that_overtakes_the_reader(make_engine, upstream):
    """Events that had arrived are given out, though the connection broke before they were read."""
    gate = asyncio.Event()
    upstream.script(stream_reply(STREAM[:1500], gate, ending=Ending.RESET))
    async with Transport(LIMITS) as transport, asyncio.timeout(5):
        answer = await make_engine(transport).open(make_call(upstream.base_url))
        exchange = answer._exchange
        while not exchange._unread:  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0)
        gate.set()
        while exchange.line is not None:  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0)

        events, error = await read_until_error(answer)

    assert events[0].type == "response.created"
    assert error.cause is Cause.BROKEN


@pytest.mark.parametrize(
    "garbage",
    [
        b"event: response.output_text.delta\ndata: {broken\n\n",
        b"event: response.brand_new\ndata: {broken\n\n",
        b"data: <html>\n\n",
        b"data: []\n\n",
        b'data: {"a":"\xff\xfe"}\n\n',
        b'data: {"a":' + b"[" * 100_000 + b"\n\n",
        b'event: message\ndata: {"type":"gateway.run.ended","status":"completed"}\n\n',
        b'event: gateway.run.ended\ndata: {"status":"completed"}\n\n',
    ],
)
async def test_garbage_for_an_event(engine, upstream, garbage):
    """What is no JSON object in UTF-8, or speaks for us, breaks the stream after what was good."""
    upto = STREAM.index(b"event: response.completed")
    upstream.script(stream_reply(STREAM[:upto] + garbage, ending=Ending.STALL))

    events, error = await failed(engine, upstream)

    assert [event.type for event in events[-1:]] == ["response.output_item.done"]
    assert error.cause is Cause.BROKEN


async def test_garbage_between_chunks(engine, upstream):
    """A chunked body that breaks its framing is broken."""
    fields = {"content-type": "text/event-stream", "transfer-encoding": "chunked"}
    upstream.script(raw_reply(head(200, fields), b"zz\r\nnonsense\r\n", ending=Ending.STALL))

    error = await refused_or_failed(engine, upstream)

    assert error.cause is Cause.BROKEN
    await upstream.until(lambda server: server.open_connections == 0)


async def test_closing_in_mid_stream(engine, upstream):
    """Closing an answer that still runs ends its connection, as often as it is closed."""
    upstream.script(stream_reply(STREAM[:1500], ending=Ending.STALL))
    answer = await engine.open(make_call(upstream.base_url))
    await answer.read()

    await answer.close()
    await answer.close()

    await upstream.until(lambda server: server.open_connections == 0)
    assert await answer.read() == []


@pytest.mark.parametrize("stream", [True, False])
async def test_closing_while_somebody_reads(engine, upstream, stream):
    """A reader that waits when its answer is closed gets the end, no error."""
    kind = "text/event-stream" if stream else "application/json"
    whole = head(200, {"content-type": kind, "content-length": "999"})
    upstream.script(raw_reply(whole, ending=Ending.STALL))
    answer = await engine.open(make_call(upstream.base_url, stream=stream))

    async with asyncio.TaskGroup() as group:
        reader = group.create_task(answer.read())
        await asyncio.sleep(0)
        await answer.close()

    assert reader.result() == []
    await upstream.until(lambda server: server.open_connections == 0)


@pytest.mark.parametrize("reply", ["none", "stream", "refusal"])
async def test_a_cancelled_call_leaks_nothing(make_engine, upstream, reply):
    """Cancelled while it waits for a head, for events or for an error's body: nothing stays."""
    fields = {"content-length": "999"}
    upstream.script(
        {
            "none": raw_reply(ending=Ending.STALL),
            "stream": stream_reply(STREAM[:1500], ending=Ending.STALL),
            "refusal": raw_reply(head(400, fields), ending=Ending.STALL),
        }[reply]
    )
    async with Transport() as transport, asyncio.timeout(5):
        engine = make_engine(transport)

        async def turn():
            await read_all(await engine.open(make_call(upstream.base_url)))

        async with asyncio.TaskGroup() as group:
            task = group.create_task(turn())
            await upstream.until(lambda server: len(server.requests) == 1)
            task.cancel()

        await upstream.until(lambda server: server.open_connections == 0)

    assert task.cancelled()


async def test_a_connection_that_died_in_the_pool(engine, upstream):
    """A connection that the upstream closed between two calls does not fail the second."""
    upstream.usual = stream_reply(STREAM)
    length = {"content-type": "text/event-stream", "content-length": str(len(STREAM))}
    upstream.script(raw_reply(head(200, length), STREAM, ending=Ending.CUT))
    await read_all(await engine.open(make_call(upstream.base_url)))

    events = await read_all(await engine.open(make_call(upstream.base_url)))

    assert events[-1].type == "response.completed"
