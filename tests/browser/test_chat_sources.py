"""The files that an answer draws on, as the chat page shows them."""

import pytest
from playwright.async_api import expect

from tenants.registry.files import FileObjects
from tests.fakes.browser import chat_page
from tests.fakes.gateway import serving
from tests.fakes.knowledge import Knowing
from tests.fakes.simulator import RecordingSimulator

KNOWLEDGE = {
    "knowledge/<img src=x onerror=alert(1)>.md": b"Returns are accepted within 30 days.",
    "knowledge/fees.md": b"Accepted returns cost no fee.",
}


@pytest.fixture
async def url(tmp_path):
    """The chat page of a tenant whose knowledge is synced."""
    async with RecordingSimulator() as upstream:
        knowing = Knowing(FileObjects(tmp_path), upstream)
        knowing.onboard(KNOWLEDGE)
        await knowing.sync()
        environ = {
            "GATEWAY_TENANTS": f"dir:{tmp_path}",
            "GATEWAY_STORE": f"sqlite:{tmp_path / 'gateway.db'}",
            "OPENAI_API_KEY": knowing.key,
            "OPENAI_BASE_URL": upstream.base_url,
        }
        async with serving(environ) as gateway:
            yield f"{gateway.url}/t/acme"


async def shows_sources(chat):
    """Wait for the sources, and see that they are all there, last of the answer and once."""
    await expect(chat.answers.locator(":scope > .sources:last-child")).to_have_count(1)
    sources = chat.answers.locator(".sources li")
    await expect(sources).to_have_count(2)
    names = {name.removeprefix("knowledge/") for name in KNOWLEDGE}
    assert set(await sources.all_inner_texts()) == names


async def test_the_cited_files_are_listed_below_the_answer(url, require_program):
    """Each file once, by the tenant's own name and as text; a reload shows them again."""
    async with chat_page(require_program("chromium"), url) as chat:
        await chat.say("Which returns are accepted?")
        await chat.idle()
        await shows_sources(chat)

        await chat.page.reload()
        await shows_sources(chat)

        assert chat.complaints == []
        assert chat.dialogs == []
