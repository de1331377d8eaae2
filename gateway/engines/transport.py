"""HTTP to upstreams: the connections of all tenants, kept for the next call."""

import re
import ssl
from collections.abc import Mapping
from functools import lru_cache, partial
from typing import Self

from gateway.engines.connecting import Connector
from gateway.engines.errors import Cause, EngineError
from gateway.engines.exchange import Exchange, Limits
from gateway.engines.pool import Pool
from gateway.engines.proxies import Proxies
from gateway.engines.targets import Target, target_of

_MOST_TARGETS = 4096
_NO_FIELD_VALUE = re.compile(r"[^\t\x20-\x7e\x80-\xff]")


class Transport:
    """``async with Transport()``.

    Args:
        proxies: those of the environment, unless given.
    """

    _connector: Connector

    def __init__(self, limits: Limits | None = None, proxies: Proxies | None = None) -> None:
        self._limits = limits or Limits()
        self._pool = Pool(self._limits)
        read = partial(target_of, proxies=proxies or Proxies.from_environment())
        self._target = lru_cache(_MOST_TARGETS)(read)

    async def __aenter__(self) -> Self:
        self._connector = Connector(_trust(), self._limits.connect_seconds)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._pool.close()

    async def send(
        self, url: str, headers: Mapping[str, str], body: bytes, *, stream: bool
    ) -> Exchange:
        """POST a body and wait for the response head, whatever its status.

        Args:
            url: the whole of it.
            headers: the call's own, beside the transport's.
            body: JSON.
            stream: which limit the wait has.

        Raises:
            EngineError: no response head came.
        """
        limits, target = self._limits, self._target(url)
        request = _request(target, headers, body)
        connection = self._pool.take(target.place)
        if connection is None:
            connection = await self._connector.connect(
                target, partial(self._pool.make, target.place)
            )
        exchange = Exchange(limits)
        seconds = limits.stream_head_seconds if stream else limits.whole_head_seconds
        connection.ask(exchange, request, seconds)
        try:
            await exchange.head()
        except BaseException:
            exchange.close()
            raise
        return exchange


def _request(target: Target, headers: Mapping[str, str], body: bytes) -> bytes:
    """All of it: what is written at once leaves in one call of the system."""
    if _NO_FIELD_VALUE.search("".join(headers.values())) is not None:
        raise EngineError(Cause.UNAUTHORIZED, detail="a credential that no header can carry")
    fields = "".join([f"{name}: {value}\r\n" for name, value in headers.items()])
    length = f"Content-Length: {len(body)}\r\n\r\n"
    return b"".join((target.opening, fields.encode("latin-1"), length.encode(), body))


def _trust() -> ssl.SSLContext:
    """The system's certificates, or those of ``SSL_CERT_FILE`` as it is now."""
    context = ssl.create_default_context()
    context.set_alpn_protocols(["http/1.1"])
    return context
