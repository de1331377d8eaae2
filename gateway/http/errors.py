"""What keeps a request from its answer."""

from typing import Self

import attrs

from gateway.runs.lifecycle import RunCreated, RunEnded


class RequestError(Exception):
    """Root of this package's errors."""


@attrs.frozen
class BadInputError(RequestError):
    """The input cannot be used.

    Args:
        faults: everything that is wrong, each a field's path and a sentence; the path is empty
            where the whole body is meant.
    """

    faults: tuple[tuple[str, str], ...]

    @classmethod
    def of(cls, field: str, message: str) -> Self:
        """With one fault."""
        return cls(((field, message),))


@attrs.frozen
class UnsupportedMediaTypeError(RequestError):
    """The body is not JSON."""


@attrs.frozen
class TenantRequiredError(RequestError):
    """The request names no tenant, and the gateway has no default."""


@attrs.frozen
class TenantMismatchError(RequestError):
    """The request names two tenants."""


@attrs.frozen
class CredentialRefusedError(RequestError):
    """The request has no credential that opens this tenant.

    One error for all of it: no credential, an unknown one, another tenant's, an expired one.
    """


@attrs.frozen
class OperatorRefusedError(RequestError):
    """The request has no key that opens the operator's API."""


@attrs.frozen
class SeveralCredentialsError(RequestError):
    """The request has two different credentials of ours."""


@attrs.frozen
class InsufficientScopeError(RequestError):
    """The credential is a good one, and does not open this route.

    Args:
        scope: what it lacks.
    """

    scope: str


@attrs.frozen
class OriginNotAllowedError(RequestError):
    """The request comes from a web page of an origin that the tenant does not list."""


@attrs.frozen
class TooManyAttemptsError(RequestError):
    """Too many attempts came from the client's address.

    Args:
        retry_after_seconds: until the next one is looked at.
    """

    retry_after_seconds: float


@attrs.frozen
class ThreadBoundError(RequestError):
    """A session that is for one thread asked to start another."""


@attrs.frozen
class SessionsOffError(RequestError):
    """The operator has set no secret that sessions could be signed with."""


@attrs.frozen
class RunUnsuccessfulError(RequestError):
    """The run that answers a JSON request ended without an answer."""

    head: RunCreated
    ending: RunEnded
