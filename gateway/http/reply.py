"""A whole answer as an ASGI application, for handlers that choose between kinds of answers."""

from collections.abc import Mapping

import attrs
from litestar.types import Receive, Scope, Send

from gateway.http.entrance import entrance

JSON = "application/json"


@attrs.frozen
class Reply:
    """Status, headers and body, sent as they are."""

    status: int
    body: bytes = b""
    content_type: str | None = None
    headers: Mapping[str, str] = attrs.field(factory=dict)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 - ASGI
        """Send it."""
        headers = [(name.lower().encode(), value.encode()) for name, value in self.headers.items()]
        headers.append((b"content-length", str(len(self.body)).encode()))
        if self.content_type is not None:
            headers.append((b"content-type", self.content_type.encode()))
        entrance(scope).hold_head()
        await send({"type": "http.response.start", "status": self.status, "headers": headers})
        await send({"type": "http.response.body", "body": self.body, "more_body": False})
