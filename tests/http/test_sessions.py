"""Session tokens: what a user's browser reaches, and everything else that it does not."""

import asyncio
import time

import aiohttp
import jwt
import pytest

from tests.fakes.conversation import next_event, parse_all
from tests.fakes.credential_client import SECRET, Client
from tests.fakes.gateway import serving, write_tenant

pytest_plugins = ("tests.fakes.locked_gateway",)

EVENTS = {"Accept": "text/event-stream"}


@pytest.fixture
async def program(client, keys):
    """The tenant's own server, with a key."""
    return client.using(await keys.give())


@pytest.fixture
async def ada(client, program):
    """The browser of a user."""
    return client.using(await program.session_of("ada"))


@pytest.fixture
async def bob(client, program):
    """The browser of another user."""
    return client.using(await program.session_of("bob"))


def of_a_thread(thread_id, run_id):
    """Every request that names a thread or a run."""
    return [
        ("POST", "/chat", {"json": {"message": "Hello", "thread_id": thread_id}}),
        ("POST", "/chat", {"json": {"message": "Other", "thread_id": thread_id}}),
        ("GET", f"/threads/{thread_id}/messages", {}),
        ("GET", f"/runs/{run_id}", {}),
        ("GET", f"/runs/{run_id}/events", {}),
        ("POST", f"/runs/{run_id}/cancel", {}),
        ("DELETE", f"/threads/{thread_id}", {}),
    ]


async def resumed(client, run_id):
    """What a WebSocket says to a resumption of a run."""
    async with client.socket() as socket:
        await socket.send_json({"type": "resume", "run_id": run_id, "after": 0})
        return await socket.receive_json(timeout=5)


async def test_a_session_is_a_short_token_that_says_when_it_dies(program):
    """The answer is the token and its end; it fits into any URL, and no cache keeps it."""
    before = int(time.time())
    async with program.open("POST", "/sessions", json={"user": "ada", "ttl_seconds": 60}) as answer:
        said = await answer.json()

    assert answer.status == 201
    assert answer.headers["Cache-Control"] == "no-store"
    assert said["token"].startswith("ags_")
    assert len(said["token"]) < 200
    assert before + 60 <= said["expires_at"] <= time.time() + 60


async def test_a_user_has_a_whole_conversation(ada):
    """With a session a user starts, talks, reads, follows and deletes what is theirs."""
    _, started = await ada.ask("GET", "/start")
    answer = await ada.say("Hello", started["thread_id"])

    page_status, page = await ada.ask("GET", f"/threads/{started['thread_id']}/messages")
    run_status, run = await ada.ask("GET", f"/runs/{answer['run_id']}")
    async with ada.open("GET", f"/runs/{answer['run_id']}/events") as stream:
        events = parse_all(await stream.read())
    gone, _ = await ada.ask("DELETE", f"/threads/{started['thread_id']}")

    assert (page_status, len(page["data"])) == (200, 2)
    assert (run_status, run["status"]) == (200, "completed")
    assert events[-1].name == "metadata"
    assert gone == 200


async def test_another_users_ids_do_not_exist(ada, bob):
    """Threads and ended runs of one user are to another as ids that nobody ever had."""
    answer = await ada.say("A secret")

    for real, made_up in zip(
        of_a_thread(answer["thread_id"], answer["run_id"]),
        of_a_thread("thread_0", "run_0"),
        strict=True,
    ):
        status, problem = await bob.ask(real[0], real[1], **real[2])
        _, unknown = await bob.ask(made_up[0], made_up[1], **made_up[2])
        assert (status, problem["type"]) == (404, unknown["type"]), real
    assert (await resumed(bob, answer["run_id"]))["error_code"] == "unknown_run"
    assert len((await ada.ask("GET", f"/threads/{answer['thread_id']}/messages"))[1]["data"]) == 2


@pytest.mark.parametrize("on_a_thread", [False, True])
async def test_another_users_run_at_work_does_not_exist(ada, bob, on_a_thread):
    """A run that works is out of another user's reach too, also on its first thread."""
    thread_id = (await ada.say("First"))["thread_id"] if on_a_thread else None
    body = {"message": "Go on [[words=200 delay=20ms]]", "thread_id": thread_id}
    async with ada.open("POST", "/chat", json=body, headers=EVENTS) as stream:
        head = (await next_event(stream)).object

        for method, path, options in of_a_thread(head["thread_id"], head["id"]):
            status, problem = await bob.ask(method, path, **options)
            assert status == 404, (method, path, problem)
        again, _ = await bob.ask("POST", "/chat", json=body | {"thread_id": head["thread_id"]})
        assert again == 404
        assert (await resumed(bob, head["id"]))["error_code"] == "unknown_run"

        assert (await ada.ask("POST", f"/runs/{head['id']}/cancel"))[0] == 202


async def test_a_user_joins_their_own_run(ada):
    """The same message on the same thread joins the run of the same user's other session."""
    thread_id = (await ada.say("First"))["thread_id"]
    body = {"message": "Go on [[words=20 delay=20ms]]", "thread_id": thread_id}
    async with ada.open("POST", "/chat", json=body, headers=EVENTS) as stream:
        head = (await next_event(stream)).object
        joined = await ada.say(body["message"], thread_id)

    assert joined["run_id"] == head["id"]


async def test_programs_reach_every_users_threads(program, ada):
    """The tenant's own key sees the threads of its users; what it starts is nobody's."""
    theirs = await ada.say("Hello")
    ours = await program.say("Hello")

    assert (await program.ask("GET", f"/threads/{theirs['thread_id']}/messages"))[0] == 200
    assert (await ada.ask("GET", f"/threads/{ours['thread_id']}/messages"))[0] == 404


async def test_a_program_may_go_on_with_a_users_thread(program, ada):
    """What the tenant's server says on a user's thread, while it works too, is the user's."""
    thread_id = (await ada.say("Hello"))["thread_id"]
    body = {"message": "Go on [[words=20 delay=20ms]]", "thread_id": thread_id}
    async with program.open("POST", "/chat", json=body, headers=EVENTS) as stream:
        head = (await next_event(stream)).object
        status, _ = await ada.ask("GET", f"/runs/{head['id']}")

    assert status == 200


async def test_a_session_of_one_thread_reaches_that_one(client, program, ada):
    """A session that is bound to a thread of nobody's reaches it, and starts no other."""
    thread_id = (await program.say("Hello"))["thread_id"]
    own = await ada.say("Mine")
    bound = client.using(await program.session_of("ada", thread_id=thread_id))

    assert (await bound.say("More", thread_id))["thread_id"] == thread_id
    assert (await bound.ask("GET", f"/threads/{thread_id}/messages"))[0] == 200
    for method, path, options in of_a_thread(own["thread_id"], own["run_id"]):
        assert (await bound.ask(method, path, **options))[0] == 404
    for method, path, options in (
        ("GET", "/start", {}),
        ("POST", "/start", {}),
        ("POST", "/chat", {"json": {"message": "Hello"}}),
        ("POST", "/chat", {"json": {"message": "Hello", "thread_id": "new"}}),
    ):
        status, problem = await bound.ask(method, path, **options)
        assert (status, problem["type"]) == (403, "urn:agw:thread-bound")
    for frame, code in (
        ({"message": "Hello"}, "thread_bound"),
        ({"message": "Hello", "thread_id": own["thread_id"]}, "unknown_thread"),
        ({"type": "resume", "run_id": own["run_id"]}, "unknown_run"),
    ):
        async with bound.socket() as socket:
            await socket.send_json(frame)
            assert (await socket.receive_json(timeout=5))["error_code"] == code


async def test_a_session_is_bound_to_threads_that_are_its_users(program, ada):
    """A thread that does not exist is 404; one of another user is a mistake that is named."""
    theirs = await ada.say("Hello")

    status, _ = await program.ask("POST", "/sessions", json={"user": "ada", "thread_id": "x"})
    assert status == 404
    body = {"user": "bob", "thread_id": theirs["thread_id"]}
    status, problem = await program.ask("POST", "/sessions", json=body)
    assert (status, problem["errors"][0]["field"]) == (400, "thread_id")
    assert await program.session_of("ada", thread_id=theirs["thread_id"])


async def test_a_session_starts_no_session(ada):
    """Sessions come from keys alone."""
    status, problem = await ada.ask("POST", "/sessions", json={"user": "bob"})

    assert (status, problem["type"]) == (403, "urn:agw:insufficient-scope")


async def test_a_session_opens_no_other_tenant(ada):
    """A session of one tenant is no credential of another."""
    assert (await ada.of("globex").ask("GET", "/start"))[0] == 401


async def test_a_session_names_its_tenant(ada):
    """At the root the token says which tenant is meant."""
    assert (await ada.of(None).ask("GET", "/start"))[1]["initial_message"] == "Hello from Acme."


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({}, {"user"}),
        ({"user": ""}, {"user"}),
        ({"user": "x" * 256}, {"user"}),
        ({"user": "a\nb"}, {"user"}),
        ({"user": 7, "thread_id": 7, "ttl_seconds": "60", "origin": 7, "ttl": 1},
         {"user", "thread_id", "ttl_seconds", "origin", "ttl"}),
        ({"user": "ada", "ttl_seconds": 0}, {"ttl_seconds"}),
        ({"user": "ada", "ttl_seconds": 3601}, {"ttl_seconds"}),
        ({"user": "ada", "ttl_seconds": True}, {"ttl_seconds"}),
        ({"user": "ada", "origin": "acme.example"}, {"origin"}),
        ([], {""}),
    ],
)  # fmt: skip
async def test_bad_requests_are_told_all_their_faults(program, body, fields):
    """Everything that is wrong with a request for a session is named at once."""
    status, problem = await program.ask("POST", "/sessions", json=body)

    assert status == 400
    assert {fault["field"] for fault in problem["errors"]} == fields


@pytest.mark.parametrize("user", ["a", "Ada Lovelace", "ada@example.com", "ünïcödé", "用户" * 60])
async def test_users_may_be_named_as_one_likes(client, program, user):
    """Names in any script are told apart and kept."""
    one = client.using(await program.session_of(user))
    other = client.using(await program.session_of(user + "x"))

    answer = await one.say("Hello")

    assert (await one.ask("GET", f"/runs/{answer['run_id']}"))[0] == 200
    assert (await other.ask("GET", f"/runs/{answer['run_id']}"))[0] == 404


def forged(token, **changes):
    """The token with other claims, signed by somebody else."""
    claims = jwt.decode(token.removeprefix("ags_"), options={"verify_signature": False})
    return "ags_" + jwt.encode(claims | changes, "x" * 32, "HS256")


async def test_forged_tokens_open_nothing(client, program):
    """Neither another signature, nor none, nor other claims under the old signature count."""
    token = await program.session_of("ada")
    claims = jwt.decode(token.removeprefix("ags_"), options={"verify_signature": False})
    head, body, signature = token.removeprefix("ags_").split(".")
    other = jwt.encode(claims | {"sub": "bob"}, SECRET, "HS256").split(".")[1]

    for wrong in (
        forged(token),
        "ags_" + jwt.encode(claims, None, "none"),
        "ags_" + jwt.encode(claims, SECRET, "HS512"),
        f"ags_{head}.{other}.{signature}",
        f"ags_{head}.{body}.",
        f"ags_{head}.{body}",
        f"ags_{body}",
        token[:-2],
        token + "x",
        token.removeprefix("ags_"),
    ):
        assert (await client.using(wrong).ask("GET", "/start"))[0] == 401, wrong
    assert (await client.using(token).ask("GET", "/start"))[0] == 200


@pytest.mark.parametrize(
    "claims",
    [
        {"exp": -1},
        {"exp": "never"},
        {"exp": None},
        {"ten": "globex"},
        {"ten": None},
        {"key": "key_of_nobody"},
        {"sub": None},
    ],
)
async def test_signed_tokens_must_make_sense(client, program, claims):
    """Even under our own signature a token is judged: its time, its tenant, its key."""
    token = await program.session_of("ada")
    good = jwt.decode(token.removeprefix("ags_"), options={"verify_signature": False})
    if claims.get("exp") == -1:
        claims = {"exp": int(time.time()) - 1}
    changed = {name: value for name, value in (good | claims).items() if value is not None}

    wrong = client.using("ags_" + jwt.encode(changed, SECRET, "HS256"))

    assert (await wrong.ask("GET", "/start"))[0] == 401


async def test_a_session_dies_with_its_key(client, keys):
    """Whatever time it has left, a session ends when the key that issued it does."""
    key = await keys.give()
    browser = client.using(await client.using(key).session_of("ada"))
    assert (await browser.ask("GET", "/start"))[0] == 200

    await keys.revoke(key)

    assert (await browser.ask("GET", "/start"))[0] == 401


async def test_a_session_lives_no_longer_than_its_key(client, keys):
    """A key that ends soon issues sessions that end then."""
    ends = int(time.time()) + 100
    program = client.using(await keys.give(expires_at=ends))

    _, session = await program.ask("POST", "/sessions", json={"user": "ada"})

    assert session["expires_at"] == ends


@pytest.mark.parametrize("scope", ["history", "manage"])
async def test_sessions_need_the_scope_chat(client, keys, scope):
    """Only a key that may talk makes sessions."""
    program = client.using(await keys.give(scope))

    assert (await program.ask("POST", "/sessions", json={"user": "ada"}))[0] == 403


async def test_a_token_rides_in_the_query_where_browsers_can_set_no_header(client, program):
    """On the WebSocket and on a run's events."""
    token = await program.session_of("ada")
    run = (await client.using(token).say("Hello"))["run_id"]

    async with client.open("GET", f"/runs/{run}/events", params={"token": token}) as stream:
        assert stream.status == 200
    for path in ("/ws/chat", "/stream"):
        async with client.socket(f"{path}?token={token}") as socket:
            await socket.send_json({"type": "ping"})
            assert (await socket.receive_json(timeout=5)) == {"event": "pong"}


async def test_a_session_of_one_origin_is_no_others(root, client, program):
    """Pages of another origin that the tenant allows cannot use it; programs send none."""
    one, other = "https://one.example", "https://other.example"
    write_tenant(root, "acme", rest=f'[access]\nallowed_origins = ["{one}", "{other}"]')
    token = await program.session_of("ada", origin=one)
    browser = client.using(token)

    statuses = []
    async with asyncio.timeout(10):  # until the tenant's new document is in force
        while not statuses or statuses[0] != 200:
            statuses = [
                (await browser.ask("GET", "/start", headers=headers))[0]
                for headers in ({"Origin": one}, {"Origin": other}, {})
            ]

    assert statuses == [200, 403, 200]


async def test_a_secret_is_rotated_without_a_gap(locked_environ, program):
    """A gateway with a new secret accepts what the old one signed while it is told of both."""
    token = await program.session_of("ada")
    new = "another-planted-secret-" + "y" * 32

    async def opens(secret):
        environ = locked_environ | {
            "GATEWAY_SESSION_SECRET": secret,
            "GATEWAY_STORE": locked_environ["GATEWAY_STORE"] + ".2",
        }
        async with serving(environ) as running, aiohttp.ClientSession(running.url) as session:
            return (await Client(session).using(token).ask("GET", "/start"))[0]

    assert await opens(f"{new}, {SECRET}") == 200
    assert await opens(new) == 401


async def test_an_idempotency_key_is_its_users_own(client, program):
    """Two users under one key may send the same Idempotency-Key; each gets their own run."""
    header = {"Idempotency-Key": "first"}
    ada = client.using(await program.session_of("ada"))
    bob = client.using(await program.session_of("bob"))
    ada_again = client.using(await program.session_of("ada"))

    first = await ada.say("Hello", headers=header)
    other = await bob.say("Hello", headers=header)
    again = await ada_again.say("Hello", headers=header)

    assert first["run_id"] == again["run_id"] != other["run_id"]


async def test_production_without_a_secret_has_no_sessions(locked_environ, keys):
    """Where the operator named no secret, the tenant's developer is told so."""
    environ = {
        **{name: text for name, text in locked_environ.items() if "SESSION" not in name},
        "ENVIRONMENT": "production",
        "GATEWAY_SECRETS": "env",
        "GATEWAY_STORE": locked_environ["GATEWAY_STORE"] + ".2",
    }
    key = await keys.give()

    async with serving(environ) as running, aiohttp.ClientSession(running.url) as session:
        program = Client(session).using(key)
        status, problem = await program.ask("POST", "/sessions", json={"user": "ada"})
        token, _ = await Client(session).using("ags_e30.e30.e30").ask("GET", "/start")

    assert (status, problem["type"]) == (501, "urn:agw:sessions-off")
    assert "GATEWAY_SESSION_SECRET" in problem["detail"]
    assert token == 401


@pytest.fixture
async def public(locked_environ, root):
    """A client of a tenant whose chat is public."""
    write_tenant(root, "open", rest="[access]\npublic_chat = true")
    async with (
        serving(locked_environ) as running,
        aiohttp.ClientSession(running.url) as session,
    ):
        yield Client(session, "open")


async def test_anybody_starts_a_session_of_a_public_chat(public):
    """Without a credential a session is a new user's, who reaches what is theirs alone."""
    one = public.using((await public.ask("POST", "/sessions"))[1]["token"])
    other = public.using((await public.ask("POST", "/sessions", json={}))[1]["token"])

    answer = await one.say("Hello")

    assert (await one.ask("GET", f"/threads/{answer['thread_id']}/messages"))[0] == 200
    assert (await other.ask("GET", f"/threads/{answer['thread_id']}/messages"))[0] == 404


async def test_nobody_says_who_they_are_in_a_public_chat(public):
    """Naming a user or a thread takes a key; and without a session nothing else is open."""
    for body in ({"user": "ada"}, {"thread_id": "thread_x"}):
        assert (await public.ask("POST", "/sessions", json=body))[0] == 401
    assert (await public.ask("POST", "/chat", json={"message": "Hello"}))[0] == 401


async def test_a_session_of_a_named_user_is_never_anybodys(public):
    """What a gateway without keys has signed for a name opens nothing where keys are required."""
    session = (await public.ask("POST", "/sessions"))[1]["token"]
    claims = jwt.decode(session.removeprefix("ags_"), options={"verify_signature": False})

    named = "ags_" + jwt.encode(claims | {"sub": "ada"}, SECRET, "HS256")

    assert (await public.using(named).ask("GET", "/start"))[0] == 401
    assert (await public.using(session).ask("GET", "/start"))[0] == 200


async def test_a_chat_that_is_not_public_starts_no_session_for_nobody(public):
    """The other tenants' sessions come from their keys."""
    assert (await public.of("acme").ask("POST", "/sessions"))[0] == 401


async def test_public_sessions_are_limited_by_address(public):
    """One address gets a few at once; then it is told when to come back."""
    statuses = []
    while not statuses or statuses[-1] == 201:
        async with public.open("POST", "/sessions") as answer:
            statuses.append(answer.status)
            wait = answer.headers.get("Retry-After")

    assert statuses == [201] * 20 + [429]
    assert 1 <= int(wait) <= 30


async def test_a_public_session_ends_when_the_chat_is_closed(public, root):
    """When the tenant closes its chat, the sessions that anybody started open nothing more."""
    one = public.using((await public.ask("POST", "/sessions"))[1]["token"])
    assert (await one.ask("GET", "/start"))[0] == 200

    write_tenant(root, "open")

    async with asyncio.timeout(10):
        while (await one.ask("GET", "/start"))[0] != 401:
            pass
