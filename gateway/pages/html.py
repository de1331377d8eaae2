"""The pages' HTML and the headers that it is served with."""

from collections.abc import Collection, Mapping
from html import escape
from importlib import resources
from string import Template
from typing import Literal, TypeAlias

HTML = "text/html; charset=utf-8"
Access: TypeAlias = Literal["open", "public", "token"]


def _template(name: str) -> Template:
    return Template((resources.files(__package__) / name).read_text(encoding="utf-8"))


_CHAT = _template("chat.html")
_DOCS = _template("docs.html")


def chat_page(name: str, greeting: str, path: str, access: Access = "open") -> bytes:
    """A tenant's chat page.

    Its URLs are relative, so they hold behind any proxy; and since browsers resolve those against
    the last slash, they depend on whether the page was asked for with one at its end.

    Args:
        name: of the tenant, as text.
        greeting: how its assistant greets, as text.
        path: the page's own path as it was asked for.
        access: how it gets in: as it is, by a session of anybody's, or by a token that it is given.
    """
    last = path.rpartition("/")[2]
    root = f"./{last}/" if last else "./"
    return _CHAT.substitute(
        name=escape(name), greeting=escape(greeting), root=escape(root), access=access
    ).encode()


def docs_page(path: str) -> bytes:
    """The page that shows the OpenAPI document.

    Args:
        path: the page's own path as it was asked for.
    """
    return _DOCS.substitute(root="../" if path.endswith("/") else "./").encode()


def headers(framed_by: Collection[str] = ()) -> Mapping[str, str]:
    """What a page's browser is told.

    Args:
        framed_by: the origins whose pages may show this one in a frame.
    """
    ancestors = " ".join(sorted(framed_by)) or "'none'"
    policy = (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
        "img-src 'self' data:; base-uri 'none'; form-action 'none'; "
        f"frame-ancestors {ancestors}"
    )
    return {
        "Content-Security-Policy": policy,
        "Referrer-Policy": "no-referrer",
        "Cache-Control": "no-cache",
        "Vary": "Accept",
    }
