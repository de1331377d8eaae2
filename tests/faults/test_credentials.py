"""Credentials when something is odd: tenants switched off, logs, clocks, keys that come and go."""

import asyncio
import json
import subprocess
import sys
import time

import aiohttp
import pytest

from tenants.keys import new_key
from tenants.registry.files import FileObjects
from tests.fakes.conversation import next_event
from tests.fakes.credential_client import SECRET, Client
from tests.fakes.gateway import serving
from tests.fakes.gateway_process import gateway_process
from tests.fakes.operator import Operator
from tests.fakes.simulator import RecordingSimulator

_OWN = {"X-Correlation-ID", "Date"}
EVENTS = {"Accept": "text/event-stream"}


@pytest.fixture
async def upstream():
    """The simulator."""
    async with RecordingSimulator() as simulator:
        yield simulator


@pytest.fixture
def operator(tmp_path):
    """Who publishes ``acme`` in a directory."""
    (tmp_path / "tenants").mkdir()
    made = Operator(FileObjects(tmp_path / "tenants"))
    made.publish("acme")
    return made


@pytest.fixture
def published(tmp_path, operator, upstream):  # noqa: ARG001 - it publishes what is served
    """The variables of a gateway in production."""
    return {
        "ENVIRONMENT": "production",
        "GATEWAY_TENANTS": f"dir:{tmp_path / 'tenants'}",
        "GATEWAY_TENANTS_COPIES": str(tmp_path / "copies"),
        "GATEWAY_SECRETS": "env",
        "GATEWAY_SESSION_SECRET": SECRET,
        "GATEWAY_STORE": f"sqlite:{tmp_path / 'gateway.db'}",
        "OPENAI_BASE_URL": upstream.base_url,
        "OPENAI_API_KEY": "sk-operator-planted",
    }


async def until_status(client, status):
    """Ask until the answer has this status."""
    async with asyncio.timeout(10):
        while (await client.ask("GET", "/start"))[0] != status:
            pass


async def whole(client):
    """An answer but for what differs each time: its id, its path, and the second."""
    async with client.open("GET", "/start") as answer:
        headers = {name: text for name, text in answer.headers.items() if name not in _OWN}
        headers.pop("Content-Length")
        problem = await answer.json(content_type=None)
        return answer.status, headers, problem | {"correlation_id": "", "instance": ""}


async def test_a_suspended_tenant_is_unknown_to_its_own_keys(published, operator):
    """Switched off, a tenant is 404 with any credential and its open connections end."""
    key = operator.issue("acme")
    async with serving(published) as running, aiohttp.ClientSession(running.url) as session:
        program = Client(session).using(key)
        await until_status(program, 200)
        browser = program.using(await program.session_of("ada"))
        async with program.socket() as socket, asyncio.timeout(10):
            await socket.send_json({"type": "ping"})
            await socket.receive()
            operator.suspend("acme")
            frame = await socket.receive_json()
            await socket.receive()
        answers = [
            await whole(asking)
            for asking in (
                program,
                browser,
                program.using(new_key("acme")),
                program.using(None),
                program.of(None),
                program.of("nobody"),
                program.of("No Body"),
            )
        ]
        operator.resume("acme")
        await until_status(program, 200)
        await until_status(browser, 200)

    assert (frame["error_code"], socket.close_code) == ("unknown_tenant", 4404)
    assert (answers[0][0], answers[0][2]["type"]) == (404, "urn:agw:unknown-tenant")
    assert answers == [answers[0]] * len(answers)


async def test_a_key_that_is_rotated_under_load_fails_nobody(published, operator):
    """While a new key comes and the old one goes, each is answered as it should be."""
    old = operator.issue("acme")
    async with serving(published) as running, aiohttp.ClientSession(running.url) as session:
        await until_status(Client(session).using(old), 200)
        new = operator.issue("acme")
        await until_status(Client(session).using(new), 200)
        statuses = await asyncio.gather(
            *(Client(session).using(key).ask("GET", "/start") for key in [old, new] * 20)
        )
        operator.revoke(old.record.id)
        await until_status(Client(session).using(old), 401)
        after, _ = await Client(session).using(new).ask("GET", "/start")

    assert {status for status, _ in statuses} == {200}
    assert after == 200


async def test_where_keys_are_not_required_ours_are_checked_all_the_same(published, operator):
    """In development other bearers are ignored, and keys and tokens mean what they say."""
    key = operator.issue("acme")
    names = ("ENVIRONMENT", "GATEWAY_SESSION_SECRET")
    environ = {name: text for name, text in published.items() if name not in names}
    async with serving(environ) as running, aiohttp.ClientSession(running.url) as session:
        client = Client(session)
        await until_status(client.using(key), 200)
        statuses = {
            name: (await client.using(text).ask("GET", "/start"))[0]
            for name, text in {
                "none": None,
                "an SDK's": "sk-unused",
                "a key": key.text,
                "a wrong key": new_key("acme"),
                "a wrong token": "ags_e30.e30.e30",
            }.items()
        }
        scoped, _ = await client.using(key).ask("GET", "/threads/thread_x/messages")
        ada = client.using(await client.session_of("ada"))
        bob = client.using(await client.session_of("bob"))
        thread_id = (await ada.say("Hello"))["thread_id"]
        reach = [
            (await asking.ask("GET", f"/threads/{thread_id}/messages"))[0]
            for asking in (client, ada, bob)
        ]

    assert statuses == {
        "none": 200,
        "an SDK's": 200,
        "a key": 200,
        "a wrong key": 401,
        "a wrong token": 401,
    }
    assert scoped == 403
    assert reach == [200, 200, 404]


async def test_no_credential_reaches_the_log(published, operator, tmp_path):
    """Neither in a header nor in a query, good or bad, at the loudest level."""
    key = operator.issue("acme")
    planted = "ags_planted.planted.planted"
    environ = published | {"LOGGING_LEVEL": "DEBUG", "GATEWAY_INTERNAL_PORT": "0"}
    async with gateway_process(environ, tmp_path) as process:
        async with aiohttp.ClientSession(process.url) as session:
            program = Client(session).using(key)
            await until_status(program, 200)
            token = await program.session_of("ada")
            answer = await program.say("Hello")
            for text in (token, planted):
                query = {"token": text}
                for path in ("/start", f"/runs/{answer['run_id']}/events", "/nowhere"):
                    await session.get(f"/t/acme{path}", params=query)
                async with Client(session).socket(f"/ws/chat?token={text}") as socket:
                    await socket.send_json({"type": "nonsense"})
                    await socket.receive(timeout=5)
            await Client(session).using(planted).ask("GET", "/start")
            async with session.get("/t/acme/start?token=planted&%zz") as odd:
                assert odd.status == 401
        await process.terminate()
    log = process.log.read_text()

    assert '"turn_answered"' in log
    for secret in (key.text, token, token.removeprefix("ags_"), "planted", SECRET, "token="):
        assert secret not in log


async def test_production_serves_keys_alone(published, operator, tmp_path):
    """`gateway serve` starts in production on these settings, and asks everybody for a key."""
    key = operator.issue("acme")
    environ = published | {"GATEWAY_INTERNAL_PORT": "0"}
    async with (
        gateway_process(environ, tmp_path) as process,
        aiohttp.ClientSession(process.url) as session,
    ):
        nobody, _ = await Client(session).ask("GET", "/start")
        await until_status(Client(session).using(key), 200)

    assert nobody == 401


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"GATEWAY_REQUIRE_KEYS": "false"}, "GATEWAY_REQUIRE_KEYS"),
        ({"GATEWAY_TENANTS": ""}, "GATEWAY_TENANTS"),
        ({"GATEWAY_SECRETS": ""}, "GATEWAY_SECRETS"),
        ({"GATEWAY_SECRETS": "dir:/nowhere"}, "GATEWAY_SECRETS"),
        ({"OPENAI_API_KEY": "", "OPENAI_BASE_URL": ""}, "OPENAI_API_KEY"),
    ],
)
def test_production_refuses_what_is_for_development(published, tmp_path, changes, named):
    """The start fails, and says which variable has to change."""
    done = subprocess.run(
        [sys.executable, "-m", "gateway", "serve", "--port", "0"],
        env={"PYTHONPATH": ":".join(sys.path), **published, **changes},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert done.returncode == 1
    assert named in done.stderr
    assert "Traceback" not in done.stderr


async def test_expiry_goes_by_the_second(published, operator):
    """A key that expired a second ago is dead; one that has seconds left is alive."""
    objects = operator.objects
    for seconds, status in ((-1, 401), (3600, 200)):
        key = operator.issue("acme")
        stored = objects.read("tenants/acme/keys.json")
        document = json.loads(stored.content)
        for each in document["keys"]:
            if each["id"] == key.record.id:
                each["expires_at"] = int(time.time()) + seconds
        content = json.dumps(document).encode()
        objects.write("tenants/acme/keys.json", content, expected=stored.generation)
        async with serving(published) as running, aiohttp.ClientSession(running.url) as session:
            found, _ = await Client(session).using(key).ask("GET", "/start")
        assert found == status


async def test_a_run_outlives_the_credential_that_started_it(published, operator):
    """A run whose key is revoked in mid-answer is stored whole, for whoever may read it."""
    key, other = operator.issue("acme"), operator.issue("acme")
    body = {"message": "Go on [[words=60 delay=50ms]]"}
    async with serving(published) as running, aiohttp.ClientSession(running.url) as session:
        program = Client(session).using(key)
        await until_status(program, 200)
        async with program.open("POST", "/chat", json=body, headers=EVENTS) as stream:
            run_id = (await next_event(stream)).object["id"]
            operator.revoke(key.record.id)
            await stream.read()
        watcher, run = Client(session).using(other), {"status": "in_progress"}
        async with asyncio.timeout(20):
            while run["status"] == "in_progress":
                _, run = await watcher.ask("GET", f"/runs/{run_id}")

    assert run["status"] == "completed"


def test_no_library_of_tokens_is_loaded_before_its_use():
    """A gateway that checks no token has neither PyJWT nor Google's libraries in memory."""
    program = (
        "import sys; from gateway.app import Gateway; from gateway.settings import Settings;"
        "Gateway(Settings.from_environment({}));"
        "print([n for n in ('jwt', 'cryptography', 'google', 'openai') if n in sys.modules])"
    )

    done = subprocess.run(
        [sys.executable, "-c", program],
        env={"PYTHONPATH": ":".join(sys.path)},
        capture_output=True,
        text=True,
        check=True,
    )

    assert done.stdout.splitlines()[-1] == "[]"
