"""The OpenAPI document: complete, and true of a running gateway."""

import asyncio
import io
import json
import sys
from pathlib import Path

import aiohttp
import jsonschema_rs
import pytest

from gateway.app import ROUTES
from gateway.http.openapi.routes import COMPONENTS, PATHS
from tenants.keys import new_key
from tests.fakes.gateway import serving, write_tenant
from tests.fakes.json_schema import closed
from tests.fakes.loud_tools import LOUD

# What a correct request may meet without any fault of its own, besides what the tool expects: an
# event id of another run, and a key that another body was sent with.
SCHEMATHESIS = """
[[operations]]
include-path = "/runs/{run_id}/events"
checks.positive_data_acceptance.expected-statuses = ["2xx", "400", "404", "410", "503"]

[[operations]]
include-path = "/sessions"
checks.positive_data_acceptance.expected-statuses = ["2xx", "400", "404"]

[[operations]]
include-path = "/chat"
checks.positive_data_acceptance.expected-statuses = ["2xx", "404", "409", "422", "429", "5xx"]
"""
# Answers that need a broken gateway, a silent upstream, or a test of their own.
UNREACHED = {"401", "403", "405", "410", "429", "501", "503", "504"}
LARGE = b" " * (2**20 + 1)


def documented():
    """Each operation's method and path."""
    return {(method, path) for path, item in PATHS.items() for method in item}


def schema_of(media, *, strict=False):
    """A media type's schema with all that it refers to; strictly, without unknown fields."""
    document = {**media["schema"], "components": COMPONENTS}
    return closed(document) if strict else document


def response_of(method, path, status):
    """What the document says of an answer."""
    found = PATHS[path][method]["responses"][str(status)]
    return COMPONENTS["responses"][str(status)] if "$ref" in found else found


def test_every_route_is_documented():
    """The document describes exactly the routes that exist."""
    routes = {
        (method.lower(), path.replace(":str}", "}"))
        for handler in ROUTES
        if hasattr(handler, "http_methods") and handler.include_in_schema is not False
        for path in handler.paths
        for method in handler.http_methods
    } - {("options", path) for path in PATHS}

    assert documented() == routes


def _examples():
    for method, path in sorted(documented()):
        operation = PATHS[path][method]
        answers = {status: response_of(method, path, status) for status in operation["responses"]}
        parts = {**answers, "body": operation.get("requestBody", {})}
        for name, part in parts.items():
            for media_type, media in part.get("content", {}).items():
                if "example" in media:
                    yield pytest.param(media, id=f"{method} {path} {name} {media_type}")


@pytest.mark.parametrize("media", [*_examples()])
def test_examples_are_valid(media):
    """Every example keeps to its own schema, and shows nothing else."""
    jsonschema_rs.validate(schema_of(media, strict=True), media["example"])


class Visitor:
    """Asks a gateway for everything, and holds each answer against the document."""

    def __init__(self, session):
        self._session = session
        self.seen = set()

    async def ask(self, method, path, expected, *, ids=None, **request):
        """Ask, check the answer, and return its JSON or text."""
        url = "/t/acme" + path.format(**ids or {})
        async with self._session.request(method, url, **request) as response:
            body = await response.read()
        assert response.status == expected, body
        said = response_of(method, path, expected)
        for name, header in said.get("headers", {}).items():
            required = COMPONENTS["headers"][header["$ref"].rpartition("/")[2]].get("required")
            assert not required or name in response.headers
        self.seen.add((method, path, str(expected)))
        return self._checked(said, response.content_type, body)

    def _checked(self, said, content_type, body):
        if "content" not in said:
            assert body == b""
            return None
        schema = schema_of(said["content"][content_type], strict=True)
        if content_type == "text/event-stream":
            found = [dict(_fields(event)) for event in body.decode().split("\n\n") if event]
            for event in found:
                jsonschema_rs.validate(schema, event)
            return found
        found = json.loads(body) if content_type.endswith("json") else body.decode()
        jsonschema_rs.validate(schema, found)
        return found


def _fields(event):
    for line in event.splitlines():
        name, _, value = line.partition(": ")
        yield name, int(value) if name == "retry" else value


@pytest.fixture
def visitor(session):
    """To the gateway under test."""
    return Visitor(session)


async def test_real_answers_are_as_documented(visitor):
    """Every documented answer that can be brought about is brought about, and keeps its schema."""
    v, stream = visitor, {"Accept": "text/event-stream"}

    await v.ask("get", "/start", 200)
    started = await v.ask("post", "/start", 200, json={"metadata": {"channel": "web"}})
    await v.ask("post", "/start", 400, json={"metadata": {"channel": 1}, "meta": {}})
    await v.ask("post", "/start", 415, data=b"<a/>", headers={"Content-Type": "text/xml"})
    await v.ask("post", "/start", 413, data=io.BytesIO(LARGE))

    thread = {"thread_id": started["thread_id"]}
    said = {"message": "What is the weather in Paris?"}
    answer = await v.ask("post", "/chat", 200, json=said | thread)
    run = {"run_id": answer["run_id"]}
    partial = await v.ask("post", "/chat", 200, json={"message": "Hi [[incomplete]]"})
    assert partial["incomplete_details"] == {"reason": "max_output_tokens"}
    events = await v.ask("post", "/chat", 200, json=said, headers=stream)
    assert events[-1]["event"] == "metadata"
    await v.ask("post", "/chat", 400, json={"message": "", "thread_id": 1})
    await v.ask("post", "/chat", 404, json={"message": "Hi", "thread_id": "thread_unknown"})
    await v.ask("post", "/chat", 413, data=io.BytesIO(LARGE))
    await v.ask("post", "/chat", 415, data=b"Hi", headers={"Content-Type": "text/plain"})
    await v.ask("post", "/chat", 200, json=said, headers={"Idempotency-Key": "one"})
    await v.ask("post", "/chat", 422, json={"message": "Hi"}, headers={"Idempotency-Key": "one"})
    await v.ask("post", "/chat", 429, json={"message": "Hi [[status=429 retry-after=60]]"})
    await v.ask("post", "/chat", 502, json={"message": "Hi [[failed]]"})

    messages = "/threads/{thread_id}/messages"
    await v.ask("get", messages, 200, ids=thread, params={"limit": "1"})
    await v.ask("get", messages, 400, ids=thread, params={"limit": "0", "order": "up"})
    await v.ask("get", messages, 404, ids={"thread_id": "thread_unknown"})

    await v.ask("get", "/runs/{run_id}", 200, ids=run)
    await v.ask("get", "/runs/{run_id}/events", 200, ids=run)
    await v.ask("get", "/runs/{run_id}/events", 204, ids=run, params={"after": "999"})
    await v.ask("get", "/runs/{run_id}/events", 400, ids=run, headers={"Last-Event-ID": "run_x-1"})
    await v.ask("post", "/runs/{run_id}/cancel", 409, ids=run)
    for method, path in [("get", ""), ("get", "/events"), ("post", "/cancel")]:
        await v.ask(method, "/runs/{run_id}" + path, 404, ids={"run_id": "run_unknown"})

    await v.ask("post", "/sessions", 201, json={"user": "ada", "ttl_seconds": 60})
    await v.ask("post", "/sessions", 400, json={"ttl_seconds": 0, "users": "ada"})
    await v.ask("post", "/sessions", 415, data=b"<a/>", headers={"Content-Type": "text/xml"})
    await v.ask("post", "/sessions", 413, data=io.BytesIO(LARGE))

    for path in ("/", "/health", "/ready", "/metrics", "/docs"):
        await v.ask("get", path, 200)
    await v.ask("get", "/", 200, headers={"Accept": "text/html"})
    await _while_a_run_works(v, thread)
    await v.ask("delete", "/threads/{thread_id}", 200, ids=thread)
    await v.ask("delete", "/threads/{thread_id}", 404, ids=thread)

    await _of_tenants(v)
    every = {(m, p, s) for m, p in documented() for s in PATHS[p][m]["responses"]}
    assert {one for one in every - v.seen if one[2] not in UNREACHED} == set()


async def _while_a_run_works(v, thread):
    """What is refused, and how a run is ended, while one works on the thread."""
    headers = {"Accept": "text/event-stream"}
    slow = {"message": "Go on [[words=500 delay=50ms]]", **thread}
    async with v._session.post("/t/acme/chat", json=slow, headers=headers) as stream:
        first = await stream.content.readline()
        run = {"run_id": first.decode().split()[1].rpartition("-")[0]}
        await v.ask("get", "/runs/{run_id}", 200, ids=run)
        await v.ask("post", "/chat", 409, json={"message": "And?", **thread})
        await v.ask("delete", "/threads/{thread_id}", 409, ids=thread)
        await v.ask("post", "/runs/{run_id}/cancel", 202, ids=run)
        assert b"thread.run.cancelled" in await stream.read()


async def _of_tenants(v):
    """What every route of a tenant answers when the tenant is not clear, or not there."""
    ids = {"thread_id": "thread_x", "run_id": "run_x"}
    for method, path in sorted(documented()):
        if "400" in PATHS[path][method]["responses"]:
            await v.ask(method, path, 400, ids=ids, headers={"X-Tenant-ID": "globex"})
            await v.ask(method, path, 404, ids=ids, headers={"X-Tenant-ID": "../x"})


async def test_wrong_methods_are_as_documented(visitor):
    """Every path refuses the methods that it has not, and says which it has."""
    for path, item in PATHS.items():
        for method in {"get", "post", "put", "patch", "delete"} - {*item}:
            known = next(iter(item))
            url = "/t/acme" + path.format(thread_id="x", run_id="x")
            async with visitor._session.request(method, url) as response:
                body = await response.json(content_type="application/problem+json")
            said = response_of(known, path, 405)["content"]["application/problem+json"]
            jsonschema_rs.validate(schema_of(said, strict=True), body)
            assert response.status == 405
            assert {name.upper() for name in item} <= set(response.headers["Allow"].split(", "))


async def test_events_that_are_not_kept_are_as_documented(environ, tmp_path):
    """The events of a run that were too many to keep are gone for good."""
    write_tenant(tmp_path / "tenants", "acme", tools=LOUD)
    async with serving(environ) as gateway, aiohttp.ClientSession(gateway.url) as session:
        visitor = Visitor(session)
        run = await visitor.ask("post", "/chat", 200, json={"message": "Make noise [[rounds=8]]"})

        problem = await visitor.ask("get", "/runs/{run_id}/events", 410, ids=run)

    assert problem["type"] == "urn:agw:events-expired"


async def test_refusals_of_access_are_as_documented(environ):
    """Every route of a tenant refuses a wrong key, foreign pages, and who tries too many keys."""
    ids = {"thread_id": "thread_x", "run_id": "run_x"}
    wrong, foreign = {"X-API-Key": new_key("acme")}, {"Origin": "https://evil.example"}
    of_tenants = [(m, p) for m, p in sorted(documented()) if "401" in PATHS[p][m]["responses"]]

    async with serving(environ) as gateway, aiohttp.ClientSession(gateway.url) as session:
        visitor = Visitor(session)
        for method, path in of_tenants:
            await visitor.ask(method, path, 401, ids=ids, headers=wrong)
            await visitor.ask(method, path, 403, ids=ids, headers=foreign)
        while (await session.get("/t/acme/start", headers=wrong)).status == 401:
            pass
        for method, path in of_tenants:
            await visitor.ask(method, path, 429, ids=ids, headers=wrong)

    assert len(of_tenants) == 10


async def test_the_document_is_served(session):
    """Programs find it as JSON, and nothing else of its kind is there."""
    async with session.get("/schema/openapi.json") as response:
        document = json.loads(await response.read())
    others = [await session.get(f"/schema/{name}") for name in ("redoc", "swagger", "openapi.yaml")]

    assert document["openapi"].startswith("3.1")
    assert document["paths"] == json.loads(json.dumps(PATHS))
    assert [server["url"] for server in document["servers"]] == ["/", "/t/{tenant}"]
    assert [other.status for other in others] == [404, 404, 404]


async def test_generated_requests_find_no_fault(gateway, tmp_path):
    """Neither correct nor broken requests, as schemathesis makes them, meet a 500 or a surprise."""
    config = tmp_path / "schemathesis.toml"
    config.write_text(SCHEMATHESIS)
    program = Path(sys.executable).with_name("st")
    arguments = [
        *("--config-file", config, "run", f"{gateway.url}/schema/openapi.json"),
        *("--url", f"{gateway.url}/t/acme", "--header", "X-Tenant-ID:acme"),
        *("--mode", "all", "--max-examples", "15", "--seed", "1", "--continue-on-failure"),
        *("--suppress-health-check", "all", "--warnings", "off", "--no-color"),
    ]

    process = await asyncio.create_subprocess_exec(
        program, *arguments, cwd=tmp_path, stdout=asyncio.subprocess.PIPE
    )
    output, _ = await asyncio.wait_for(process.communicate(), timeout=60)

    assert process.returncode == 0, output.decode()
    assert b"14 passed" in output


async def test_a_document_of_another_gateway_would_not_pass(gateway):
    """The comparison with real answers notices a field that is missing from the document."""
    async with aiohttp.ClientSession() as session, session.get(f"{gateway.url}/health") as response:
        answer = {**await response.json(), "more": 1}

    media = response_of("get", "/health", 200)["content"]["application/json"]
    with pytest.raises(jsonschema_rs.ValidationError):
        jsonschema_rs.validate(schema_of(media, strict=True), answer)
