"""Web pages of other origins: what each tenant allows, and what browsers are told."""

import aiohttp
import pytest

from tests.fakes.conversation import parse_all
from tests.fakes.credential_client import Client
from tests.fakes.gateway import serving, write_tenant

pytest_plugins = ("tests.fakes.locked_gateway",)

OURS, THEIRS = "https://app.acme.example", "https://globex.example"
PAGE = {"Origin": OURS}
ASKING = {
    "Access-Control-Request-Method": "POST",
    "Access-Control-Request-Headers": "authorization,content-type,x-stainless-os",
}


@pytest.fixture
def root(tmp_path):
    """Two tenants, each with an origin."""
    for tenant, origin in (("acme", OURS), ("globex", THEIRS)):
        rest = f'[access]\nallowed_origins = ["{origin}"]'
        write_tenant(tmp_path / "tenants", tenant, rest=rest)
    return tmp_path / "tenants"


def shown_to(answer):
    """The origin whose pages may read an answer."""
    assert "Origin" in ", ".join(answer.headers.getall("Vary"))
    assert "Access-Control-Allow-Credentials" not in answer.headers
    return answer.headers.get("Access-Control-Allow-Origin")


async def test_a_page_may_ask_what_it_may_send(client):
    """A preflight of a listed origin is answered before any credential."""
    async with client.open("OPTIONS", "/chat", headers=PAGE | ASKING) as answer:
        body = await answer.read()

    assert (answer.status, body) == (204, b"")
    assert shown_to(answer) == OURS
    assert "POST" in answer.headers["Access-Control-Allow-Methods"]
    assert (
        answer.headers["Access-Control-Allow-Headers"] == ASKING["Access-Control-Request-Headers"]
    )
    assert int(answer.headers["Access-Control-Max-Age"]) > 0


@pytest.mark.parametrize("origin", [THEIRS, "https://evil.example", "null", OURS + ".evil.example"])
async def test_a_page_of_another_origin_may_send_nothing(client, origin):
    """A preflight of any other origin, also another tenant's, is refused."""
    async with client.open("OPTIONS", "/chat", headers=ASKING | {"Origin": origin}) as answer:
        problem = await answer.json(content_type="application/problem+json")

    assert (answer.status, problem["type"]) == (403, "urn:agw:origin-not-allowed")
    assert shown_to(answer) is None


async def test_a_preflight_of_no_tenant_is_told_so(client):
    """Where no tenant is named, or none is there, the preflight says it."""
    headers = PAGE | ASKING
    assert (await client.of("nobody").ask("OPTIONS", "/chat", headers=headers))[0] == 404
    assert (await client.of(None).ask("OPTIONS", "/chat", headers=headers))[0] == 400


@pytest.mark.parametrize("asked", ["a b", "x:y", "x,,y", "é"])
async def test_odd_names_of_headers_are_not_repeated(client, asked):
    """Only names of headers come back in a preflight's answer."""
    headers = PAGE | ASKING | {"Access-Control-Request-Headers": asked}
    async with client.open("OPTIONS", "/chat", headers=headers) as answer:
        assert answer.status == 204
        assert "Access-Control-Allow-Headers" not in answer.headers


async def test_every_answer_may_be_read_by_the_tenants_pages(client, keys):
    """Successes, streams, errors of ours, unknown routes and wrong methods alike."""
    good = client.using(await keys.give())
    said = {"json": {"message": "Hello"}}
    for asking, method, path, options, status in (
        (good, "GET", "/start", {}, 200),
        (good, "POST", "/chat", said, 200),
        (good, "POST", "/chat", {"json": {}}, 400),
        (good, "GET", "/runs/run_x", {}, 404),
        (good, "GET", "/nowhere", {}, 404),
        (good, "PUT", "/chat", {}, 405),
        (client, "POST", "/chat", said, 401),
    ):
        async with asking.open(method, path, headers=PAGE, **options) as answer:
            assert answer.status == status
            assert shown_to(answer) == OURS
            exposed = answer.headers["Access-Control-Expose-Headers"]
            assert {"X-Correlation-ID", "Retry-After"} <= set(exposed.split(", "))
    events = PAGE | {"Accept": "text/event-stream"}
    async with good.open("POST", "/chat", **said, headers=events) as answer:
        assert shown_to(answer) == OURS
        assert parse_all(await answer.read())[-1].name == "metadata"


@pytest.mark.parametrize("origin", [THEIRS, "https://evil.example", "null", "", OURS.upper()])
async def test_pages_of_other_origins_are_refused(client, keys, origin):
    """A good credential in a page of another origin opens nothing, and the page reads nothing."""
    good = client.using(await keys.give())
    headers = {"Origin": origin}

    for method, path in (("GET", "/start"), ("POST", "/chat"), ("GET", "/runs/run_x")):
        async with good.open(method, path, headers=headers) as answer:
            problem = await answer.json(content_type="application/problem+json")
        assert (answer.status, problem["type"]) == (403, "urn:agw:origin-not-allowed")
        assert shown_to(answer) is None
    async with good.socket(headers=headers) as socket:
        await socket.receive_json(timeout=5)
        await socket.receive(timeout=5)
    assert socket.close_code == 1008


@pytest.mark.parametrize("behind_proxy", [False, True])
async def test_the_gateways_own_page_may_ask(locked, client, keys, behind_proxy):
    """A page of the gateway's own origin may, also where a proxy has changed the Host."""
    good = client.using(await keys.give())
    headers = {"Origin": locked.url}
    if behind_proxy:
        headers = {"Origin": "https://chat.example", "Sec-Fetch-Site": "same-origin"}

    async with good.open("POST", "/chat", json={"message": "Hi"}, headers=headers) as answer:
        assert answer.status == 200
        assert shown_to(answer) is None


async def test_programs_send_no_origin(client, keys):
    """What comes from no page is not asked where it comes from, and caches are told of Origin."""
    async with client.using(await keys.give()).open("GET", "/start") as answer:
        assert answer.status == 200
        assert shown_to(answer) is None


async def test_the_default_tenants_pages_may_ask_at_the_root(locked_environ):
    """Without a prefix a preflight is the default tenant's."""
    environ = locked_environ | {"GATEWAY_DEFAULT_TENANT": "globex"}
    async with serving(environ) as running, aiohttp.ClientSession(running.url) as session:
        client = Client(session, None)
        headers = ASKING | {"Origin": THEIRS}
        async with client.open("OPTIONS", "/chat", headers=headers) as answer:
            assert (answer.status, shown_to(answer)) == (204, THEIRS)


async def test_pages_without_keys_are_judged_too(locked_environ):
    """Where keys are not required, a foreign page on the developer's machine gets nothing."""
    environ = locked_environ | {"GATEWAY_REQUIRE_KEYS": "false"}
    async with serving(environ) as running, aiohttp.ClientSession(running.url) as session:
        status, _ = await Client(session).ask(
            "GET", "/start", headers={"Origin": "https://evil.example"}
        )

    assert status == 403
