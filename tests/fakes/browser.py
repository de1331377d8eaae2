"""Debian's Chromium, driven over its protocol; what a page complains about is kept."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from playwright.async_api import Locator, Page, async_playwright, expect

expect.set_options(timeout=20_000)  # milliseconds; a busy machine's browser takes its time
_ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


class ChatPage:
    """A tab that shows a chat page.

    Attributes:
        page: the tab.
        complaints: what the console and uncaught errors said, but for the browser's own line
            about an HTTP status that is an error.
        dialogs: what was said in dialogs.
    """

    def __init__(self, page: Page) -> None:
        self.page = page
        self.complaints: list[str] = []
        self.dialogs: list[str] = []
        page.on("console", lambda message: self._complain(message.text))
        page.on("pageerror", lambda error: self._complain(str(error)))
        page.on("dialog", self._dismiss)

    async def _dismiss(self, dialog: Any) -> None:
        self.dialogs.append(dialog.message)
        await dialog.dismiss()

    def _complain(self, text: str) -> None:
        if not text.startswith("Failed to load resource"):
            self.complaints.append(text)

    @property
    def answers(self) -> Locator:
        """The assistant's turns after its greeting."""
        return self.page.locator("#log .assistant:not(#greeting)")

    @property
    def questions(self) -> Locator:
        """The user's messages."""
        return self.page.locator("#log .user")

    async def say(self, text: str) -> None:
        """Type a message and send it by keyboard."""
        await self.page.get_by_label(re.compile("^Message to")).fill(text)
        await self.page.keyboard.press("Enter")

    async def answering(self) -> None:
        """Wait until an answer is under way and some of its text is there."""
        await expect(self.stop).to_be_visible()
        await expect(self.answers.last.locator(".text")).to_contain_text(re.compile(r"\w"))

    async def idle(self) -> None:
        """Wait until nothing is under way."""
        await expect(self.stop).to_be_hidden()
        await expect(self.page.get_by_role("button", name="Send")).to_be_visible()

    @property
    def stop(self) -> Locator:
        """The stop button."""
        return self.page.get_by_role("button", name="Stop")


@asynccontextmanager
async def chat_page(chromium: str, url: str, **context: Any) -> AsyncIterator[ChatPage]:
    """Open a page in a browser of its own.

    Args:
        chromium: the program.
        url: of the page.
        context: of the browser, such as ``viewport``.
    """
    async with async_playwright() as driver:
        browser = await driver.chromium.launch(executable_path=chromium, args=_ARGUMENTS)
        try:
            page = await (await browser.new_context(**context)).new_page()
            chat = ChatPage(page)
            await page.goto(url)
            yield chat
        finally:
            await browser.close()
