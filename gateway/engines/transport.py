"""HTTP to upstreams: one aiohttp session for all tenants, its limits, and its errors as ours."""

import asyncio
import io
import ipaddress
import ssl
from collections.abc import Mapping
from typing import Self
from urllib.request import (  # type: ignore[attr-defined]  # typeshed lacks the second
    getproxies_environment,
    proxy_bypass_environment,
)

import aiohttp
import attrs
from yarl import URL

from gateway.engines.errors import Cause, EngineError

# aiohttp warns of larger bodies as bytes, which it would write without letting others run.
_MOST_BYTES_AT_ONCE = 2**20
_MOST_REFUSAL_BYTES = 2**16
_SUCCESS = 2  # the first digit of a status


@attrs.frozen
class Limits:
    """What an upstream may take.

    Args:
        connect_seconds: for a connection: name, TCP and TLS.
        stream_head_seconds: from the request to the response head of a stream.
        whole_head_seconds: the same of an unstreamed answer, whose head comes once it is made.
        idle_seconds: between two pieces of a body.
        release_seconds: how long a body may go on after all that mattered of it has come.
        refusal_seconds: for the body of an error.
        body_bytes: of an unstreamed answer.
        connections: at the same time; 0 is no bound, since admission bounds the runs.
        keepalive_seconds: how long a connection waits for its next request.
    """

    connect_seconds: float = 5
    stream_head_seconds: float = 60
    whole_head_seconds: float = 120
    idle_seconds: float = 60
    release_seconds: float = 2
    refusal_seconds: float = 5
    body_bytes: int = 32 * 1024 * 1024
    connections: int = 0
    keepalive_seconds: float = 30


@attrs.define
class Exchange:
    """A response whose head has come."""

    _response: aiohttp.ClientResponse
    _limits: Limits
    _closed: bool = attrs.field(init=False, default=False)
    _failure: EngineError | None = attrs.field(init=False, default=None)

    def __attrs_post_init__(self) -> None:
        self._limit_silence()

    @property
    def status(self) -> int:
        """The HTTP status."""
        return self._response.status

    @property
    def is_success(self) -> bool:
        """Whether the status is 2xx."""
        return self._response.status // 100 == _SUCCESS

    @property
    def headers(self) -> Mapping[str, str]:
        """The response's headers, by name in any case."""
        return self._response.headers

    async def read(self) -> bytes:
        """All that has arrived, or what arrives next; empty at the end.

        Raises:
            EngineError: the body broke or fell silent. What came before was returned first.
        """
        if self._failure is not None:
            raise self._failure
        try:
            return await self._response.content.readany()
        except (aiohttp.ClientError, OSError) as error:
            if self._closed:
                return b""
            self._failure = _failure_of_body(error)
        # aiohttp forgets what had arrived when the failure overtakes the reader.
        left = self._response.content._read_nowait(-1)  # noqa: SLF001 - there is no public way
        self.close()
        return left or await self.read()

    async def read_whole(self) -> bytes:
        """The body to its end.

        Raises:
            EngineError: it broke, fell silent or is larger than ``body_bytes``.
        """
        pieces = []
        size = 0
        while piece := await self.read():
            pieces.append(piece)
            size += len(piece)
            if size > self._limits.body_bytes:
                self.close()
                raise EngineError(Cause.BROKEN, self.status, detail=f"more than {size} bytes")
        return b"".join(pieces)

    async def read_refusal(self) -> bytes:
        """As much of an error's body as comes soon; then the connection is let go of."""
        pieces = []
        size = 0
        try:
            async with asyncio.timeout(self._limits.refusal_seconds):
                while size < _MOST_REFUSAL_BYTES and (piece := await self.read()):
                    pieces.append(piece)
                    size += len(piece)
        except (EngineError, TimeoutError):
            pass  # the status says enough
        finally:
            self.close()
        return b"".join(pieces)

    def release(self) -> None:
        """Nothing more is wanted: once the body ends, its connection serves other requests."""
        if self._response.closed or self._closed:
            return
        self._closed = True
        loop = asyncio.get_running_loop()
        timer = loop.call_later(self._limits.release_seconds, self._response.close)
        self._response.content.on_eof(timer.cancel)

    def close(self) -> None:
        """Let go of the connection now, unless it was released."""
        if not self._closed:
            self._closed = True
            self._response.close()

    def _limit_silence(self) -> None:
        """From here on the idle limit counts, not the head's."""
        connection = self._response.connection
        if connection is not None and connection.protocol is not None:
            connection.protocol.read_timeout = self._limits.idle_seconds
            connection.protocol.start_timeout()


class Transport:
    """The session; ``async with Transport()``.

    Args:
        proxies: by scheme, and ``no`` for hosts that go without; read from the environment
            (``HTTPS_PROXY``, ``NO_PROXY``) when it is opened, unless given.
    """

    _session: aiohttp.ClientSession

    def __init__(self, limits: Limits | None = None, proxies: dict[str, str] | None = None) -> None:
        self._limits = limits or Limits()
        self._proxies = proxies
        self._timeouts = {
            stream: aiohttp.ClientTimeout(connect=self._limits.connect_seconds, sock_read=seconds)
            for stream, seconds in (
                (True, self._limits.stream_head_seconds),
                (False, self._limits.whole_head_seconds),
            )
        }

    @property
    def limits(self) -> Limits:
        """The limits of every call."""
        return self._limits

    async def __aenter__(self) -> Self:
        if self._proxies is None:
            self._proxies = getproxies_environment()
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
                proxy=self._proxy(url) if self._proxies else None,
                timeout=self._timeouts[stream],
            )
        except (aiohttp.ClientError, OSError, ValueError) as error:
            # Not chained: aiohttp's errors carry the request, and with it the credential.
            raise _failure_to_answer(error) from None
        return Exchange(response, self._limits)

    def _proxy(self, url: str) -> str | None:
        """The proxy for a URL.

        Not left to aiohttp: its ``trust_env`` costs two thread hops a request and reads ``.netrc``.
        """
        proxies = self._proxies or {}
        target = URL(url)
        host = target.host or ""
        if _is_loopback(host) or proxy_bypass_environment(target.authority, proxies):
            return None
        return proxies.get(target.scheme) or proxies.get("all")


def _trust() -> ssl.SSLContext:
    """The system's certificates, or those of ``SSL_CERT_FILE`` as it is now."""
    context = ssl.create_default_context()
    context.set_alpn_protocols(["http/1.1"])
    return context


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _failure_to_answer(error: Exception) -> EngineError:
    cause, retryable = next(
        (cause, retryable) for kinds, cause, retryable in _FAILURES if isinstance(error, kinds)
    )
    return EngineError(cause, detail=_describe(error), retryable=retryable)


def _failure_of_body(error: Exception) -> EngineError:
    cause = Cause.TIMED_OUT if isinstance(error, TimeoutError) else Cause.BROKEN
    return EngineError(cause, detail=_describe(error))


def _describe(error: Exception) -> str:
    """What went wrong; what the upstream sent is not quoted, since it may echo the credential."""
    name = type(error).__name__
    return f"{name}: {error}"[:500] if isinstance(error, OSError) else name


# The first line that fits. Whatever the upstream may already be working on for long, such as an
# answer whose head is late, is not asked for twice.
_FAILURES: tuple[tuple[tuple[type[Exception], ...], Cause, bool], ...] = (
    ((aiohttp.ConnectionTimeoutError,), Cause.TIMED_OUT, True),
    ((TimeoutError,), Cause.TIMED_OUT, False),
    (
        (aiohttp.ClientConnectorCertificateError, aiohttp.ClientConnectorSSLError),
        Cause.UNAVAILABLE,
        False,
    ),
    (
        (aiohttp.ClientHttpProxyError, aiohttp.ServerDisconnectedError, OSError),
        Cause.UNAVAILABLE,
        True,
    ),
    ((aiohttp.InvalidURL, aiohttp.NonHttpUrlClientError), Cause.UNAVAILABLE, False),
    ((ValueError,), Cause.UNAUTHORIZED, False),  # a credential that no header can carry
    ((Exception,), Cause.BROKEN, False),
)
