"""One HTTP request and its JSON answer, for commands that ask a server something small."""

import http.client
import ssl
from collections.abc import Mapping
from typing import Any, TypeVar
from urllib.error import HTTPError, URLError
from urllib.request import HTTPRedirectHandler, Request, build_opener

import attrs
import msgspec

from tenants.cli.errors import CliError

T = TypeVar("T")
_LARGEST_BYTES = 32 * 1_048_576
_TIMEOUT_SECONDS = 30.0


@attrs.frozen
class UnansweredError(CliError):
    """A server did not give an answer that makes sense.

    Args:
        url: that was asked.
        why: in a few words.
    """

    url: str
    why: str

    def __str__(self) -> str:
        return f"{self.url} gave no answer that can be used: {self.why}."


@attrs.frozen
class AnsweredError(CliError):
    """A server answered that it will not.

    Args:
        status: of HTTP.
        detail: the server's own words, where it has some for people.
    """

    url: str
    status: int
    detail: str

    def __str__(self) -> str:
        return f"{self.url} answered {self.status}: {self.detail or 'without a reason'}"


class _NoRedirects(HTTPRedirectHandler):
    """A credential goes to the address that was named, and to no other."""

    def redirect_request(self, *_: Any) -> None:  # noqa: ANN401  (urllib's)
        return None


def ask(kind: type[T], method: str, url: str, headers: Mapping[str, str]) -> T:
    """Ask a server, through the proxy that the environment names, if any.

    Args:
        kind: of the answer's JSON.
        method: of HTTP.
        url: http or https.
        headers: to send.

    Raises:
        AnsweredError: it will not.
        UnansweredError: nothing answers, or something that makes no sense.
    """
    request = Request(url, method=method, headers=dict(headers))  # noqa: S310  (options take http and https alone)
    try:
        with build_opener(_NoRedirects).open(request, timeout=_TIMEOUT_SECONDS) as answer:
            return msgspec.json.decode(answer.read(_LARGEST_BYTES), type=kind)
    except HTTPError as error:
        with error:
            raise AnsweredError(url, error.code, _detail(error.read(_LARGEST_BYTES))) from None
    except URLError as error:
        raise UnansweredError(url, str(error.reason)) from None
    except (OSError, http.client.HTTPException, ssl.SSLError, ValueError) as error:
        raise UnansweredError(url, str(error) or type(error).__name__) from None


class _Problem(msgspec.Struct):
    detail: str = ""


def _detail(body: bytes) -> str:
    try:
        return msgspec.json.decode(body, type=_Problem).detail
    except msgspec.DecodeError:
        return ""
