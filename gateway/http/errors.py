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
class RunUnsuccessfulError(RequestError):
    """The run that answers a JSON request ended without an answer."""

    head: RunCreated
    ending: RunEnded
