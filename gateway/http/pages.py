"""The pages' routes: files, and the API's documentation."""

from typing import Any

from litestar import Request, get
from litestar.exceptions import NotFoundException
from litestar.params import FromPath
from litestar.types import ASGIApp

from gateway.http.entrance import entrance
from gateway.http.reply import Reply
from gateway.pages.assets import ASSETS
from gateway.pages.html import HTML, docs_page, headers

AnyRequest = Request[Any, Any, Any]


@get("/pages/{name:str}", include_in_schema=False, sync_to_thread=False)
def asset(request: AnyRequest, name: FromPath[str]) -> ASGIApp:
    """A file of the pages; browsers keep it, and ask whether it has changed."""
    found = ASSETS.get(name)
    if found is None:
        raise NotFoundException
    fields = {"ETag": found.etag, "Cache-Control": "no-cache"}
    if found.etag in request.headers.get("if-none-match", ""):
        return Reply(304, headers=fields)
    return Reply(200, found.body, found.content_type, fields)


@get("/docs", sync_to_thread=False)
def docs(request: AnyRequest) -> ASGIApp:
    """The API's documentation as a page."""
    return Reply(200, docs_page(entrance(request.scope).path), HTML, headers())
