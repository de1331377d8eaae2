"""The public keys of identity providers, by OpenID Connect Discovery and JWKS (RFC 7517)."""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any

import attrs
import structlog

from gateway.identity.errors import IssuerUnavailableError, TokenRefusedError
from gateway.identity.fetching import FetchError

if TYPE_CHECKING:
    import jwt

_log = structlog.get_logger(__name__)
_DISCOVERY = "/.well-known/openid-configuration"
_ISSUERS = 1000
_LEAST_RSA_BITS = 2048
_MOST_KEYS = 100  # of one issuer; reading each takes a while
# What each kind of key signs with; nothing else is accepted, whatever a token or a key says.
_ALGORITHMS: Mapping[tuple[str, str | None], str] = {
    ("RSA", None): "RS256",
    ("EC", "P-256"): "ES256",
    ("OKP", "Ed25519"): "EdDSA",
}


@attrs.frozen
class KeyTimes:
    """How long keys are believed.

    Args:
        fresh_seconds: until they are asked for again.
        pause_seconds: at least between two requests to one issuer.
    """

    fresh_seconds: float = 3600
    pause_seconds: float = 30


@attrs.frozen
class IssuerKey:
    """One public key.

    Args:
        algorithm: the one that it is used with.
    """

    key_id: str | None
    algorithm: str
    key: "jwt.PyJWK"


@attrs.define(eq=False)
class _Issuer:
    keys: tuple[IssuerKey, ...] | None = None
    fetched_at: float = float("-inf")
    asked_at: float = float("-inf")
    detail: str = ""
    answers: int = 0
    turn: asyncio.Lock = attrs.field(factory=asyncio.Lock)


class IssuerKeys:
    """Keeps the keys of issuers, and asks for them anew when one is missing.

    Args:
        document: fetches the JSON object at a URL; raises ``FetchError``.
        clock: seconds that only rise.
    """

    def __init__(
        self,
        document: Callable[[str], Awaitable[dict[str, Any]]],
        times: KeyTimes | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._document = document
        self._times = times or KeyTimes()
        self._clock = clock
        self._issuers: OrderedDict[str, _Issuer] = OrderedDict()

    async def find(self, issuer: str, key_id: str | None, algorithm: str) -> "jwt.PyJWK":
        """The key that a token names; where it names none, the only one of its algorithm.

        Raises:
            TokenRefusedError: the issuer has no such key.
            IssuerUnavailableError: its keys cannot be had now.
        """
        held = self._held(issuer)
        is_stale = self._clock() - held.fetched_at > self._times.fresh_seconds
        is_known = _matching(held, key_id, algorithm) is not None
        # An issuer that does not answer keeps one request waiting, and not all whose key is known.
        if not is_known or (is_stale and not held.turn.locked()):
            await self._renew(issuer, held)
        if held.keys is None:
            raise IssuerUnavailableError(issuer, held.detail)
        found = _matching(held, key_id, algorithm)
        if found is None:
            raise TokenRefusedError(f"the issuer has no such key for {algorithm}")
        return found.key

    def _held(self, issuer: str) -> _Issuer:
        held = self._issuers.setdefault(issuer, _Issuer())
        self._issuers.move_to_end(issuer)
        if len(self._issuers) > _ISSUERS:
            self._issuers.popitem(last=False)
        return held

    async def _renew(self, issuer: str, held: _Issuer) -> None:
        """Ask for the keys, unless somebody just did; what is known stays where that fails."""
        answers = held.answers
        async with held.turn:
            now = self._clock()
            if answers != held.answers or now - held.asked_at < self._times.pause_seconds:
                return
            held.asked_at = now
            try:
                held.keys = await self._fetched(issuer)
            except FetchError as error:
                held.detail = str(error)
                _log.warning("issuer_keys_not_fetched", issuer=issuer, detail=held.detail)
            else:
                held.fetched_at = now
            held.answers += 1

    async def _fetched(self, issuer: str) -> tuple[IssuerKey, ...]:
        about = await self._document(issuer.rstrip("/") + _DISCOVERY)
        if about.get("issuer") != issuer:
            raise FetchError(f"{issuer}: its discovery document names another issuer")
        place = about.get("jwks_uri")
        if not isinstance(place, str):
            raise FetchError(f"{issuer}: its discovery document has no jwks_uri")
        keys = (await self._document(place)).get("keys")
        if not isinstance(keys, list):
            raise FetchError(f"{place}: it has no list of keys")
        if len(keys) > _MOST_KEYS:
            raise FetchError(f"{place}: it has more than {_MOST_KEYS} keys")
        return tuple(key for each in keys if (key := _usable(each)) is not None)


def _matching(held: _Issuer, key_id: str | None, algorithm: str) -> IssuerKey | None:
    found = [key for key in held.keys or () if key.algorithm == algorithm]
    if key_id is not None:
        found = [key for key in found if key.key_id == key_id]
    return found[0] if len(found) == 1 else None


def _usable(jwk: Any) -> IssuerKey | None:  # noqa: ANN401 - whatever JSON says
    """A key for signatures of a kind that is accepted; others are passed over."""
    import jwt  # noqa: PLC0415 - where no issuer is used, it is not loaded

    if not isinstance(jwk, dict) or jwk.get("use", "sig") != "sig":
        return None
    if "d" in jwk:  # the private half: whoever can read this can sign
        return None
    curve = jwk.get("crv") if jwk.get("kty") != "RSA" else None
    algorithm = _ALGORITHMS.get((str(jwk.get("kty")), curve))
    if algorithm is None or jwk.get("alg", algorithm) != algorithm:
        return None
    try:
        key = jwt.PyJWK(jwk, algorithm)
    except (jwt.PyJWTError, ValueError, TypeError):
        return None
    if algorithm == "RS256" and getattr(key.key, "key_size", 0) < _LEAST_RSA_BITS:
        return None
    key_id = jwk.get("kid")
    return IssuerKey(key_id if isinstance(key_id, str) else None, algorithm, key)
