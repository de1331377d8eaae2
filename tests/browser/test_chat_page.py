"""The chat page in a browser, against a whole gateway and the simulator."""

import re
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

import aiohttp
import pytest
from playwright.async_api import expect

from gateway.http.openapi.routes import PATHS
from gateway.runs.turn import TurnLimits
from tests.fakes.browser import chat_page
from tests.fakes.cutting_proxy import CuttingProxy
from tests.fakes.gateway import serving, write_tenant
from tests.fakes.loud_tools import LOUD
from tests.fakes.simulator import RecordingSimulator

TOOLS = '''
def get_weather(city: str) -> dict:
    """The weather of a city.

    Args:
        city: its name.
    """
    return {"city": city, "sky": "clear"}


TOOL_MAP = {"get_weather": get_weather}
'''


@pytest.fixture
async def upstream():
    """The simulator, which keeps what it was asked."""
    async with RecordingSimulator() as simulator:
        yield simulator


@pytest.fixture
def environ(tmp_path, upstream):
    """A gateway's variables: ``acme`` shows what its tools do, ``quiet`` does not."""
    tenants = tmp_path / "tenants"
    shown = "[access]\nexpose_tool_calls = true"
    write_tenant(tenants, "acme", tools=TOOLS, rest=shown)
    write_tenant(tenants, "quiet", tools=TOOLS)
    write_tenant(tenants, "loud", tools=LOUD)
    return {
        "GATEWAY_TENANTS": f"dir:{tenants}",
        "GATEWAY_STORE": f"sqlite:{tmp_path / 'gateway.db'}",
        "GATEWAY_DEFAULT_TENANT": "acme",
        "OPENAI_API_KEY": "sk-test",
        "OPENAI_BASE_URL": upstream.base_url,
    }


@pytest.fixture
async def gateway(environ):
    """The whole gateway."""
    async with serving(environ) as running:
        yield running


@pytest.fixture
def opened(require_program):
    """Opens a chat page; afterwards nothing may have offended its policy or its console."""
    chromium = require_program("chromium")

    @asynccontextmanager
    async def open_page(url, **context):
        async with chat_page(chromium, url, **context) as chat:
            yield chat
            assert chat.complaints == []
            assert chat.dialogs == []

    return open_page


async def stored_answers(url, chat):
    """The texts of the thread's answers, as the gateway has them."""
    place = f"conversation:{urlsplit(url).path.rstrip('/')}/"
    kept = await chat.page.evaluate("place => JSON.parse(sessionStorage.getItem(place))", place)
    path = f"{url.rstrip('/')}/threads/{kept['threadId']}/messages?order=asc"
    async with aiohttp.ClientSession() as session, session.get(path) as response:
        page = await response.json()
    return [
        message["content"][0]["text"]["value"]
        for message in page["data"]
        if message["role"] == "assistant"
    ]


@pytest.mark.parametrize("path", ["/", "/t/acme", "/t/acme/"])
async def test_an_answer_streams_in(gateway, opened, path):
    """Text shows while the answer is under way; in the end it is the one that is stored."""
    async with opened(gateway.url + path) as chat:
        await chat.say("Tell me more [[words=30 delay=20ms]]")
        await chat.answering()
        early = await chat.answers.inner_text()
        await chat.idle()

        whole = await chat.answers.inner_text()
        assert len(early) < len(whole)
        assert [whole] == await stored_answers(gateway.url + path, chat)
        await expect(chat.page.get_by_role("status")).to_have_text("Answered.")


async def test_the_use_of_a_tool_shows(gateway, opened):
    """A function that runs shows by its name; what went in and came out opens on demand."""
    async with opened(f"{gateway.url}/t/acme") as chat:
        await chat.say("What is the weather in Paris?")
        await chat.idle()

        tool = chat.answers.locator(".tool")
        await expect(tool).to_contain_text("Used get_weather")
        await expect(tool).to_have_class("tool done")
        await tool.get_by_text("Details").click()
        await expect(tool.locator("pre")).to_contain_text('"sky":"clear"')
        await expect(chat.answers.locator(".text")).to_contain_text("Paris")


async def test_tools_keep_their_input_where_the_tenant_does(gateway, opened):
    """Where the tenant does not expose them, no input or output of a tool reaches the page."""
    async with opened(f"{gateway.url}/t/quiet") as chat:
        await chat.say("What is the weather in Paris?")
        await chat.idle()

        await expect(chat.answers.locator(".tool")).to_contain_text("Used get_weather")
        await expect(chat.answers.locator("details")).to_have_count(0)


async def test_stop_ends_the_run(gateway, opened):
    """The stop button ends the run itself, and what is there is marked as incomplete."""
    async with opened(f"{gateway.url}/t/acme") as chat:
        await chat.say("Go on [[words=500 delay=50ms]]")
        await chat.answering()
        await chat.stop.click()
        await chat.idle()

        await expect(chat.answers).to_contain_text("Stopped. This answer is incomplete.")
        await expect(chat.page.get_by_role("textbox")).to_be_focused()
        await chat.page.reload()
        await chat.idle()
        await expect(chat.answers).to_contain_text("Stopped. This answer is incomplete.")


async def test_a_reload_in_mid_answer_resumes(gateway, opened, upstream):
    """After a reload the same run goes on, and its whole text is there exactly once."""
    url = f"{gateway.url}/t/acme"
    async with opened(url) as chat:
        await chat.say("First")
        await chat.idle()
        await chat.say("Second [[words=40 delay=30ms]]")
        await expect(chat.answers).to_have_count(2)
        await chat.answering()
        await chat.page.reload()
        await chat.answering()
        await chat.idle()

        assert await chat.answers.all_inner_texts() == await stored_answers(url, chat)
        await expect(chat.questions).to_have_count(2)
        assert len(upstream.requests) == 2


async def test_a_reload_before_the_first_event_sends_nothing_twice(environ, opened, upstream):
    """A message whose run was not known yet when the page was reloaded is answered once."""
    bounds = TurnLimits(exists_after_seconds=1)
    async with serving(environ, turns=bounds) as gateway, opened(gateway.url) as chat:
        await chat.say("Wait [[hang]]")
        await upstream.arrived(1)
        await chat.page.reload()
        await expect(chat.questions).to_have_text("Wait [[hang]]")
        await chat.stop.click()
        await chat.idle()

        await expect(chat.answers).to_contain_text("Stopped.")
        assert len(upstream.requests) == 1


async def test_an_answer_whose_events_are_gone_is_taken_from_the_thread(gateway, opened):
    """When a run's events were too many to keep, a reload shows its answer all the same."""
    url = f"{gateway.url}/t/loud"
    async with opened(url) as chat:
        await chat.say("Make noise [[rounds=8]]")
        await chat.idle()
        await chat.page.reload()
        await expect(chat.answers.locator(".text")).to_contain_text("Here is what I found.")
        await chat.idle()

        assert await chat.answers.all_inner_texts() == await stored_answers(url, chat)


async def test_the_documentation_shows_every_route(gateway, opened):
    """The page of the API lists all routes of its document, and opens what they answer."""
    async with opened(f"{gateway.url}/t/acme/docs") as chat:
        routes = chat.page.get_by_role("navigation").get_by_role("link")
        await expect(routes).to_have_count(sum(len(item) for item in PATHS.values()))
        chatting = chat.page.locator("#post-chat")
        await chatting.get_by_text("200", exact=True).click()
        await expect(chatting.locator(".answer .media", has_text="event-stream")).to_be_visible()
        await chatting.get_by_text("Usage").first.click()
        await expect(chatting.get_by_text("prompt_tokens").first).to_be_visible()


async def test_a_broken_connection_resumes(gateway, opened, upstream):
    """A connection that breaks in mid-answer is taken up again without a gap or a repetition."""
    port = urlsplit(gateway.url).port
    async with CuttingProxy(port) as proxy, opened(f"{proxy.url}/t/acme") as chat:
        await chat.say("Tell me more [[words=40 delay=20ms]]")
        await chat.answering()
        await proxy.cut()
        early = await chat.answers.inner_text()
        await chat.idle()

        stored = await stored_answers(f"{gateway.url}/t/acme", chat)
        assert len(early) < len(stored[0])
        assert await chat.answers.all_inner_texts() == stored
        assert len(upstream.requests) == 1


async def test_markup_stays_text(tmp_path, environ, opened):
    """Neither a tenant's name and greeting, nor a message, nor an answer is read as HTML."""
    attack = "<img src=x onerror=alert(1)><script>alert(2)</script>"
    folder = write_tenant(tmp_path / "tenants", "evil")
    document = (folder / "tenant.toml").read_text()
    document = document.replace('name = "Evil"', f"name = '{attack}'")
    (folder / "tenant.toml").write_text(document.replace("Hello from Evil.", attack))

    async with serving(environ) as gateway, opened(f"{gateway.url}/t/evil") as chat:
        await chat.say(attack)
        await chat.idle()

        await expect(chat.page).to_have_title(attack)
        await expect(chat.page.get_by_role("heading")).to_have_text(attack)
        await expect(chat.page.locator("#greeting")).to_have_text(attack)
        await expect(chat.questions).to_have_text(attack)
        await expect(chat.answers).to_contain_text(attack)
        await expect(chat.page.locator("img, body script")).to_have_count(0)


async def test_a_failure_before_the_run_can_be_mended(gateway, opened):
    """A refusal of the upstream is told in words; trying again answers the same message."""
    async with opened(f"{gateway.url}/t/acme") as chat:
        await chat.say("Hello [[status=400 times=1]]")
        await chat.idle()

        alert = chat.answers.get_by_role("alert")
        await expect(alert).to_contain_text("The model's provider refused the request")
        await expect(alert).to_contain_text(re.compile(r"Reference: \w+"))
        await alert.get_by_role("button", name="Try again").click()
        await chat.idle()
        await expect(chat.answers).to_contain_text("you said “Hello”")
        await expect(chat.page.get_by_role("alert")).to_have_count(0)


async def test_a_busy_provider_says_when_to_return(gateway, opened):
    """What the upstream asks to be waited for is told; a newer message takes the remedy away."""
    async with opened(f"{gateway.url}/t/acme") as chat:
        await chat.say("Hello [[status=429 retry-after=60]]")
        await chat.idle()
        await expect(chat.answers.get_by_role("alert")).to_contain_text("Try again in 60 s.")
        await chat.say("Hello again")
        await chat.idle()

        await expect(chat.answers.last).to_contain_text("you said “Hello again”")
        await expect(chat.page.get_by_role("button", name="Try again")).to_have_count(0)


@pytest.mark.parametrize(
    ("directive", "words"),
    [
        ("cut=after-8 words=20", "This answer is incomplete. The model's answer ended before"),
        ("failed", "This answer is incomplete. The model's provider failed"),
        ("incomplete", "it reached its greatest length"),
        ("incomplete=content_filter", "withheld by a content filter"),
    ],
)
async def test_an_answer_that_is_cut_never_looks_whole(gateway, opened, directive, words):
    """Text that is not all of the answer is marked so, for eyes and for screen readers."""
    async with opened(f"{gateway.url}/t/acme") as chat:
        await chat.say(f"Hello [[{directive}]]")
        await chat.idle()

        await expect(chat.answers.locator(".note")).to_contain_text(words)
        await expect(chat.page.get_by_role("status")).to_have_text("The answer is incomplete.")


async def test_a_gateway_that_is_away_is_told(environ, opened):
    """When the gateway cannot be reached any more, the page says so and offers to reconnect."""
    async with serving(environ) as gateway, opened(gateway.url) as chat:
        await chat.page.clock.install()
        await chat.page.context.set_offline(offline=True)
        await chat.say("Anybody there?")
        await expect(chat.stop).to_be_visible()
        while await chat.stop.is_visible():
            await chat.page.clock.run_for(1000)

        await expect(chat.answers).to_contain_text("connection to the gateway was lost")
        await chat.page.context.set_offline(offline=False)
        await chat.page.get_by_role("button", name="Reconnect").click()
        await expect(chat.answers).to_contain_text("you said “Anybody there?”")


async def test_the_keyboard_is_enough(gateway, opened):
    """Enter sends, Shift and Enter break the line, Escape stops, Tab reaches every control."""
    async with opened(gateway.url) as chat:
        box, keys = chat.page.get_by_role("textbox"), chat.page.keyboard
        await expect(box).to_be_focused()
        await keys.type("one")
        await keys.press("Shift+Enter")
        await keys.type("two [[words=500 delay=50ms]]")
        await keys.press("Enter")
        await expect(chat.questions).to_have_text("one\ntwo [[words=500 delay=50ms]]")
        await keys.press("Tab")
        await expect(chat.stop).to_be_focused()
        await chat.answering()
        await keys.press("Escape")
        await chat.idle()

        await expect(chat.answers).to_contain_text("Stopped.")
        await expect(box).to_be_focused()


async def test_a_new_conversation_begins_anew(gateway, opened, upstream):
    """A new conversation shows the greeting alone, and its thread knows nothing of the old one."""
    async with opened(gateway.url) as chat:
        await chat.say("My name is Ada.")
        await chat.idle()
        await chat.page.get_by_role("button", name="New conversation").click()
        await expect(chat.page.locator("#log article")).to_have_count(1)
        await chat.say("What did I say?")
        await chat.idle()

        await expect(chat.answers).to_have_count(1)
        assert b"Ada" not in upstream.requests[-1].body


async def test_a_phone_needs_no_sideways_scrolling(gateway, opened):
    """At the width of a phone nothing is wider than the screen, not even an endless word."""
    viewport = {"width": 320, "height": 640}
    async with opened(gateway.url, viewport=viewport, color_scheme="dark") as chat:
        await chat.say("x" * 300 + " what is the weather in Paris?")
        await chat.idle()

        widths = "[...document.querySelectorAll('*')].map(e => e.getBoundingClientRect().right)"
        assert max(await chat.page.evaluate(widths)) <= viewport["width"]
