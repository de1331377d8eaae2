"""Which upstream addresses and which origins a tenant may name."""

import ipaddress
import re
from collections.abc import Set as AbstractSet
from urllib.parse import SplitResult, urlsplit

_VISIBLE = re.compile(r"[!-~]+")
_HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?\.?")
_PRIVATE_SUFFIXES = (".localhost", ".local", ".internal", ".lan", ".home.arpa", ".svc")
_DEFAULT_PORTS = {"http": 80, "https": 443}


def upstream_fault(url: str, private_upstreams: AbstractSet[str]) -> str | None:
    """What keeps this from being a URL that the gateway calls: an upstream's, a token issuer's.

    Args:
        url: what a document names.
        private_upstreams: hosts, or ``host:port``, that may be private or plain http.

    Returns:
        A sentence, or None where nothing does.
    """
    parts = _split(url)
    if parts is None or not parts.hostname:
        return "this is not a URL: write https, a host, and its path"
    if parts.username is not None or parts.query or parts.fragment or "?" in url or "#" in url:
        return "this URL may have no user, password, query or fragment: remove them"
    if parts.hostname in private_upstreams or parts.netloc.lower() in private_upstreams:
        return None
    if parts.scheme != "https":
        return f"use https, or list {parts.hostname} in GATEWAY_PRIVATE_UPSTREAMS"
    if is_private(parts.hostname):
        return f"{parts.hostname} is not a public address: list it in GATEWAY_PRIVATE_UPSTREAMS"
    return None


def origin_fault(origin: str) -> str | None:
    """What keeps this from being an origin as browsers send it (RFC 6454, section 6.2)."""
    parts = _split(origin)
    if parts is None or not parts.hostname:
        return "an origin is scheme and host, such as https://acme.example; there is no wildcard"
    port = "" if parts.port in {None, _DEFAULT_PORTS[parts.scheme]} else f":{parts.port}"
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    written = f"{parts.scheme}://{host}{port}"
    return None if origin == written else f'browsers send this origin as "{written}": write that'


def is_private(host: str) -> bool:
    """Whether a host is by its own spelling not one of the public internet.

    Names are judged again when they are resolved; this sees what needs no resolver: addresses in
    every spelling that resolvers take (``127.1``, ``0x7f000001``), and names without a domain.
    """
    host = host.rstrip(".").lower()
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return _is_private_name(host)
    mapped = getattr(address, "ipv4_mapped", None)
    return not (mapped or address).is_global


def _is_private_name(host: str) -> bool:
    last = host.rpartition(".")[2]
    numeric = last.isdigit() or last.startswith("0x")
    return numeric or "." not in host or host.endswith(_PRIVATE_SUFFIXES)


def _split(url: str) -> SplitResult | None:
    if not _VISIBLE.fullmatch(url) or "\\" in url:
        return None
    try:
        parts = urlsplit(url)
        ok = parts.port != 0 and parts.scheme in _DEFAULT_PORTS and _is_host(parts.hostname or "")
    except ValueError:
        return None
    return parts if ok else None


def _is_host(host: str) -> bool:
    return ":" in host or _HOST.fullmatch(host) is not None
