"""What browsers are served: the chat page, its files, and the headers that guard them."""

import re
from html.parser import HTMLParser
from urllib.parse import urljoin

import aiohttp
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.pages.assets import ASSETS
from gateway.pages.html import chat_page
from tests.fakes.gateway import serving, write_tenant

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8"


class _Page(HTMLParser):
    """A page's texts by element, and the URLs that it names."""

    def __init__(self, html):
        super().__init__()
        self.urls, self.texts, self.tags = [], {}, []
        self.feed(html)

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        self.urls += [value for name, value in attributes if name in {"src", "href"}]

    def handle_data(self, data):
        if data.strip():
            self.texts.setdefault(self.tags[-1], data.strip())


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        (BROWSER, "text/html"),
        ("text/html", "text/html"),
        ("*/*", "application/json"),
        ("application/json", "application/json"),
        ("application/json, text/html;q=0.5", "application/json"),
        ("text/html;q=0, application/json", "application/json"),
        ("text/event-stream", "application/json"),
        ("nonsense", "application/json"),
        ("", "application/json"),
    ],
)
async def test_the_page_is_for_those_who_ask_for_html(session, accept, kind):
    """Browsers get the page, programs the JSON status; caches are told what decides."""
    async with session.get("/t/acme", headers={"Accept": accept}) as response:
        assert response.status == 200
        assert response.content_type == kind
        assert response.headers["Vary"] == "Accept"


async def test_the_page_is_guarded(session):
    """The page may load nothing but the gateway's own files, and tells nobody where it was."""
    async with session.get("/t/acme", headers={"Accept": BROWSER}) as response:
        html = await response.text()

    assert response.headers["Content-Security-Policy"] == POLICY
    assert response.headers["Referrer-Policy"] == "no-referrer"
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert not re.search(r"<style|\bstyle=|\bon\w+=|<script(?![^>]*\bsrc=)", html)


async def test_only_listed_origins_may_frame_it(environ, tmp_path):
    """A tenant's allowed origins may show its page in a frame."""
    access = '[access]\nallowed_origins = ["https://b.example", "https://a.example"]'
    write_tenant(tmp_path / "tenants", "framed", rest=access)

    async with serving(environ) as gateway, aiohttp.ClientSession(gateway.url) as session:
        response = await session.get("/t/framed", headers={"Accept": BROWSER})
        policy = response.headers["Content-Security-Policy"]

    assert policy.endswith("; frame-ancestors https://a.example https://b.example")


@pytest.mark.parametrize("path", ["/t/acme", "/t/acme/", "/t/acme?x=/y/z", "/docs", "/t/acme/docs"])
async def test_every_file_of_a_page_is_there(session, path):
    """The relative URLs of the pages hold at every path that they are served at."""
    async with session.get(path, headers={"Accept": BROWSER}) as response:
        page = _Page(await response.text())

    assert len(page.urls) >= 3
    for url in page.urls:
        async with session.get(urljoin(path, url)) as found:
            assert found.status == 200, url


async def test_a_file_is_sent_once(session):
    """A browser that has a file already is told so; another version of it is sent."""
    async with session.get("/t/acme/pages/chat.js") as first:
        body, tag = await first.read(), first.headers["ETag"]
    async with session.get("/pages/chat.js", headers={"If-None-Match": tag}) as same:
        unchanged = same.status, await same.read()
    async with session.get("/pages/chat.js", headers={"If-None-Match": '"older"'}) as other:
        changed = other.status, await other.read()

    assert first.content_type == "text/javascript"
    assert unchanged == (304, b"")
    assert changed == (200, body)


@pytest.mark.parametrize("name", ["nothing.js", "..%2fhtml.py", "chat.html", "html.py", "%00"])
async def test_nothing_but_the_files_is_served(session, name):
    """Names that are no file of the pages are not found, whatever lies beside them."""
    async with session.get(f"/pages/{name}") as response:
        assert response.status == 404
        assert response.content_type == "application/problem+json"


@given(name=st.text(min_size=1), greeting=st.text())
def test_tenants_texts_are_text(name, greeting):
    """Whatever a tenant's name and greeting hold adds no element and no template's field."""
    plain = _Page(chat_page("Acme", "Hello", "/t/acme").decode())

    page = _Page(chat_page(name, greeting, "/t/acme").decode())

    assert page.tags == plain.tags
    assert page.texts.get("title", "") == name.strip()
    assert page.urls == plain.urls


def _colours(css):
    """The palettes of a stylesheet, light and dark, by name."""
    light, dark = re.findall(r":root \{([^}]*)\}", css)
    return [dict(re.findall(r"--([\w-]+): (#\w{6})", block)) for block in (light, dark)]


def _luminance(colour):
    """Relative luminance (WCAG 2.2)."""
    channels = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return sum(weight * c for weight, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


@pytest.mark.parametrize("mode", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize(
    ("text", "paper"),
    [
        ("ink", "paper"),
        ("ink", "raised"),
        ("ink", "own"),
        ("soft", "paper"),
        ("soft", "raised"),
        ("bad", "bad-paper"),
        ("on-accent", "accent"),
    ],
)
def test_texts_can_be_read(mode, text, paper):
    """Every pair of text and ground has the contrast that WCAG asks for, 4.5 to 1."""
    palette = _colours(ASSETS["palette.css"].body.decode())[mode]

    darker, lighter = sorted((_luminance(palette[text]), _luminance(palette[paper])))

    assert (lighter + 0.05) / (darker + 0.05) >= 4.5
