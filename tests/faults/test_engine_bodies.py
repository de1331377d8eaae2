"""Bodies of an upstream's answers that are none, are cut, or never end."""

import asyncio

import pytest

from gateway.engines.errors import Cause
from gateway.engines.exchange import Limits
from gateway.engines.transport import Transport
from tests.fakes.calls import (
    failed,
    make_call,
    read_all,
    read_until_error,
    refused,
    refused_or_failed,
)
from tests.fakes.upstream import (
    Ending,
    head,
    json_reply,
    raw_reply,
    response,
    sse,
    stream_reply,
)

pytest_plugins = ("tests.fakes.engine_fixtures",)


async def test_ten_megabytes_in_one_event(engine, upstream):
    """An event of 10 MB, such as an image, is carried whole."""
    delta = {"type": "response.image", "partial_image_b64": "x" * 10_000_000}
    ending = {"type": "response.completed", "response": response("completed")}
    upstream.script(stream_reply(sse(delta), sse(ending)))

    async with asyncio.timeout(10):
        events = await read_all(await engine.open(make_call(upstream.base_url)))

    assert len(events[0].raw) > 10_000_000
    assert events[1].type == "response.completed"


async def test_an_event_without_end(engine, upstream):
    """An event that outgrows the bound breaks the stream, and is not kept."""
    upstream.script(stream_reply(b"data: ", *[b"x" * 1_000_000] * 17, ending=Ending.STALL))

    events, error = await failed(engine, upstream)

    assert (events, error.cause) == ([], Cause.BROKEN)


@pytest.mark.parametrize(
    "body",
    [
        b"<html>sign in</html>",
        b"{}",
        b"[]",
        b"",
        b'{"error": {"message": "no"}}',
        b'{"output": 5}',
        b'{"status": "in_progress", "output": []}',
        b'{"status": 5, "output": []}',
        b'{"status": "completed", "output": [], "x": "\xff"}',
        b'{"status": "completed", "output": [',
        b'{"output": ' + b"[" * 100_000,
    ],
)
async def test_an_answer_that_is_no_response(engine, upstream, body):
    """An unstreamed body that is no response object, or not an ended one, is broken."""
    upstream.script(json_reply(body))

    answer = await engine.open(make_call(upstream.base_url, stream=False))
    events, error = await read_until_error(answer)

    assert (events, error.cause) == ([], Cause.BROKEN)


async def test_an_answer_that_does_not_unpack(engine, upstream):
    """A compressed body that is none is broken."""
    upstream.script(json_reply(b"not gzip at all", headers={"content-encoding": "gzip"}))

    error = await refused_or_failed(engine, upstream)

    assert error.cause is Cause.BROKEN


async def test_an_answer_that_is_cut(engine, upstream):
    """An unstreamed body that is shorter than announced is broken."""
    whole = head(200, {"content-type": "application/json", "content-length": "999"})
    upstream.script(raw_reply(whole, b'{"status": "completed", "output": []}'))

    events, error = await failed(engine, upstream, stream=False)

    assert (events, error.cause) == ([], Cause.BROKEN)


async def test_an_answer_without_end(make_engine, upstream):
    """An unstreamed body that outgrows its bound is let go of."""
    whole = head(200, {"content-type": "application/json", "content-length": "9999"})
    upstream.script(raw_reply(whole, b"x" * 5000, ending=Ending.STALL))
    async with Transport(Limits(body_bytes=1000)) as transport:
        _, error = await failed(make_engine(transport), upstream, stream=False)

    assert error.cause is Cause.BROKEN


async def test_an_error_whose_body_never_ends(engine, upstream):
    """The status decides, though the body of the error stalls."""
    stalling = head(400, {"content-length": "100"}) + b'{"error"'
    upstream.script(raw_reply(stalling, ending=Ending.STALL))

    error = await refused(engine, upstream.base_url)

    assert (error.cause, error.status) == (Cause.REJECTED, 400)
    await upstream.until(lambda server: server.open_connections == 0)
