"""What a credential opens: API keys, session tokens, end users' own tokens."""

import time
from collections.abc import Callable
from typing import TypeAlias

import attrs
import structlog

from gateway.http.door.credentials import KEY, Presented
from gateway.http.door.grants import NOBODY, OF_A_USER, OPEN, Grant, Source
from gateway.http.errors import CredentialRefusedError, SeveralCredentialsError
from gateway.identity.errors import TokenRefusedError
from gateway.identity.ports import EndUserTokens, SessionTokens
from tenants import keys
from tenants.compiled import CompiledTenant, TokenIssuer

_log = structlog.get_logger(__name__)

OnKey: TypeAlias = Callable[[str, str, float], None]
"""Told of each key that is accepted: its tenant's id, its own, and the Unix time."""


@attrs.frozen
class Checker:
    """Judges credentials.

    Args:
        sessions: None: there are no session tokens.
        require_keys: whether a request without a credential is nobody's. Where it is not, bearers
            that are none of ours are ignored: SDKs insist on sending something.
        clock: Unix time in seconds.
        on_key: notes that a key was used.
    """

    sessions: SessionTokens | None
    end_users: EndUserTokens
    require_keys: bool
    clock: Callable[[], float] = time.time
    on_key: OnKey = lambda _tenant_id, _key_id, _now: None

    def tenant_of(self, credentials: Presented) -> str | None:
        """The tenant that the credentials name, not checked yet."""
        if not credentials.ours:
            return None
        text = credentials.ours[0]
        if text.startswith(KEY):
            return keys.tenant_of(text)
        return None if self.sessions is None else self.sessions.tenant_of(text)

    async def check(self, tenant: CompiledTenant, credentials: Presented) -> Grant:
        """What these credentials open.

        Raises:
            SeveralCredentialsError: there are two different ones that might count.
            CredentialRefusedError: there is one, and it opens nothing here.
            IssuerUnavailableError: the issuer's keys cannot be had now.
        """
        if len(credentials.ours) > 1:
            raise SeveralCredentialsError
        if credentials.ours:
            text = credentials.ours[0]
            return self._key(tenant, text) if text.startswith(KEY) else self._session(tenant, text)
        if not self.require_keys:
            return OPEN
        if not credentials.others:
            return NOBODY
        if tenant.token_issuer is None or not credentials.tokens:
            raise CredentialRefusedError
        if len(credentials.tokens) > 1:
            raise SeveralCredentialsError
        return await self._end_user(tenant, tenant.token_issuer, credentials.tokens[0])

    def _key(self, tenant: CompiledTenant, text: str) -> Grant:
        now = self.clock()
        key = tenant.keys.find(text, now)
        if key is None:
            raise CredentialRefusedError
        self.on_key(tenant.tenant_id, key.id, now)
        return Grant("key", key.scopes, key.id, expires_at=key.ends_at)

    def _session(self, tenant: CompiledTenant, text: str) -> Grant:
        if self.sessions is None:
            raise CredentialRefusedError
        try:
            claims = self.sessions.read(text)
        except TokenRefusedError:
            raise CredentialRefusedError from None
        without_key: Source = "public" if self.require_keys else "open"
        grant = Grant(
            "session" if claims.key_id is not None else without_key,
            OF_A_USER,
            claims.key_id,
            claims.user,
            claims.thread_id,
            claims.origin,
            claims.expires_at,
        )
        if claims.tenant_id != tenant.tenant_id or not grant.stands(tenant, self.clock()):
            raise CredentialRefusedError
        return grant

    async def _end_user(self, tenant: CompiledTenant, issuer: TokenIssuer, text: str) -> Grant:
        try:
            found = await self.end_users.read(text, issuer)
        except TokenRefusedError as error:
            _log.info("token_refused", tenant_id=tenant.tenant_id, reason=error.reason)
            raise CredentialRefusedError from None
        return Grant(
            "identity", OF_A_USER, user=found.user, expires_at=found.expires_at, issuer=issuer
        )
