"""Where a call goes, worked out once a URL."""

import base64
from urllib.parse import SplitResult, quote, unquote, urlsplit

import attrs

from gateway.engines.errors import Cause, EngineError
from gateway.engines.proxies import Proxies

_PORTS = {"http": 80, "https": 443}
_AS_IT_IS = "%/:?#[]@!$&'()*+,;=~"
_FIXED = "User-Agent: assistant-gateway\r\nAccept-Encoding: identity\r\n"


@attrs.frozen
class Peer:
    """Whom a connection is made to.

    Args:
        secure: whether it speaks TLS.
    """

    host: str
    port: int
    secure: bool

    def authority(self, *, whole: bool) -> str:
        """As in a URL; a port that goes without saying is left out, unless it is the ``whole``."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        usual = self.port == _PORTS["https" if self.secure else "http"]
        return host if usual and not whole else f"{host}:{self.port}"


@attrs.frozen(eq=False)
class Target:
    """A URL to post to.

    Args:
        place: what it has in common with all that the same connections serve.
        peer: who answers.
        opening: the head of a request as far as every call has the same.
        proxy: who stands before it.
        tunnel: asks the proxy for a way to a peer that speaks TLS; empty where that is not needed.
    """

    place: str
    peer: Peer
    opening: bytes
    proxy: Peer | None = None
    tunnel: bytes = b""


def target_of(url: str, proxies: Proxies) -> Target:
    """Read a URL.

    Raises:
        EngineError: UNAVAILABLE; it is none that can be called.
    """
    parts, peer = _read(url)
    path = quote(parts._replace(scheme="", netloc="", fragment="").geturl() or "/", safe=_AS_IT_IS)
    authority = peer.authority(whole=False)
    opening = f"POST {path} HTTP/1.1\r\nHost: {authority}\r\n{_FIXED}"
    place = f"{parts.scheme}://{peer.authority(whole=True)}"
    before = proxies.before(url)
    if before is None:
        return Target(place, peer, opening.encode())
    proxy_parts, proxy = _read(before)
    access = _access(proxy_parts)
    if peer.secure:
        way = peer.authority(whole=True)
        tunnel = f"CONNECT {way} HTTP/1.1\r\nHost: {way}\r\n{access}\r\n"
        return Target(place, peer, opening.encode(), proxy, tunnel.encode())
    opening = f"POST http://{authority}{path} HTTP/1.1\r\nHost: {authority}\r\n{_FIXED}{access}"
    return Target(place, peer, opening.encode(), proxy)


def _read(url: str) -> tuple[SplitResult, Peer]:
    try:
        parts = urlsplit(url)
        port = parts.port or _PORTS[parts.scheme]
        host = _ascii(parts.hostname or "")
    except (ValueError, KeyError):
        host = ""
    if not host:
        raise EngineError(Cause.UNAVAILABLE, detail="no URL of http or https")
    return parts, Peer(host, port, parts.scheme == "https")


def _ascii(host: str) -> str:
    return host if host.isascii() else host.encode("idna").decode()


def _access(proxy: SplitResult) -> str:
    """The header by which a proxy knows us, where its URL names a user."""
    if proxy.username is None:
        return ""
    pair = f"{unquote(proxy.username)}:{unquote(proxy.password or '')}"
    return f"Proxy-Authorization: Basic {base64.b64encode(pair.encode()).decode()}\r\n"
