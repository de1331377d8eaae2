"""Requests that try to be two things at once: which tenant is meant is never in doubt."""

import pytest

from tests.fakes.raw_client import RawClient

pytest_plugins = ("tests.fakes.locked_gateway",)

START = "/t/acme/start"


def raw(target=START, *lines, method="GET", host="gateway"):
    """A request with these header lines as they are, with a place for a key."""
    head = [f"{method} {target} HTTP/1.1", f"Host: {host}", "Authorization: Bearer KEY", *lines]
    return "\r\n".join([*head, "Connection: close", "", ""])


@pytest.fixture
async def answered(locked, keys):
    """Sends a request with a key of ``acme``, and reads all that comes back."""
    key = (await keys.give("chat history")).text

    async def send(sent):
        async with RawClient(locked.url) as client:
            await client.send(sent.replace("KEY", key).encode("latin-1"))
            return await client.read_all()

    return send


def status(answer):
    """Of its only answer, which is no other tenant's."""
    assert answer.count(b"HTTP/1.1 ") == 1
    assert b"Globex" not in answer
    return int(answer.split(b" ", 2)[1])


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        (START, 200),
        ("/t/acme//start", 200),
        ("/t/acme/start/", 200),
        ("/t/acme/st%61rt", 200),
        ("http://globex/t/acme/start", 200),
        ("/start", 200),
        ("/T/acme/start", 404),
        ("/t/ACME/start", 404),
        ("//t/acme/start", 404),
        ("/./t/acme/start", 404),
        ("/t/acme/./start", 404),
        ("/t//start", 404),
        ("/t/%61cme/start", 404),
        ("/%74/acme/start", 404),
        ("/t%2facme/start", 404),
        ("/t/acme%00/start", 404),
        ("/t/acme;globex/start", 404),
        ("/t/acme/start;globex", 404),
        ("/t/acme\\start", 404),
        ("/t/acme/../globex/start", 404),
        ("/t/acme/%2e%2e/globex/start", 404),
        ("/t/acme%2f..%2fglobex/start", 404),
        ("/t/acme/..%2fglobex%2fstart", 404),
        ("/t/acme/t/globex/start", 404),
        ("/t/globex/../acme/start", 404),
        ("/t/globex/start?tenant=acme", 401),
        ("/t/globex/start#/t/acme/start", 401),
        ("/t/acme/\xe9", 400),
    ],
)
async def test_a_path_names_one_tenant(answered, target, expected):
    """Whatever a path is written like, it leads to the tenant of its first segments or nowhere."""
    assert status(await answered(raw(target))) == expected


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (["X-Tenant-ID: acme"], 200),
        (["X-Tenant-ID:\tacme "], 200),
        (["X_Tenant_ID: globex"], 200),
        (["X-Forwarded-Host: globex", "X-Original-URL: /t/globex/start"], 200),
        (["X-Rewrite-URL: /t/globex/start", "X-Forwarded-Prefix: /t/globex"], 200),
        (["X-HTTP-Method-Override: DELETE"], 200),
        (["X-Tenant-ID: globex"], 400),
        (["X-Tenant-ID: acme", "x-tenant-id: globex"], 400),
        (["X-Tenant-ID: acme, globex"], 404),
        (["X-Tenant-ID: ACME"], 404),
        (["X-Tenant-ID: acme\xa0"], 404),
        (["X-Tenant-ID: "], 404),
        (["X-Tenant-ID : globex"], 400),
        (["X-Tenant-ID: acme\0globex"], 400),
        (["X-Tenant-ID: acme\rX-Tenant-ID: globex"], 400),
        (["X-Tenant-ID: acme\n globex"], 400),
    ],
)
async def test_headers_name_the_same_tenant_or_none(answered, lines, expected):
    """A header that names another tenant, or that could be read in two ways, is refused."""
    assert status(await answered(raw(START, *lines))) == expected


async def test_the_host_names_no_tenant(answered):
    """What a client or a proxy says of the host changes nothing."""
    for host in ("globex", "globex.example", "acme@globex", ""):
        assert status(await answered(raw(host=host))) == 200


SECOND = "GET /t/globex/start HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer KEY\r\n\r\n"


@pytest.mark.parametrize(
    "lines",
    [
        ["Content-Length: 4", "Transfer-Encoding: chunked"],
        ["Transfer-Encoding: chunked", "Content-Length: 4"],
        ["Transfer-Encoding : chunked", "Content-Length: 5"],
        ["Transfer-Encoding: xchunked", "Content-Length: 5"],
        ["Transfer-Encoding: chunked, identity"],
        ["Transfer-Encoding:\x0bchunked", "Content-Length: 5"],
        ["Content-Length: 5", "Content-Length: 0"],
        ["Content-Length: 5, 5"],
        ["Content-Length: +5"],
        ["Content-Length: 0x5"],
    ],
)
async def test_a_body_ends_in_one_place(answered, lines):
    """Where a proxy could see another end of a request than the gateway does, all of it is refused.

    Else the rest of one client's body would be the beginning of the next one's request
    (RFC 9112, section 11.2).
    """
    first = raw("/t/acme/chat", *lines, method="POST").replace("Connection: close\r\n", "")

    assert status(await answered(first + "0\r\n\r\n" + SECOND)) == 400


async def test_each_request_of_a_connection_is_judged_by_itself(answered):
    """What was shown with one request opens nothing for the next one on its connection."""
    good = raw().replace("Connection: close", "Connection: keep-alive")
    bare = good.replace("Authorization: Bearer KEY\r\n", "")
    other = good.replace("/t/acme", "/t/globex")

    answers = (await answered(good + bare + other + good + raw())).split(b"HTTP/1.1 ")

    assert [answer[:3] for answer in answers[1:]] == [b"200", b"401", b"401", b"200", b"200"]


@pytest.mark.parametrize("method", ["HEAD", "OPTIONS", "PUT", "PATCH", "TRACE", "CONNECT"])
@pytest.mark.parametrize("target", [START, "/t/globex/start", "/t/acme/chat", "/start"])
async def test_other_methods_do_nothing(answered, upstream, method, target):
    """Methods that a route does not have are told so and reach no tenant."""
    answer = await answered(raw(target, method=method))

    assert status(answer) == (204 if method == "OPTIONS" else 405)
    assert b"thread_" not in answer
    assert upstream.requests == []
