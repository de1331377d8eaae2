"""The chat page where keys are required: who gets in, and what those who do not are told."""

import asyncio
from contextlib import asynccontextmanager

import aiohttp
import pytest
from playwright.async_api import expect

from tests.fakes.browser import chat_page
from tests.fakes.credential_client import Client
from tests.fakes.gateway import serving, write_tenant

pytest_plugins = ("tests.fakes.locked_gateway",)

STORAGE = "JSON.stringify([{...sessionStorage}, {...localStorage}, document.cookie])"


@pytest.fixture
def root(tmp_path):
    """One tenant whose chat is public, one whose is not, and one beside them."""
    tenants = tmp_path / "tenants"
    write_tenant(tenants, "open", rest="[access]\npublic_chat = true")
    write_tenant(tenants, "acme")
    write_tenant(tenants, "globex")
    return tenants


@pytest.fixture
def opened(require_program):
    """Opens a chat page; afterwards nothing may have offended its policy or its console."""
    chromium = require_program("chromium")

    @asynccontextmanager
    async def open_page(url, **context):
        async with chat_page(chromium, url, **context) as chat:
            yield chat
            assert chat.complaints == []

    return open_page


@pytest.fixture
async def program(client, keys):
    """The tenant's own server."""
    return client.using(await keys.give())


async def shut(chat, words):
    """The page says that there is no way in, and takes no message."""
    await expect(chat.page.get_by_role("alert")).to_contain_text(words)
    await expect(chat.page.get_by_role("textbox")).to_be_disabled()
    await expect(chat.page.get_by_role("button", name="Send")).to_be_disabled()


async def test_a_public_chat_lets_anybody_in(locked, opened):
    """Without any token an answer streams in, and a reload goes on with the conversation."""
    async with opened(f"{locked.url}/t/open") as chat:
        await chat.say("Hello there")
        await chat.idle()
        await expect(chat.answers).to_contain_text("you said “Hello there”")
        await chat.page.reload()
        await expect(chat.answers).to_contain_text("you said “Hello there”")
        await chat.say("And again [[words=40 delay=30ms]]")
        await chat.answering()
        await chat.page.reload()
        await chat.idle()

        await expect(chat.questions).to_have_count(2)


async def test_two_strangers_do_not_share_a_conversation(locked, opened):
    """Each tab of a public chat is somebody else, who reaches nothing of the other's."""
    url = f"{locked.url}/t/open"
    async with opened(url) as one, opened(url) as other:
        await one.say("My secret")
        await one.idle()
        kept = await one.page.evaluate("sessionStorage['conversation:/t/open/']")
        await other.page.evaluate("kept => sessionStorage['conversation:/t/open/'] = kept", kept)
        await other.page.reload()
        await expect(other.page.locator("#greeting")).to_be_visible()

        await expect(other.questions).to_have_count(0)


DEAD_SESSION = "sessionStorage['session:/t/open/'] = '\"ags_e30.e30.e30\"'"


async def test_a_stranger_whose_session_ended_begins_anew(locked, opened):
    """After a reload the page says that the session is over, and goes on as somebody new."""
    async with opened(f"{locked.url}/t/open") as chat:
        await chat.say("First")
        await chat.idle()
        await chat.page.evaluate(DEAD_SESSION)
        await chat.page.reload()
        await chat.say("Second")

        await expect(chat.answers).to_contain_text("you said “Second”")
        await expect(chat.questions).to_have_text(["Second"])
        await expect(chat.page.locator("#log > .note")).to_contain_text("session has ended")
        await expect(chat.page.get_by_role("textbox")).to_have_value("")


@pytest.mark.parametrize("token", [DEAD_SESSION, ""])
async def test_what_is_sent_while_the_page_loads_is_kept(locked, opened, token):
    """A message that is sent before the conversation is there goes out as soon as it is."""
    loading = asyncio.Event()

    async def held(route):
        await loading.wait()
        await route.continue_()

    async with opened(f"{locked.url}/t/open") as chat:
        await chat.say("First")
        await chat.idle()
        await chat.page.evaluate(token)
        await chat.page.route("**/messages?*", held)
        await chat.page.reload()
        await chat.say("Second")
        await expect(chat.page.get_by_role("textbox")).to_have_value("Second")
        await expect(chat.questions).to_have_count(0)
        loading.set()

        await expect(chat.answers.last).to_contain_text("you said “Second”")
        await expect(chat.questions).to_have_text(["Second"] if token else ["First", "Second"])


async def test_a_conversation_that_cannot_be_loaded_keeps_what_was_typed(locked, opened):
    """When loading fails the message stays where it was written, and trying again loses nothing."""
    async with opened(f"{locked.url}/t/open") as chat:
        await chat.say("First")
        await chat.idle()
        broken = {"status": 503, "json": {"title": "Away"}}
        await chat.page.route("**/messages?*", lambda route: route.fulfill(**broken), times=1)
        await chat.page.reload()
        await expect(chat.page.get_by_role("alert")).to_contain_text("could not be loaded")
        await chat.page.get_by_role("textbox").fill("Second")
        await chat.page.get_by_role("button", name="Try again").click()

        await expect(chat.questions).to_have_text("First")
        await expect(chat.page.get_by_role("textbox")).to_have_value("Second")
        await expect(chat.page.get_by_role("alert")).to_have_count(0)


@pytest.mark.parametrize("height", [300, 720])
async def test_a_session_that_dies_between_turns_is_renewed_on_demand(locked, opened, height):
    """A refusal in mid-conversation offers, in sight, to ask again in a new one, which works."""
    viewport = {"width": 360, "height": height}
    async with opened(f"{locked.url}/t/open", viewport=viewport) as chat:
        await chat.say("First [[words=60]]")
        await chat.idle()
        await chat.page.route("**/chat", lambda route: route.fulfill(status=401, json={}), times=1)
        await chat.say("Second")
        await chat.idle()
        await expect(chat.answers.last).to_contain_text("Your session has ended")
        remedy = chat.page.get_by_role("button", name="Ask again in a new one")
        await expect(remedy).to_be_in_viewport(ratio=1)
        await remedy.click()
        await chat.idle()

        await expect(chat.answers.last).to_contain_text("you said “Second”")


async def test_a_token_in_the_fragment_lets_its_user_in(client, program, locked, opened):
    """The token opens the chat, leaves the address bar, and is kept nowhere."""
    token = await program.session_of("ada")
    async with opened(f"{locked.url}/t/acme#token={token}") as chat:
        await chat.say("Hello there")
        await chat.idle()
        await expect(chat.answers).to_contain_text("you said “Hello there”")

        assert chat.page.url == f"{locked.url}/t/acme"
        assert token not in await chat.page.evaluate(STORAGE)
        kept = await chat.page.evaluate("JSON.parse(sessionStorage['conversation:/t/acme/'])")
        path = f"/threads/{kept['threadId']}/messages"
        assert (await client.using(token).ask("GET", path))[0] == 200
        bob = client.using(await program.session_of("bob"))
        assert (await bob.ask("GET", path))[0] == 404


async def test_a_token_is_in_no_history_and_no_referrer(program, locked, opened):
    """Neither going back nor a request says the token again, but in its own header."""
    token, requests = await program.session_of("ada"), []

    def note(request):
        requests.append(request)

    async with opened(f"{locked.url}/t/open") as chat:
        chat.page.on("request", note)
        await chat.page.goto(f"{locked.url}/t/acme#token={token}")
        await chat.say("Hello there")
        await chat.idle()
        await chat.page.go_back()
        await chat.page.go_forward()
        await shut(chat, "Access is needed")

        assert chat.page.url == f"{locked.url}/t/acme"
        for request in requests:
            headers = await request.all_headers()
            headers.pop("authorization", None)
            assert token not in f"{request.url}{headers}{request.post_data}"
            assert not headers.get("referer")


async def test_a_token_in_memory_does_not_outlive_a_reload(program, locked, opened):
    """After a reload the page says that access is needed; a new link opens it again."""
    url = f"{locked.url}/t/acme"
    async with opened(f"{url}#token={await program.session_of('ada')}") as chat:
        await chat.say("Hello there")
        await chat.idle()
        await chat.page.reload()
        await shut(chat, "Access is needed")
        token = await program.session_of("ada")
        await chat.page.evaluate("token => { location.hash = `token=${token}` }", token)

        await expect(chat.answers).to_contain_text("you said “Hello there”")


@pytest.mark.parametrize("fragment", ["", "#", "#token=", "#nothing=here"])
async def test_without_access_the_page_says_so(locked, opened, fragment):
    """Who has no token reads what to do, and nothing is asked of the gateway."""
    async with opened(f"{locked.url}/t/acme{fragment}") as chat:
        await shut(chat, "Access is needed to chat here. Open this page from the site")


async def test_a_token_that_opens_nothing_is_told_so(locked, opened):
    """A wrong or dead token ends in words, not in an endless wait."""
    async with opened(f"{locked.url}/t/acme#token=ags_e30.e30.e30") as chat:
        await chat.say("Hello?")

        await shut(chat, "Your access has ended")


async def test_access_that_ends_in_mid_answer_is_told(keys, client, locked, opened):
    """When the key behind the token is revoked, the answer that is cut is marked so."""
    key = await keys.give()
    token = await client.using(key).session_of("ada")
    async with opened(f"{locked.url}/t/acme#token={token}") as chat:
        await chat.say("Go on [[words=2000 delay=30ms]]")
        await chat.answering()
        await keys.revoke(key)

        await expect(chat.page.get_by_role("alert")).to_contain_text("Your access has ended")
        await shut(chat, "Your access has ended")


async def test_a_token_of_one_thread_goes_on_with_that_one(program, locked, opened):
    """Where the link names the thread, its messages show and the next one joins them."""
    thread_id = (await program.say("Said by the server"))["thread_id"]
    token = await program.session_of("ada", thread_id=thread_id)
    async with opened(f"{locked.url}/t/acme#token={token}&thread={thread_id}") as chat:
        await expect(chat.questions).to_have_text("Said by the server")
        await chat.say("Said by Ada")
        await chat.idle()

        await expect(chat.answers.last).to_contain_text("you said “Said by Ada”")
        await expect(chat.page.get_by_role("button", name="New conversation")).to_be_hidden()
        _, page = await program.ask("GET", f"/threads/{thread_id}/messages")
        assert len(page["data"]) == 4


async def test_strangers_are_told_when_there_are_too_many(locked_environ, opened):
    """Who is given no session reads when to try again."""
    async with serving(locked_environ) as running, aiohttp.ClientSession(running.url) as session:
        stranger = Client(session, "open")
        while (await stranger.ask("POST", "/sessions"))[0] == 201:
            pass
        async with opened(f"{running.url}/t/open") as chat:
            await chat.say("Hello?")
            await chat.idle()

            await expect(chat.page.get_by_role("alert")).to_contain_text("Try again in")
