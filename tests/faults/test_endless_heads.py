"""Requests whose head, or the trailers behind whose body, have no end: nobody keeps all of it."""

import asyncio

import pytest

from tests.fakes.raw_client import RawClient, ask, request

PIECE = 16 * 1024
GIVEN_UP = 16 * 1024 * 1024
CHUNKED = request("POST", "/t/acme/chat", headers={"Transfer-Encoding": "chunked"})
BEGUN = request("GET", "/t/acme/start")[:-2]


async def answer_to(url, first, more):
    """Send without an end until the server ends it: what it said, and after how many bytes."""
    sent = 0
    async with RawClient(url) as client:
        reading = asyncio.ensure_future(client.read_all())
        await client.send(first)
        try:
            while not reading.done() and sent < GIVEN_UP:
                await client.send(more)
                sent += len(more)
        except ConnectionError:
            pass
        return await reading, sent


@pytest.mark.parametrize(
    ("first", "more"),
    [
        pytest.param(BEGUN + b"X-Endless: ", b"x" * PIECE, id="a value"),
        pytest.param(BEGUN + b"X-", b"x" * PIECE, id="a name"),
        pytest.param(BEGUN, b"X-Y: z\r\n" * (PIECE // 8), id="headers"),
        pytest.param(b"GET /t/acme/", b"x" * PIECE, id="a path"),
        pytest.param(CHUNKED + b"0\r\n", b"X-Y: z\r\n" * (PIECE // 8), id="trailers"),
        pytest.param(CHUNKED + b"0\r\nX-", b"x" * PIECE, id="a trailer"),
        pytest.param(CHUNKED + b"1;x=", b"x" * PIECE, id="what a chunk says of itself"),
    ],
)
async def test_what_has_no_end_is_cut_off(gateway, first, more):
    """The connection ends soon, however much the client would still send."""
    _, sent = await answer_to(gateway.url, first, more)

    assert sent < GIVEN_UP


async def test_a_head_that_is_too_long_is_told(gateway):
    """Whoever stops there reads that it was too long."""
    async with RawClient(gateway.url) as client:
        await client.send(BEGUN + b"X-Long: " + b"x" * 65 * 1024)
        answer = await client.read_all()

    assert answer.startswith(b"HTTP/1.1 431 ")


async def test_a_long_head_is_read(gateway):
    """Up to 64 KiB a head is like any other, also behind another request on its connection."""
    long = request("GET", "/t/acme/start", headers={"X-Long": "x" * 60_000})
    kept = request("GET", "/t/acme/start", headers={"Connection": "keep-alive", "X": "x" * 60_000})

    assert (await ask(gateway.url, long)).status == 200
    assert (await ask(gateway.url, kept + kept + long)).body.count(b"thread_id") == 3
