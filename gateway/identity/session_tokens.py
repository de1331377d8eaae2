"""Session tokens: ``ags_`` and a compact JWT (RFC 7519), signed by HMAC with SHA-256."""

import base64
from collections.abc import Sequence

import msgspec

from gateway.identity.errors import TokenRefusedError
from gateway.identity.ports import SessionClaims

PREFIX = "ags_"
_ALGORITHM = "HS256"
_LONGEST = 4096  # characters; several times what the longest names make


class _Payload(msgspec.Struct, omit_defaults=True):
    """Short names, since the token rides in URLs; only those of RFC 7519 mean what they say."""

    ten: str
    sub: str
    exp: int
    key: str | None = None
    thr: str | None = None
    org: str | None = None


_decode = msgspec.json.Decoder(_Payload).decode


class SignedSessions:
    """See ``gateway.identity.ports.SessionTokens``.

    Args:
        secrets: the first signs, every one is accepted.
    """

    def __init__(self, secrets: Sequence[str]) -> None:
        self._secrets = tuple(secrets)

    def sign(self, claims: SessionClaims) -> str:
        """A token."""
        import jwt  # noqa: PLC0415 - where no sessions are used, it is not loaded

        payload = _Payload(
            claims.tenant_id,
            claims.user,
            claims.expires_at,
            claims.key_id,
            claims.thread_id,
            claims.origin,
        )
        body = msgspec.json.encode(payload)
        signed = jwt.PyJWS().encode(body, self._secrets[0], _ALGORITHM, headers={"typ": ""})
        return PREFIX + signed

    def read(self, token: str) -> SessionClaims:
        """What a token says, whether it has expired or not.

        Raises:
            TokenRefusedError: it was not signed by us.
        """
        import jwt  # noqa: PLC0415 - as above

        if len(token) > _LONGEST:
            raise TokenRefusedError("it is too long")
        jws = jwt.PyJWS(algorithms=[_ALGORITHM])
        for secret in self._secrets:
            try:
                body = jws.decode(token.removeprefix(PREFIX), secret, [_ALGORITHM])
                return _claims(_decode(body))
            except (jwt.InvalidTokenError, msgspec.MsgspecError, UnicodeError, RecursionError):
                continue
        raise TokenRefusedError("it was not signed by this gateway")

    def tenant_of(self, token: str) -> str | None:
        """The tenant that a token names, not verified; None where it names none."""
        _, _, rest = token[:_LONGEST].partition(".")
        body, _, _ = rest.partition(".")
        try:
            return _decode(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4))).ten
        except (ValueError, RecursionError, msgspec.MsgspecError):
            return None


def _claims(payload: _Payload) -> SessionClaims:
    return SessionClaims(
        payload.ten, payload.sub, payload.exp, payload.key, payload.thr, payload.org
    )
