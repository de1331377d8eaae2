"""Documents of identity providers: small, soon, and never from inside the operator's network."""

import asyncio
from collections.abc import Set as AbstractSet
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import msgspec
from aiohttp.abc import AbstractResolver, ResolveResult

from gateway.engines.proxies import Proxies
from tenants.addresses import is_private, upstream_fault

_SECONDS = 5.0
_MOST_BYTES = 256 * 1024


class FetchError(Exception):
    """A document could not be had; its text says why, for operators."""


class PublicResolver(AbstractResolver):
    """Resolves names, and keeps those addresses that may be talked to.

    A name that is public by its spelling may still lead inside.

    Args:
        private_hosts: may lead anywhere: what the operator lists, and the operator's own proxies.
    """

    def __init__(self, private_hosts: AbstractSet[str]) -> None:
        self._private_hosts = private_hosts
        self._resolver = aiohttp.ThreadedResolver()

    async def resolve(self, host: str, port: int = 0, family: Any = 0) -> list[ResolveResult]:  # noqa: ANN401 - the library's own type is an enumeration or 0
        """See aiohttp."""
        found = await self._resolver.resolve(host, port, family)
        if host in self._private_hosts:
            return found
        public = [each for each in found if not is_private(each["host"])]
        if not public:
            raise OSError(f"{host} is not a public address")
        return public

    async def close(self) -> None:
        """See aiohttp."""
        await self._resolver.close()


class Fetcher:
    """Fetches JSON documents; its session is made at the first one.

    Args:
        private_hosts: hosts, or ``host:port``, that may be private or plain http.
        proxies: those of the environment, unless given.
    """

    def __init__(self, private_hosts: AbstractSet[str], proxies: Proxies | None = None) -> None:
        self._private_hosts = private_hosts
        self._proxies = proxies or Proxies.from_environment()
        self._session: aiohttp.ClientSession | None = None

    async def close(self) -> None:
        """Let go of connections."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def document(self, url: str) -> dict[str, Any]:
        """The JSON object at a URL.

        Raises:
            FetchError: it cannot be had, or is none.
        """
        if fault := upstream_fault(url, self._private_hosts):
            raise FetchError(f"{url}: {fault}")
        try:
            async with asyncio.timeout(_SECONDS):
                body = await self._get(url)
            return msgspec.json.decode(body, type=dict[str, Any])
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise FetchError(f"{url}: {type(error).__name__}: {error}") from None

    async def _get(self, url: str) -> bytes:
        session = self._session = self._session or self._opened()
        proxy = self._proxies.before(url)
        async with session.get(url, allow_redirects=False, proxy=proxy) as response:
            if response.status != 200:  # noqa: PLR2004 - RFC 9110
                raise FetchError(f"{url}: it answered with status {response.status}")
            body = await response.content.read(_MOST_BYTES + 1)
            while not response.content.at_eof() and len(body) <= _MOST_BYTES:
                body += await response.content.read(_MOST_BYTES + 1 - len(body))
        if len(body) > _MOST_BYTES:
            raise FetchError(f"{url}: it is longer than {_MOST_BYTES} bytes")
        return body

    def _opened(self) -> aiohttp.ClientSession:
        listed = {urlsplit(f"//{each}").hostname or each for each in self._private_hosts}
        through = {urlsplit(proxy).hostname or "" for proxy in self._proxies.by_scheme.values()}
        return aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=16, resolver=PublicResolver(listed | through)),
            cookie_jar=aiohttp.DummyCookieJar(),
            headers={"User-Agent": "assistant-gateway", "Accept": "application/json"},
        )
