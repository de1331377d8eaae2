"""Calls of Google's Secret Manager: one connection, bounded in number and time, errors as ours."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Any, TypeVar

import google.auth
import grpc  # type: ignore[import-untyped]  # grpcio brings no types
from google.api_core import exceptions as refusals
from google.api_core.retry_async import AsyncRetry, if_exception_type
from google.auth.exceptions import GoogleAuthError
from google.cloud.secretmanager_v1 import SecretManagerServiceAsyncClient as Client
from google.cloud.secretmanager_v1.services.secret_manager_service.transports import (
    SecretManagerServiceGrpcAsyncIOTransport as Transport,
)

from tenants.errors import SecretsUnavailableError

T = TypeVar("T")

CONCURRENT = 32  # over 1,000 calls at once, some were cancelled
DEADLINE_SECONDS = 5.0
PASSING = AsyncRetry(
    predicate=if_exception_type(refusals.ServiceUnavailable, refusals.ResourceExhausted),
    initial=0.1,
    maximum=0.5,
    timeout=2.0,
)
"""What passes within two seconds is no fault; the library's own first wait is as long."""

_SCOPES = ("https://www.googleapis.com/auth/cloud-platform",)
_CHANNEL_OPTIONS = (("grpc.max_reconnect_backoff_ms", 5000),)
_FAILURES = (refusals.GoogleAPIError, GoogleAuthError, TimeoutError)
# The first line that fits says what an operator can do about it.
_REMEDIES: tuple[tuple[type[Exception], str], ...] = (
    (
        refusals.PermissionDenied,
        "refuses these credentials. Grant them roles/secretmanager.secretAccessor on the project",
    ),
    (refusals.Unauthenticated, "does not accept these credentials. Give it others"),
    (
        GoogleAuthError,
        "cannot be asked without credentials. Set GOOGLE_APPLICATION_CREDENTIALS",
    ),
    (refusals.ResourceExhausted, "was asked too often. Raise the project's quota"),
    (refusals.ServiceUnavailable, "does not answer. Look at the way there, or wait"),
    (refusals.DeadlineExceeded, "does not answer in time. Look at the way there, or wait"),
    (TimeoutError, "does not answer in time. Look at the way there, or wait"),
    (refusals.NotFound, "has no such project or secret. Name another"),
    (Exception, "does not do what it is asked"),
)


class SecretManagerCalls:
    """Makes calls for one project; connects at the first of them.

    Args:
        project: its id or number.
        emulator: ``host:port`` of a server without encryption and credentials, in Google's place.
        deadline_seconds: for one call, with waiting for a place among the others.
    """

    def __init__(self, project: str, emulator: str | None, deadline_seconds: float) -> None:
        self.project = f"projects/{project}"
        self._emulator = emulator
        self._deadline_seconds = deadline_seconds
        self._places = asyncio.Semaphore(CONCURRENT)
        self._connecting = asyncio.Lock()
        self._client: Client | None = None

    async def ask(
        self,
        call: Callable[[Client], Awaitable[T]],
        expected: tuple[type[refusals.GoogleAPICallError], ...] = (),
    ) -> T:
        """Make a call.

        Args:
            call: what to ask.
            expected: Google's errors that say something of what was asked for, and nothing of
                the store; they are raised as they are.

        Raises:
            SecretsUnavailableError: no good answer came in time.
        """
        try:
            async with asyncio.timeout(self._deadline_seconds), self._places:
                return await call(self._client or await self._connect())
        except expected:
            raise
        except _FAILURES as error:
            raise self._unavailable(error) from None

    def _unavailable(self, error: Exception) -> SecretsUnavailableError:
        """Google's error as ours."""
        if isinstance(error, refusals.RetryError) and error.cause is not None:
            error = error.cause
        remedy = next(words for kind, words in _REMEDIES if isinstance(error, kind))
        said = f" ({type(error).__name__}: {error})"[:300] if str(error) else ""
        return SecretsUnavailableError(f"Secret Manager of {self.project} {remedy}{said}")

    async def close(self) -> None:
        """Close the connection, if there is one."""
        if self._client is not None:
            await self._client.transport.close()  # type: ignore[no-untyped-call]  # the library's
            self._client = None

    async def _connect(self) -> Client:
        async with self._connecting:
            if self._client is None:
                # At DEBUG it is told of whole answers, values included.
                logging.getLogger(Transport.__module__).setLevel(logging.INFO)
                self._client = await self._connected()
            return self._client

    async def _connected(self) -> Client:
        if self._emulator:
            channel = grpc.aio.insecure_channel(self._emulator, _CHANNEL_OPTIONS)
            return Client(transport=Transport(channel=channel))
        # It reads files and asks the machine's metadata server.
        credentials, _ = await asyncio.to_thread(google.auth.default, scopes=_SCOPES)
        return Client(credentials=credentials, transport=partial(Transport, channel=_channel))


def _channel(*args: Any, options: Sequence[tuple[str, Any]] = (), **rest: Any) -> grpc.aio.Channel:  # noqa: ANN401  (the library's own, passed on)
    return Transport.create_channel(*args, options=[*options, *_CHANNEL_OPTIONS], **rest)
