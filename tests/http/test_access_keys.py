"""API keys at every door: which routes they open, and what all other credentials get."""

import base64
import re
import time

import pytest

from gateway.app import Gateway
from gateway.settings import Settings
from tenants.keys import new_key

pytest_plugins = ("tests.fakes.locked_gateway",)

CHAT, HISTORY = "chat", "history"
# What each route of a tenant asks of a key; None: nothing.
NEEDS = {
    ("GET", "/"): None,
    ("GET", "/start"): CHAT,
    ("POST", "/start"): CHAT,
    ("POST", "/chat"): CHAT,
    ("GET", "/threads/{thread_id:str}/messages"): HISTORY,
    ("DELETE", "/threads/{thread_id:str}"): HISTORY,
    ("GET", "/runs/{run_id:str}"): CHAT,
    ("GET", "/runs/{run_id:str}/events"): CHAT,
    ("POST", "/runs/{run_id:str}/cancel"): CHAT,
    ("POST", "/sessions"): CHAT,
    ("WS", "/ws/chat"): CHAT,
    ("WS", "/stream"): CHAT,
}
OF_NO_TENANT = {
    *("/health", "/ready", "/metrics", "/docs", "/pages/{name:str}"),
    *("/schema", "/schema/openapi.json", "/schema/{path:str}"),
}
IN_A_QUERY = {("GET", "/runs/{run_id:str}/events"), ("WS", "/ws/chat"), ("WS", "/stream")}
GUARDED = [route for route, scope in NEEDS.items() if scope is not None]


def routes(app):
    """Every route that a gateway serves but those of no tenant."""
    for route in app._app._app.routes:
        if route.path not in OF_NO_TENANT:
            for handler in getattr(route, "route_handlers", None) or [route.route_handler]:
                for method in getattr(handler, "http_methods", ["WS"]):
                    yield str(getattr(method, "value", method)), route.path


async def ask(client, route, **options):
    """Ask a route about ids that do not exist: status and problem, or close code and frame."""
    method, path = route
    path = re.sub(r"\{(\w+)_id:str\}", r"\1_x", path)
    if method != "WS":
        return await client.ask(method, path, **options)
    async with client.socket(path, **options) as socket:
        await socket.send_json({"type": "ping"})
        said = await socket.receive_json(timeout=5)
        if said["event"] == "error":
            await socket.receive(timeout=5)
        return socket.close_code, said


def test_every_route_is_in_the_table():
    """A route that is added says here what it asks of a key, or that it belongs to no tenant."""
    app = Gateway(Settings.from_environment({}))

    assert {each for each in routes(app) if each[0] != "OPTIONS"} == set(NEEDS)


@pytest.mark.parametrize("route", GUARDED, ids=" ".join)
@pytest.mark.parametrize("scope", ["chat", "history", "manage", "chat history"])
async def test_a_key_opens_what_its_scopes_name(client, keys, route, scope):
    """Each route asks for one scope; a key without it is refused as such, one with it gets on."""
    status, said = await ask(client.using(await keys.give(scope)), route)

    if NEEDS[route] in scope.split():
        assert status not in {401, 403, 1008, 4401}
    else:
        assert status in {403, 1008}
        assert said["type"] == "urn:agw:insufficient-scope"
        assert NEEDS[route] in said.get("detail", said.get("error"))


async def wrong(keys, their_keys):
    """Every kind of credential that opens nothing of ``acme``."""
    good = await keys.give()
    expired = await keys.give(expires_at=int(time.time()) - 1)
    revoked = await keys.give()
    await keys.revoke(revoked)
    return {
        "none": None,
        "made up": new_key("acme"),
        "another tenant's": (await their_keys.give()).text,
        "of a tenant that is not there": new_key("nobody"),
        "expired a second ago": expired.text,
        "revoked": revoked.text,
        "truncated": good.text[:-1],
        "one letter too long": good.text + "0",
        "without its checksum": good.text.rpartition("_")[0],
        "wrong checksum": good.text[:-6] + "000000",
        "in upper case": good.text.upper(),
        "prefix alone": "agw_",
        "no session": "ags_e30.e30.e30",
        "an SDK's": "sk-unused",
        "a token": "eyJhbGciOiJub25lIn0.eyJzdWIiOiJhIn0.",
    }


@pytest.mark.parametrize("route", GUARDED, ids=" ".join)
async def test_all_wrong_credentials_are_answered_alike(client, keys, their_keys, route):
    """Whatever is wrong with a credential, the answer is the same but for its ids."""
    answers = {}
    for name, text in (await wrong(keys, their_keys)).items():
        status, said = await ask(client.using(text), route)
        for field in ("correlation_id", "timestamp"):
            said.pop(field, None)
        answers[name] = (status, said)

    first = answers["none"]
    assert first[0] in {401, 4401}
    assert first[1]["type"] == "urn:agw:unauthorized"
    assert {name for name, answer in answers.items() if answer != first} == set()


@pytest.mark.parametrize("route", NEEDS, ids=" ".join)
async def test_keys_do_not_cross_tenants(client, keys, their_keys, route):
    """On every route a tenant's own key gets on, and the other tenant's is as good as none."""
    scope = "chat history"
    ours, theirs = await keys.give(scope), await their_keys.give(scope)

    for tenant, own, other in (("acme", ours, theirs), ("globex", theirs, ours)):
        status, _ = await ask(client.of(tenant).using(own), route)
        assert status not in {401, 403, 1008, 4401}
        status, _ = await ask(client.of(tenant).using(other), route)
        assert status in {401, 4401}


async def test_a_refusal_says_how_to_ask(client):
    """The 401 names the scheme, and not Basic, which would open a browser's own dialog."""
    async with client.open("GET", "/start") as answer:
        assert answer.status == 401
        assert answer.headers["WWW-Authenticate"] == 'Bearer realm="assistant gateway"'


@pytest.mark.parametrize("way", ["bearer", "bEARER", "x-api-key", "basic", "url", "both"])
async def test_a_key_rides_where_programs_put_it(client, keys, locked, way):
    """As a bearer, as X-API-Key, as the password of Basic, also out of the URL itself."""
    text = (await keys.give()).text
    basic = base64.b64encode(f"x:{text}".encode()).decode()
    headers = {
        "bearer": {"Authorization": f"Bearer {text}"},
        "bEARER": {"Authorization": f"bEARER  {text} "},
        "x-api-key": {"X-API-Key": text},
        "basic": {"Authorization": f"Basic {basic}"},
        "url": {},
        "both": {"Authorization": f"Bearer {text}", "X-API-Key": text},
    }[way]
    host = locked.url.removeprefix("http://")
    url = f"http://x:{text}@{host}/t/acme/start" if way == "url" else "/t/acme/start"

    async with client.session.get(url, headers=headers) as answer:
        assert answer.status == 200, await answer.text()


@pytest.mark.parametrize(
    "authorization", ["Basic !!!", "Basic eDp4", "Basic", "Bearer", "Digest x", "", "agw_x"]
)
async def test_a_header_that_says_nothing_opens_nothing(client, authorization):
    """A credential that cannot be read is none."""
    status, _ = await client.ask("GET", "/start", headers={"Authorization": authorization})

    assert status == 401


@pytest.mark.parametrize("headers", [{}, {"Origin": "https://evil.example"}])
async def test_a_token_that_no_reader_takes_is_refused_as_any(client, headers):
    """JSON nested so deeply that readers give up is told as any wrong token, on every path."""
    nested = b'{"ten": ' + b"[" * 1500 + b"]" * 1500 + b"}"
    token = "ags_x." + base64.urlsafe_b64encode(nested).decode() + ".x"

    for tenant, status in (("acme", 401), (None, 400)):
        asking = client.of(tenant).using(token)
        async with asking.open("GET", "/start", headers=headers) as answer:
            assert answer.status == status
            assert answer.content_type == "application/problem+json"
            assert answer.headers["X-Correlation-ID"]


async def test_two_different_keys_are_no_credential(client, keys):
    """Whoever sends two different keys has to say which is meant: 400, by HTTP's own means."""
    one, other = await keys.give(), await keys.give()

    status, problem = await client.using(one).ask(
        "GET", "/start", headers={"X-API-Key": other.text}
    )

    assert (status, problem["type"]) == (400, "urn:agw:several-credentials")


async def test_a_key_beside_a_foreign_bearer_counts(client, keys):
    """A bearer that is none of ours, as proxies add it, does not hide the key."""
    headers = {"Authorization": "Bearer eyJ.some.thing", "X-API-Key": (await keys.give()).text}

    assert (await client.ask("GET", "/start", headers=headers))[0] == 200


@pytest.mark.parametrize("path", ["/start", "/ws/chat", "/runs/run_x/events"])
async def test_a_key_in_a_url_opens_nothing(client, keys, path):
    """Only tokens, which soon die, may ride in a query: those end up in logs on their way."""
    text = (await keys.give()).text
    if path == "/ws/chat":
        status, _ = await ask(client, ("WS", f"{path}?token={text}"))
    else:
        status, _ = await client.ask("GET", path, params={"token": text})

    assert status in {401, 4401}


async def test_a_key_names_its_tenant_where_nothing_else_does(client, keys, their_keys):
    """Path and header go first, then the key's own tenant."""
    at_root = client.of(None)

    async def greeting(credential, **headers):
        _, answer = await at_root.using(credential).ask("GET", "/start", headers=headers)
        return answer.get("initial_message", answer.get("type"))

    assert await greeting(await keys.give()) == "Hello from Acme."
    assert await greeting(await their_keys.give()) == "Hello from Globex."
    header = {"X-Tenant-ID": "globex"}
    assert await greeting(await keys.give(), **header) == "urn:agw:unauthorized"
    assert await greeting(await their_keys.give(), **header) == "Hello from Globex."
    assert await greeting(None) == "urn:agw:tenant-required"
    assert await greeting(new_key("nobody")) == "urn:agw:unknown-tenant"


@pytest.mark.parametrize("path", ["/start", "/chat", "/sessions"])
async def test_checks_come_in_their_order(client, keys, path):
    """Grammar and tenant, then credential, then scope, then the body: each hides what follows."""
    bad = {"data": b"not JSON", "headers": {"Content-Type": "application/json"}}
    history = await keys.give("history")

    async def asked(client):
        status, problem = await client.ask("POST", path, **bad)
        return status, problem["type"].removeprefix("urn:agw:")

    assert await asked(client.of("Acme").using("agw_x")) == (404, "unknown-tenant")
    assert await asked(client.of("nobody").using(await keys.give())) == (404, "unknown-tenant")
    assert await asked(client.using("agw_x")) == (401, "unauthorized")
    assert await asked(client.using(history)) == (403, "insufficient-scope")
    assert await asked(client.using(await keys.give("chat"))) == (400, "invalid-input")


@pytest.mark.parametrize("route", GUARDED, ids=" ".join)
async def test_a_tenant_is_looked_up_before_anything_else(client, keys, route):
    """On every route a tenant that is not there is told as such, whatever else is sent."""
    good = (await keys.give("chat history")).text
    answers = []
    for tenant in ("nobody", "Acme", "a_b"):
        for text in (None, good, new_key(tenant), "ags_e30.e30.e30", "eyJ.e30.e30"):
            status, said = await ask(client.of(tenant).using(text), route)
            answers.append((status, said["type"]))

    assert set(answers) == {(4404 if route[0] == "WS" else 404, "urn:agw:unknown-tenant")}


@pytest.mark.parametrize(
    "route", [each for each in GUARDED if each not in IN_A_QUERY], ids=" ".join
)
async def test_a_token_in_the_query_opens_nothing_elsewhere(client, keys, route):
    """Query strings are written into logs on their way, so no other route looks at them."""
    token = await client.using(await keys.give()).session_of("ada")

    assert (await ask(client, route, params={"token": token}))[0] == 401


async def test_what_belongs_to_no_tenant_asks_for_no_key(client):
    """The process's own routes and the pages' files are open."""
    for path in ("/health", "/ready", "/metrics", "/docs", "/schema/openapi.json"):
        async with client.session.get(path) as answer:
            assert answer.status == 200
    async with client.session.get("/t/acme/pages/chat.js") as answer:
        assert answer.status == 200


@pytest.mark.parametrize("accept", ["text/html", "application/json"])
async def test_the_front_page_is_open_and_judges_what_it_is_shown(client, keys, accept):
    """Anybody may see that a tenant is served; a credential that opens nothing is told so."""
    headers = {"Accept": accept}
    async with client.open("GET", "/", headers=headers) as answer:
        assert answer.status == 200
    async with client.using(await keys.give("manage")).open("GET", "/", headers=headers) as answer:
        assert answer.status == 200
    async with client.using(new_key("acme")).open("GET", "/", headers=headers) as answer:
        assert answer.status == 401


async def test_an_idempotency_key_is_its_credentials_own(client, keys):
    """The same Idempotency-Key of another API key is another request."""
    one, other = client.using(await keys.give()), client.using(await keys.give())
    header = {"Idempotency-Key": "order-1"}

    first = await one.say("Hello", headers=header)
    again = await one.say("Hello", headers=header)
    elsewhere = await other.say("Hello", headers=header)
    status, _ = await one.ask("POST", "/chat", json={"message": "Other"}, headers=header)

    assert first["run_id"] == again["run_id"] != elsewhere["run_id"]
    assert status == 422
