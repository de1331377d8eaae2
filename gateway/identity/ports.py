"""What the door asks of tokens: sessions of ours, and end users' own from a tenant's issuer."""

from typing import Protocol

import attrs

from tenants.compiled import TokenIssuer


@attrs.frozen
class SessionClaims:
    """What a session token says.

    Args:
        user: the end user whom it is for.
        expires_at: Unix seconds from which on it is dead.
        key_id: the API key that issued it; None: nobody's, as of a public chat.
        thread_id: the one thread that it is for; None: all of the user's.
        origin: the one origin whose pages may use it; None: any that the tenant allows.
    """

    tenant_id: str
    user: str
    expires_at: int
    key_id: str | None = None
    thread_id: str | None = None
    origin: str | None = None


@attrs.frozen
class EndUser:
    """Whom a tenant's issuer has signed a token for.

    Args:
        user: the token's ``sub``.
        expires_at: Unix seconds from which on it is dead, leeway included.
    """

    user: str
    expires_at: int


class SessionTokens(Protocol):
    """Signs and reads session tokens."""

    def sign(self, claims: SessionClaims) -> str:
        """A token."""
        ...

    def read(self, token: str) -> SessionClaims:
        """What a token says, whether it has expired or not.

        Raises:
            TokenRefusedError: it was not signed by us.
        """
        ...

    def tenant_of(self, token: str) -> str | None:
        """The tenant that a token names, not verified; None where it names none."""
        ...


class EndUserTokens(Protocol):
    """Checks the tokens of a tenant's own identity provider."""

    async def read(self, token: str, issuer: TokenIssuer) -> EndUser:
        """Whom a token is for.

        Raises:
            TokenRefusedError: it is not one of this issuer's for this audience, or not valid now.
            IssuerUnavailableError: the issuer's keys cannot be had now.
        """
        ...
