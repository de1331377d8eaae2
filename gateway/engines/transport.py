"""HTTP to upstreams: one aiohttp session for all tenants."""

import io
import ssl
from collections.abc import Mapping
from typing import Self

import aiohttp

from gateway.engines.exchange import Exchange, Limits
from gateway.engines.failures import failure_to_answer
from gateway.engines.proxies import Proxies

# aiohttp warns of larger bodies as bytes, which it would write without letting others run.
_MOST_BYTES_AT_ONCE = 2**20


class Transport:
    """The session; ``async with Transport()``.

    Args:
        proxies: those of the environment, unless given.
    """

    _session: aiohttp.ClientSession

    def __init__(self, limits: Limits | None = None, proxies: Proxies | None = None) -> None:
        self._limits = limits or Limits()
        self._proxies = proxies or Proxies.from_environment()
        self._timeouts = {
            stream: aiohttp.ClientTimeout(connect=self._limits.connect_seconds, sock_read=seconds)
            for stream, seconds in (
                (True, self._limits.stream_head_seconds),
                (False, self._limits.whole_head_seconds),
            )
        }

    async def __aenter__(self) -> Self:
        connector = aiohttp.TCPConnector(
            limit=self._limits.connections,
            keepalive_timeout=self._limits.keepalive_seconds,
            ttl_dns_cache=60,
            ssl=_trust(),
        )
        self._session = aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            headers={"User-Agent": "assistant-gateway", "Accept-Encoding": "identity"},
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._session.close()

    async def send(
        self, url: str, headers: Mapping[str, str], body: bytes, *, stream: bool
    ) -> Exchange:
        """POST a body and wait for the response head, whatever its status.

        Args:
            url: the whole of it.
            headers: the call's own, beside the session's.
            body: JSON.
            stream: which limit the wait has.

        Raises:
            EngineError: no response head came.
        """
        try:
            response = await self._session.post(
                url,
                data=body if len(body) <= _MOST_BYTES_AT_ONCE else io.BytesIO(body),
                headers=headers,
                allow_redirects=False,
                proxy=self._proxies.before(url),
                timeout=self._timeouts[stream],
            )
        except (aiohttp.ClientError, OSError, ValueError) as error:
            # Not chained: aiohttp's errors carry the request, and with it the credential.
            raise failure_to_answer(error) from None
        return Exchange(response, self._limits)


def _trust() -> ssl.SSLContext:
    """The system's certificates, or those of ``SSL_CERT_FILE`` as it is now."""
    context = ssl.create_default_context()
    context.set_alpn_protocols(["http/1.1"])
    return context
