"""The credentials that a request brings, wherever it carries them."""

import base64
import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import parse_qsl

import attrs

from gateway.http.entrance import entrance
from tenants import keys

KEY = keys.PREFIX
SESSION = "ags_"
_DOTS_OF_A_JWT = 2
# Browsers can set no headers for an EventSource and a WebSocket.
_TOKEN_IN_QUERY = re.compile(r"/ws/chat|/stream|/runs/[^/]+/events")


@attrs.frozen
class Presented:
    """What a request brings.

    Args:
        ours: its API keys and session tokens, each once.
        others: its other bearers, which may be end users' own tokens, or nothing.
    """

    ours: tuple[str, ...] = attrs.field(default=(), repr=False)
    others: tuple[str, ...] = attrs.field(default=(), repr=False)

    @property
    def tokens(self) -> tuple[str, ...]:
        """Those of the others that have the form of a signed JWT (RFC 7515, section 7.1)."""
        return tuple(text for text in self.others if text.count(".") == _DOTS_OF_A_JWT)


NOTHING = Presented()


def presented(scope: Mapping[str, Any]) -> Presented:
    """The credentials of a connection."""
    found = entrance(scope).credentials
    if not found and b"token=" not in scope["query_string"]:
        return NOTHING
    texts = dict.fromkeys((*_of_headers(found), *_of_query(scope)))
    ours = tuple(text for text in texts if text.startswith((KEY, SESSION)))
    return Presented(ours, tuple(text for text in texts if text and text not in ours))


def _of_headers(headers: tuple[tuple[bytes, bytes], ...]) -> Iterator[str]:
    for name, value in headers:
        if name == b"x-api-key":
            yield value.decode("latin-1").strip()
            continue
        scheme, _, rest = value.decode("latin-1").strip().partition(" ")
        match scheme.lower():
            case "bearer":
                yield rest.strip()
            case "basic":
                yield _password(rest.strip())


def _password(encoded: str) -> str:
    """Of HTTP's Basic scheme (RFC 7617); empty where it cannot be read."""
    try:
        return base64.b64decode(encoded, validate=True).decode().partition(":")[2]
    except ValueError:
        return ""


def _of_query(scope: Mapping[str, Any]) -> Iterator[str]:
    """Tokens alone: an API key lives too long for a place that is written into logs."""
    if _TOKEN_IN_QUERY.fullmatch(scope["path"]) is None:
        return
    for name, text in parse_qsl(scope["query_string"].decode("latin-1")):
        if name == "token" and not text.startswith(KEY):
            yield text
