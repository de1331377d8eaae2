"""What a credential opens, and for how long."""

import hashlib
from typing import Literal, TypeAlias

import attrs

from tenants.compiled import CompiledTenant, TokenIssuer
from tenants.keys import SCOPES, Scope

Source: TypeAlias = Literal["nobody", "open", "key", "session", "public", "identity"]
EVERYTHING = frozenset(SCOPES)
OF_A_USER: frozenset[Scope] = frozenset({"chat", "history"})
ANONYMOUS = "anonymous_"
"""What the name of a user begins with who has none."""


@attrs.frozen
class Grant:
    """What a credential opens within one tenant.

    Args:
        source: what it rests on: no credential where one is needed (``nobody``) or where none is
            (``open``), an API key, a session that a key issued, one of a public chat, or a token of
            the tenant's own identity provider.
        key_id: of the key, or of the one that issued the session.
        user: to whose threads it is kept; None: all of the tenant's.
        thread_id: the one thread that it is kept to.
        origin: the one origin whose pages may use it.
        expires_at: Unix seconds from which on it opens nothing.
        issuer: of the identity provider's token.
    """

    source: Source
    scopes: frozenset[Scope] = EVERYTHING
    key_id: str | None = None
    user: str | None = None
    thread_id: str | None = None
    origin: str | None = None
    expires_at: int | None = None
    issuer: TokenIssuer | None = None

    @property
    def of_a_program(self) -> bool:
        """Whether it speaks for the tenant, and not for one end user."""
        return self.source in {"open", "key"} and self.user is None

    def expired(self, now: float) -> bool:
        """Whether its time is up at this Unix time."""
        return self.expires_at is not None and now >= self.expires_at

    def stands(self, tenant: CompiledTenant, now: float) -> bool:
        """Whether it still opens anything, as the tenant is now."""
        if self.expired(now):
            return False
        match self.source:
            case "key" | "session":
                return self.key_id is not None and tenant.keys.alive(self.key_id, now)
            case "public":  # where keys are not required, nobody's sessions may have names
                return tenant.public_chat and (self.user or "").startswith(ANONYMOUS)
            case "identity":
                return tenant.token_issuer == self.issuer
            case _:
                return True

    @property
    def fingerprint(self) -> str:
        """What keeps its idempotency keys apart from others' within the tenant."""
        if self.key_id is None and self.user is None:
            return ""
        said = f"{self.source}\0{self.key_id}\0{self.user}"
        return hashlib.sha256(said.encode()).hexdigest()


OPEN = Grant("open")
"""Where keys are not required, and none is there."""
NOBODY = Grant("nobody", scopes=frozenset())
"""Where keys are required, and none is there."""
