"""An identity provider of end users: OpenID Connect Discovery, keys, and tokens of any kind."""

import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import jwt
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm

AUDIENCE = "acme-chat"
_MAKERS: dict[str, Callable[[], Any]] = {
    "RS256": lambda: rsa.generate_private_key(public_exponent=65537, key_size=2048),
    "ES256": lambda: ec.generate_private_key(ec.SECP256R1()),
    "EdDSA": ed25519.Ed25519PrivateKey.generate,
}
_WRITERS: dict[str, Any] = {"RS256": RSAAlgorithm, "ES256": ECAlgorithm, "EdDSA": OKPAlgorithm}
Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


class IdentityProvider:
    """Issues tokens, and answers for its keys as it is told.

    Attributes:
        issuer: its URL.
        asked: the paths that were asked for, in order.
        answers: instead of its own, by path.
        claimed_issuer: what its discovery document says; None: the truth.
    """

    def __init__(self) -> None:
        self.issuer = ""
        self.asked: list[str] = []
        self.answers: dict[str, Answer] = {}
        self.claimed_issuer: str | None = None
        self.jwks: list[dict[str, Any]] = []
        self._keys: dict[str, tuple[str, Any]] = {}

    def add_key(self, key_id: str, algorithm: str = "ES256", key: Any = None) -> Any:
        """A new key, published under an id; the private half."""
        key = key or _MAKERS[algorithm]()
        self._keys[key_id] = (algorithm, key)
        public = json.loads(_WRITERS[algorithm].to_jwk(key.public_key()))
        self.jwks.append({**public, "kid": key_id, "use": "sig", "alg": algorithm})
        return key

    def remove_key(self, key_id: str) -> None:
        """Publish a key no longer."""
        self.jwks = [each for each in self.jwks if each["kid"] != key_id]

    def claims(self, **changes: Any) -> dict[str, Any]:
        """The claims of a good token, with changes; None takes a claim away."""
        now = int(time.time())
        good = {
            "iss": self.issuer,
            "aud": AUDIENCE,
            "sub": "ada",
            "iat": now,
            "nbf": now,
            "exp": now + 600,
        }
        return {name: value for name, value in (good | changes).items() if value is not None}

    def token(self, key_id: str = "one", **changes: Any) -> str:
        """A token signed with a key of that id, which it names."""
        algorithm, key = self._keys[key_id]
        return jwt.encode(self.claims(**changes), key, algorithm, headers={"kid": key_id})

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Answer one request."""
        self.asked.append(request.path)
        if (answer := self.answers.get(request.path)) is not None:
            return await answer(request)
        match request.path:
            case "/.well-known/openid-configuration":
                issuer = self.claimed_issuer or self.issuer
                return web.json_response({"issuer": issuer, "jwks_uri": f"{self.issuer}/keys"})
            case "/keys":
                return web.json_response({"keys": self.jwks})
            case _:
                return web.Response(status=404)


@asynccontextmanager
async def identity_provider() -> AsyncIterator[IdentityProvider]:
    """One that serves on a loopback port, with one key."""
    provider = IdentityProvider()
    provider.add_key("one")
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", provider.handle)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    provider.issuer = f"http://127.0.0.1:{port}"
    try:
        yield provider
    finally:
        await runner.cleanup()
