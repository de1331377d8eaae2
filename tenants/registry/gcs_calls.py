"""Calls of Google Cloud Storage: one client, tried again within a time, errors as ours."""

import os
import random
import threading
import warnings
from collections.abc import Callable
from typing import TypeVar

import attrs
import google.auth
import requests
import urllib3
from google.api_core import exceptions as refusals
from google.auth.credentials import AnonymousCredentials, Credentials
from google.auth.exceptions import GoogleAuthError, RefreshError, TransportError
from google.auth.transport.requests import AuthorizedSession, Request
from google.cloud.storage import Bucket, Client  # type: ignore[import-untyped]  # it brings no types
from requests.adapters import HTTPAdapter
from tenacity import RetryCallState, Retrying, retry_if_exception_type, stop_before_delay

from tenants.registry.objects import ObjectsUnavailableError

T = TypeVar("T")

# For its traces the library would ask for the bucket's metadata, which takes a role of its own.
_NO_BUCKET_FACTS = "DISABLE_GCS_PYTHON_CLIENT_OTEL_BUCKET_METADATA"
_CONNECTIONS = 64  # as many as a server has threads: one more would be opened and thrown away
_SCOPE = "https://www.googleapis.com/auth/devstorage.read_write"
_FAILURES = (
    refusals.GoogleAPICallError,
    GoogleAuthError,
    requests.RequestException,
    urllib3.exceptions.HTTPError,
    OSError,
)
# The first line that fits says whether it may pass, and what an operator can do about it.
_REMEDIES: tuple[tuple[type[Exception], bool, str], ...] = (
    (
        refusals.Forbidden,
        False,
        "refuses these credentials. Grant them roles/storage.objectViewer, or objectUser to write",
    ),
    (refusals.Unauthorized, False, "does not accept these credentials. Give it others"),
    (refusals.TooManyRequests, True, "was asked too often. Wait"),
    (refusals.ServerError, True, "fails. Look at Google Cloud's status, or wait"),
    (TransportError, True, "cannot be asked, since no token comes. Look at the way there"),
    (RefreshError, False, "cannot be asked, since its credentials have died. Renew them"),
    (
        GoogleAuthError,
        False,
        "cannot be asked without credentials. Set GOOGLE_APPLICATION_CREDENTIALS",
    ),
    (requests.exceptions.InvalidURL, False, "has no such address. Mend STORAGE_EMULATOR_HOST"),
    (requests.exceptions.InvalidSchema, False, "has no such address. Mend STORAGE_EMULATOR_HOST"),
    (requests.exceptions.SSLError, True, "is not whom it says it is. Set SSL_CERT_FILE"),
    (requests.Timeout, True, "does not answer in time. Look at the way there, or wait"),
    (requests.exceptions.JSONDecodeError, True, "sends what is broken. Look at what is between"),
    (requests.RequestException, True, "does not answer. Look at the way there, or wait"),
    (urllib3.exceptions.HTTPError, True, "breaks off. Look at the way there, or wait"),
    (OSError, True, "does not answer. Look at the way there, or wait"),
    (Exception, False, "does not do what it is asked"),
)
# An operator's own login is meant here; on a server there is none.
warnings.filterwarnings("ignore", "Your application has authenticated using end user credentials")


@attrs.frozen
class Patience:
    """How long to go on.

    Args:
        answer_seconds: without a byte from the other side.
        total_seconds: for one call with all its tries; no further one begins after it.
        first_wait_seconds: before the second try, at most; doubled for each further one.
        longest_wait_seconds: what doubling ends at.
    """

    answer_seconds: float = 5.0
    total_seconds: float = 15.0
    first_wait_seconds: float = 0.25
    longest_wait_seconds: float = 4.0


@attrs.frozen
class PassingError(Exception):
    """A try failed, and the next one may not.

    Args:
        words: what the bucket does, and what an operator can do about it.
        after_seconds: when the other side wants to be asked again.
    """

    words: str
    after_seconds: float = 0.0


class GcsCalls:
    """Makes calls for one bucket; connects at the first of them.

    Args:
        bucket: its name.
        emulator: a server without credentials in Google's place, such as ``http://localhost:4443``.
        patience: how long to go on.
    """

    def __init__(self, bucket: str, emulator: str | None, patience: Patience) -> None:
        self._bucket = bucket
        self.patience = patience
        self._emulator = emulator
        self._connecting = threading.Lock()
        self._connected: tuple[Bucket, requests.Session] | None = None

    def ask(
        self,
        call: Callable[[Bucket, requests.Session], T],
        *answers: type[refusals.GoogleAPICallError],
    ) -> T:
        """Make a call, and make it again where it may go better.

        Args:
            call: one try, with the bucket and the session that it is asked over; must bear
                repeating.
            answers: Google's errors that are answers to this call, and raised as they are, beside
                ``NotFound``.

        Raises:
            NotFound: Google's: what was asked for is not there.
            ObjectsUnavailableError: no good answer came in time.
        """
        tries = Retrying(
            retry=retry_if_exception_type(PassingError),
            wait=self._wait,
            stop=stop_before_delay(self.patience.total_seconds),
            reraise=True,
        )
        try:
            return tries.wraps(self._try)(call, (refusals.NotFound, *answers))
        except PassingError as error:
            raise self.unavailable(error.words) from None

    def unavailable(self, words: str) -> ObjectsUnavailableError:
        """What an operator is told.

        Args:
            words: what the bucket does, and what can be done about it.
        """
        return ObjectsUnavailableError(f"the bucket {self._bucket} {words}")

    def _try(
        self, call: Callable[[Bucket, requests.Session], T], answers: tuple[type[Exception], ...]
    ) -> T:
        try:
            return call(*(self._connected or self._connect()))
        except answers:
            raise
        except _FAILURES as error:
            found = _kind(error)
            passes, words = next(rest for kind, *rest in _REMEDIES if issubclass(found, kind))
            words = f"{words} ({type(error).__name__}: {_innermost(error)})"[:400]
            if passes:
                raise PassingError(words, _asked_to_wait(error)) from None
            raise self.unavailable(words) from None

    def _wait(self, state: RetryCallState) -> float:
        """Some of a doubled wait by chance, so that those who failed together part."""
        error = state.outcome.exception() if state.outcome else None
        asked = error.after_seconds if isinstance(error, PassingError) else 0.0
        doubled = self.patience.first_wait_seconds * 2.0 ** (state.attempt_number - 1)
        return asked + random.uniform(0.5, 1) * min(doubled, self.patience.longest_wait_seconds)  # noqa: S311  (no secret)

    def _connect(self) -> tuple[Bucket, requests.Session]:
        with self._connecting:
            if self._connected is None:
                os.environ.setdefault(_NO_BUCKET_FACTS, "true")
                session = _session(self._credentials())
                options = {"api_endpoint": self._emulator} if self._emulator else None
                client = Client(None, session.credentials, session, client_options=options)
                _use_proxies(session, client.api_endpoint)
                self._connected = client.bucket(self._bucket), session
            return self._connected

    def _credentials(self) -> Credentials:
        if self._emulator:
            return AnonymousCredentials()  # type: ignore[no-untyped-call]  # the library's
        credentials, _ = google.auth.default(scopes=[_SCOPE])
        return credentials


def _session(credentials: Credentials) -> AuthorizedSession:
    """A session for many threads; it and the one for its tokens trust ``SSL_CERT_FILE``."""
    tokens = requests.Session()
    session: AuthorizedSession = AuthorizedSession(credentials, auth_request=Request(tokens))  # type: ignore[no-untyped-call]  # the library's
    session.mount("https://", HTTPAdapter(pool_maxsize=_CONNECTIONS))
    session.mount("http://", HTTPAdapter(pool_maxsize=_CONNECTIONS))
    session.verify = tokens.verify = os.environ.get("SSL_CERT_FILE") or True
    return session


def _use_proxies(session: requests.Session, address: str) -> None:
    """Read the environment's proxies once; for each request anew it is a fifth of the cost."""
    session.trust_env = False
    session.proxies = dict(requests.utils.get_environ_proxies(address))


def _innermost(error: BaseException) -> BaseException:
    """What failed first: a connection's errors come wrapped in others, which tell the URL."""
    within = getattr(error, "reason", None) or next(iter(error.args), None)
    return _innermost(within) if isinstance(within, BaseException) else error


def _kind(error: Exception) -> type[Exception]:
    """Its class, or a better one where Google's library says by a field what it is."""
    if getattr(error, "code", None) == requests.codes.request_timeout:
        return requests.Timeout
    if isinstance(error, GoogleAuthError) and error.retryable:
        return TransportError
    return type(error)


def _asked_to_wait(error: Exception) -> float:
    """Its ``Retry-After``, in seconds; Google sends no dates there."""
    response = getattr(error, "response", None)
    text = response.headers.get("Retry-After", "") if response is not None else ""
    return float(text) if text.isdecimal() else 0.0
