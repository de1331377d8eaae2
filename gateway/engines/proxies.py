"""Which proxy stands before an upstream."""

import ipaddress
from collections.abc import Mapping
from typing import Self
from urllib.parse import urlsplit
from urllib.request import (  # type: ignore[attr-defined]  # typeshed lacks the second
    getproxies_environment,
    proxy_bypass_environment,
)

import attrs


@attrs.frozen
class Proxies:
    """Proxies as the environment names them.

    Args:
        by_scheme: the proxy's URL by the upstream's scheme; under ``no`` the hosts without one.
    """

    by_scheme: Mapping[str, str]

    @classmethod
    def from_environment(cls) -> Self:
        """``HTTPS_PROXY``, ``HTTP_PROXY``, ``ALL_PROXY`` and ``NO_PROXY``, as they are now."""
        return cls(getproxies_environment())

    def before(self, url: str) -> str | None:
        """The proxy's URL; None for this machine and for hosts that go without."""
        if not self.by_scheme:
            return None
        target = urlsplit(url)
        if _is_loopback(target.hostname or ""):
            return None
        if proxy_bypass_environment(target.netloc.rpartition("@")[2], self.by_scheme):
            return None
        return self.by_scheme.get(target.scheme) or self.by_scheme.get("all")


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
