"""A client that asks one tenant with one credential."""

import aiohttp
import attrs

SECRET = "planted-session-secret-" + "x" * 64


@attrs.frozen
class Client:
    """Asks one tenant with one credential.

    Args:
        tenant: None: names none.
        headers: that carry the credential.
    """

    session: aiohttp.ClientSession
    tenant: str | None = "acme"
    headers: dict[str, str] = attrs.field(factory=dict)

    async def ask(self, method, path, **options):
        """One request: status and JSON."""
        headers = self.headers | options.pop("headers", {})
        async with self.open(method, path, headers=headers, **options) as answer:
            return answer.status, await answer.json(content_type=None)

    def open(self, method, path, **options):
        """One request, not read yet."""
        url = path if self.tenant is None else f"/t/{self.tenant}{path}"
        options["headers"] = self.headers | options.get("headers", {})
        return self.session.request(method, url, **options)

    def socket(self, path="/ws/chat", **options):
        """A WebSocket."""
        options["headers"] = self.headers | options.get("headers", {})
        return self.session.ws_connect(f"/t/{self.tenant}{path}", **options)

    def using(self, credential):
        """The same with another credential: a key, a token, or None for none at all."""
        text = getattr(credential, "text", credential)
        headers = {} if text is None else {"Authorization": f"Bearer {text}"}
        return attrs.evolve(self, headers=headers)

    def of(self, tenant):
        """The same of another tenant."""
        return attrs.evolve(self, tenant=tenant)

    async def say(self, message="Hello", thread_id=None, **options):
        """A turn over JSON that is answered with 200."""
        body = {"message": message, "thread_id": thread_id}
        status, answer = await self.ask("POST", "/chat", json=body, **options)
        assert status == 200, answer
        return answer

    async def session_of(self, user, **wanted):
        """A session token of a user."""
        status, answer = await self.ask("POST", "/sessions", json={"user": user, **wanted})
        assert status == 201, answer
        return answer["token"]
