"""The transport keeps to HTTP/1.1, so that no answer is ever taken for another call's."""

import asyncio
import contextlib
import ssl
import subprocess

import attrs
import pytest

from gateway.engines.errors import Cause, EngineError
from gateway.engines.exchange import Limits
from gateway.engines.proxies import Proxies
from gateway.engines.transport import Transport
from tests.fakes.proxy import Proxy
from tests.fakes.upstream import Ending, Upstream, head, json_reply, raw_reply

WHOLE = {"content-length": "2"}


@pytest.fixture
async def upstream():
    """A scriptable upstream that answers ``ok``."""
    async with Upstream(raw_reply(head(200, WHOLE), b"ok", ending=Ending.CLEAN)) as server:
        yield server


@pytest.fixture
async def transport():
    """A transport that is not patient."""
    async with Transport(Limits(keepalive_seconds=0.1, idle_seconds=0.3)) as opened:
        yield opened


async def asked(transport, upstream, path="/x", body=b"{}"):
    """Status and body of an answer."""
    async with asyncio.timeout(5):
        exchange = await transport.send(upstream.base_url + path, {}, body, stream=False)
        return exchange.status, await exchange.read_whole()


@pytest.mark.parametrize(
    ("answer", "used_again"),
    [
        (raw_reply(head(200, WHOLE), b"ok", ending=Ending.CLEAN), True),
        (raw_reply(head(200, WHOLE) + b"ok", ending=Ending.CLEAN), True),
        (raw_reply(head(103) + head(200, WHOLE) + b"ok", ending=Ending.CLEAN), True),
        (raw_reply(head(100), head(102), head(200, WHOLE), b"ok", ending=Ending.CLEAN), True),
        (raw_reply(head(200, {**WHOLE, "connection": "close"}), b"ok"), False),
        (raw_reply(b"HTTP/1.0 200 OK\r\ncontent-length: 2\r\n\r\nok"), False),
        (raw_reply(head(200), b"o", b"k"), False),
        (raw_reply(head(200, WHOLE) + b"okHTTP/1.1 200 OK\r\n\r\n", ending=Ending.CLEAN), False),
        (raw_reply(head(200, WHOLE) + b"ok!garbage", ending=Ending.CLEAN), False),
    ],
)
async def test_ends_of_an_answer(transport, upstream, answer, used_again):
    """Every form of answer is read whole, and only a clean connection serves the next call."""
    upstream.script(answer)

    first = await asked(transport, upstream)
    second = await asked(transport, upstream)

    assert (first, second) == ((200, b"ok"), (200, b"ok"))
    assert upstream.connections == (1 if used_again else 2)


async def test_a_late_second_answer_is_nobodys(transport, upstream):
    """What comes on a connection that waits closes it."""
    gate = asyncio.Event()
    late = head(200, {"content-length": "6"}) + b"stolen"
    upstream.script(raw_reply(head(200, WHOLE) + b"ok", gate, late, ending=Ending.STALL))
    first = await asked(transport, upstream)

    gate.set()
    await upstream.until(lambda server: server.open_connections == 0)
    second = await asked(transport, upstream)

    assert (first, second) == ((200, b"ok"), (200, b"ok"))


async def test_no_body_where_none_may_be(transport, upstream):
    """A 204 ends with its head."""
    upstream.script(raw_reply(head(204), ending=Ending.CLEAN))

    assert await asked(transport, upstream) == (204, b"")
    assert await asked(transport, upstream) == (200, b"ok")
    assert upstream.connections == 1


@pytest.mark.parametrize("switch", [head(101, {"upgrade": "x", "connection": "upgrade"})])
async def test_no_other_protocol(transport, upstream, switch):
    """An upstream that changes the protocol, which nobody asked for, is broken."""
    upstream.script(raw_reply(switch, ending=Ending.STALL))

    with pytest.raises(EngineError) as raised:
        await asked(transport, upstream)

    assert raised.value.cause is Cause.BROKEN


async def test_a_head_without_end(transport, upstream):
    """A head that outgrows its bound is broken."""
    endless = b"HTTP/1.1 200 OK\r\nx: " + b"y" * 80_000
    upstream.script(raw_reply(endless, ending=Ending.STALL))

    with pytest.raises(EngineError) as raised:
        await asked(transport, upstream)

    assert raised.value.cause is Cause.BROKEN
    await upstream.until(lambda server: server.open_connections == 0)


async def test_the_same_header_twice(transport, upstream):
    """Headers are found by their lower-case names; of several the first one counts."""
    answer = b"HTTP/1.1 200 OK\r\nX-One: a\r\nx-one: b\r\nContent-Length: 0\r\n\r\n"
    upstream.script(raw_reply(answer, ending=Ending.CLEAN))

    exchange = await transport.send(upstream.base_url, {}, b"", stream=False)

    assert exchange.headers["x-one"] == "a"


async def test_waiting_connections_are_closed(transport, upstream):
    """A connection that nobody needs is closed after its time."""
    await asked(transport, upstream)

    await upstream.until(lambda server: server.open_connections == 0)

    assert transport._pool.free == 0


async def test_an_early_answer_to_a_long_body(transport):
    """An upstream that answers before it has read the request is heard, and not asked on there."""
    gone = asyncio.Event()

    async def refuse_at_once(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(head(413, WHOLE) + b"no")
        with contextlib.suppress(ConnectionError):
            while await reader.read(1000):
                await writer.drain()
        writer.close()
        gone.set()

    async with await asyncio.start_server(refuse_at_once, "127.0.0.1", 0, limit=2**16) as server:
        port = server.sockets[0].getsockname()[1]
        url = f"http://127.0.0.1:{port}/v1"
        exchange = await transport.send(url, {}, b"x" * 50_000_000, stream=False)

        assert (exchange.status, await exchange.read_whole()) == (413, b"no")
        assert transport._pool.free == 0
        await gone.wait()


async def test_an_answer_that_nobody_reads(upstream):
    """What is not read stays with the upstream, for longer than a silence may last."""
    body = b"x" * 30_000_000
    upstream.script(json_reply(body))
    async with Transport(Limits(idle_seconds=0.1)) as transport, asyncio.timeout(10):
        exchange = await transport.send(upstream.base_url, {}, b"", stream=False)
        passed = asyncio.Event()
        asyncio.get_running_loop().call_later(0.3, passed.set)
        await passed.wait()

        assert exchange._unread < 1_000_000
        assert await exchange.read_whole() == body


@pytest.mark.parametrize(
    ("path", "target"),
    [
        ("", "/v1"),
        ("/a b?c=d e&f=%20", "/v1/a%20b?c=d%20e&f=%20"),
        ("/ü#part", "/v1/%C3%BC"),
        ("//x", "/v1//x"),
    ],
)
async def test_paths(transport, upstream, path, target):
    """A URL goes out as the request line may carry it."""
    await asked(transport, upstream, path)

    request = upstream.requests[0]
    assert request.target == target
    assert request.headers["host"] == upstream.base_url.split("/")[2]


@pytest.fixture
def certificate(require_program, tmp_path):
    """A certificate of this machine's name, and its key."""
    certificate, key = tmp_path / "certificate.pem", tmp_path / "key.pem"
    subprocess.run(
        [
            require_program("openssl"), "req", "-x509", "-newkey", "rsa:2048", "-nodes",
            "-days", "1", "-subj", "/CN=far.example", "-addext", "subjectAltName=DNS:far.example",
            "-keyout", key, "-out", certificate,
        ],
        check=True,
        capture_output=True,
    )  # fmt: skip
    return certificate, key


async def test_a_way_through_a_proxy(certificate, monkeypatch):
    """An upstream of TLS is reached through a tunnel, whose proxy is told its user and no more."""
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate[0]))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    usual = json_reply(b"ok")
    async with Upstream(usual, tls=context) as upstream, Proxy() as proxy:
        port = upstream.base_url.rpartition(":")[2].removesuffix("/v1")
        far = attrs.make_class("Far", ["base_url"])(f"https://far.example:{port}/v1")
        async with Transport(proxies=Proxies({"https": proxy.url})) as transport:
            answers = [await asked(transport, far) for _ in range(2)]

    assert answers == [(200, b"ok")] * 2
    assert len(proxy.heads) == 1
    assert proxy.heads[0].startswith(f"CONNECT far.example:{port} HTTP/1.1\r\n")
    assert "Proxy-Authorization: Basic dXNlcjpwQHNz\r\n" in proxy.heads[0]
    assert "proxy-authorization" not in upstream.requests[0].headers


@pytest.mark.parametrize("refusal", [head(407), head(502), b"garbage\r\n\r\n", b"HTTP/1.1 2", b""])
async def test_a_proxy_that_refuses(refusal):
    """A proxy that gives no way is an upstream that cannot be reached."""
    async with (
        Proxy(refusal) as proxy,
        Transport(proxies=Proxies({"https": proxy.url})) as transport,
    ):
        with pytest.raises(EngineError) as raised:
            await transport.send("https://far.example/v1", {}, b"", stream=False)

    assert (raised.value.cause, raised.value.retryable) == (Cause.UNAVAILABLE, True)
    assert "p@ss" not in str(raised.value)
