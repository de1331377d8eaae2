"""The fixtures of a gateway that demands keys, for ``pytest_plugins``."""

import aiohttp
import attrs
import pytest

from tests.fakes.api_keys import KeyFile
from tests.fakes.gateway import serving, write_tenant
from tests.fakes.simulator import RecordingSimulator

SECRET = "planted-session-secret-" + "x" * 32


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


@pytest.fixture
async def upstream():
    """The simulator."""
    async with RecordingSimulator() as simulator:
        yield simulator


@pytest.fixture
def root(tmp_path):
    """A registry of two tenants."""
    write_tenant(tmp_path / "tenants", "acme", instructions="You are Acme.")
    write_tenant(tmp_path / "tenants", "globex", instructions="You are Globex.")
    return tmp_path / "tenants"


@pytest.fixture
def locked_environ(tmp_path, root, upstream):
    """The variables of a gateway that demands keys."""
    return {
        "GATEWAY_TENANTS": f"dir:{root}",
        "GATEWAY_STORE": f"sqlite:{tmp_path / 'gateway.db'}",
        "GATEWAY_REQUIRE_KEYS": "true",
        "GATEWAY_SESSION_SECRET": SECRET,
        "OPENAI_BASE_URL": upstream.base_url,
        "OPENAI_API_KEY": "sk-operator-planted",
    }


@pytest.fixture
async def locked(locked_environ):
    """A running gateway."""
    async with serving(locked_environ) as running:
        yield running


@pytest.fixture
def keys(root, locked):
    """The keys of ``acme``."""
    return KeyFile(root, "acme", locked)


@pytest.fixture
def their_keys(root, locked):
    """The keys of ``globex``."""
    return KeyFile(root, "globex", locked)


@pytest.fixture
async def client(locked):
    """A client of ``acme`` without a credential."""
    async with aiohttp.ClientSession(locked.url) as session:
        yield Client(session)
