"""End users' own tokens: JWTs (RFC 7519) of the identity provider that their tenant names."""

import time
from collections.abc import Callable
from collections.abc import Set as AbstractSet
from typing import Any

from gateway.identity.errors import TokenRefusedError
from gateway.identity.fetching import Fetcher
from gateway.identity.issuer_keys import IssuerKeys, KeyTimes
from gateway.identity.ports import EndUser
from tenants.compiled import TokenIssuer

ALGORITHMS = ("RS256", "ES256", "EdDSA")
LEEWAY_SECONDS = 300  # Clocks of others may be that far off.
_LONGEST_USER = 255  # characters (OpenID Connect Core, section 2)
_LONGEST_TOKEN = 8192


class IssuedTokens:
    """See ``gateway.identity.ports.EndUserTokens``.

    Args:
        private_hosts: hosts, or ``host:port``, of identity providers that may be private or plain
            http.
        clock: Unix time in seconds.
    """

    def __init__(
        self,
        private_hosts: AbstractSet[str] = frozenset(),
        times: KeyTimes | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._fetcher = Fetcher(private_hosts)
        self._keys = IssuerKeys(self._fetcher.document, times)
        self._clock = clock

    async def close(self) -> None:
        """Let go of connections."""
        await self._fetcher.close()

    async def read(self, token: str, issuer: TokenIssuer) -> EndUser:
        """Whom a token is for.

        Raises:
            TokenRefusedError: it is not one of this issuer's for this audience, or not valid now.
            IssuerUnavailableError: the issuer's keys cannot be had now.
        """
        import jwt  # noqa: PLC0415 - where no issuer is used, it is not loaded

        if len(token) > _LONGEST_TOKEN:
            raise TokenRefusedError("it is too long")
        try:
            head = jwt.get_unverified_header(token)
            algorithm, key_id = _named(head)
            key = await self._keys.find(issuer.issuer, key_id, algorithm)
            claims = jwt.decode(
                token,
                key,
                algorithms=[algorithm],
                audience=issuer.audience,
                issuer=issuer.issuer,
                options={
                    "require": ["exp", "sub", "iss", "aud"],
                    "verify_exp": False,  # by the clock below
                    "verify_nbf": False,
                    "verify_iat": False,
                },
            )
        except jwt.PyJWTError as error:
            raise TokenRefusedError(type(error).__name__) from None
        return _user(claims, self._clock())


def _named(head: dict[str, Any]) -> tuple[str, str | None]:
    """The algorithm and the key that a token's header names."""
    algorithm, key_id = head.get("alg"), head.get("kid")
    if algorithm not in ALGORITHMS or "crit" in head:
        raise TokenRefusedError(f"its algorithm is none of {', '.join(ALGORITHMS)}")
    return str(algorithm), None if key_id is None else str(key_id)


def _user(claims: dict[str, Any], now: float) -> EndUser:
    expires_at = _time(claims, "exp") + LEEWAY_SECONDS
    if now >= expires_at:
        raise TokenRefusedError("it has expired")
    if "nbf" in claims and now < _time(claims, "nbf") - LEEWAY_SECONDS:
        raise TokenRefusedError("it is not valid yet")
    user = claims["sub"]
    if not isinstance(user, str) or not 0 < len(user) <= _LONGEST_USER or not user.isprintable():
        raise TokenRefusedError("its subject is not 1 to 255 printable characters")
    return EndUser(user, expires_at)


def _time(claims: dict[str, Any], name: str) -> int:
    value = claims[name]
    # Written so that it holds for what is no number at all, which JSON's readers take as one.
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) <= 2**53:
        raise TokenRefusedError(f"its {name} is no time")
    return int(value)
