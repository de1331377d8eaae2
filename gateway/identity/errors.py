"""What can go wrong with a token."""

import attrs


class IdentityError(Exception):
    """Root of this package's errors."""


@attrs.frozen
class TokenRefusedError(IdentityError):
    """The token is not one that opens anything.

    Args:
        reason: for the log; never a part of the token.
    """

    reason: str


@attrs.frozen
class IssuerUnavailableError(IdentityError):
    """The issuer's keys cannot be had now, so its tokens cannot be checked.

    Args:
        issuer: its URL.
        detail: why, for operators.
    """

    issuer: str
    detail: str
