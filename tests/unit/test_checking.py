"""What a credential opens, and until which moment."""

import attrs
import pytest

from gateway.http.door.checking import Checker
from gateway.http.door.credentials import Presented
from gateway.http.errors import CredentialRefusedError
from gateway.identity.ports import SessionClaims
from gateway.identity.session_tokens import SignedSessions
from tenants import keys
from tenants.keys import ApiKey, Keyring, digest_of, new_key
from tests.fakes.tenants import compile_directory, write_tenant

ENDS_AT = 1_800_000_000
KEY = new_key("acme")
SESSIONS = SignedSessions(["s" * 32])
ENDLESS = ApiKey("key_1", digest_of(KEY), frozenset({"chat"}), 0)
ENDING = attrs.evolve(ENDLESS, expires_at=ENDS_AT)
TOKEN = SESSIONS.sign(SessionClaims("acme", "ada", ENDS_AT, "key_1"))
LONGER = SESSIONS.sign(SessionClaims("acme", "ada", ENDS_AT + 3600, "key_1"))


@pytest.fixture
def tenant(tmp_path):
    """A compiled tenant with these keys."""
    compiled = compile_directory(write_tenant(tmp_path))
    return lambda *keys: attrs.evolve(compiled, keys=Keyring(keys))


def checker(now):
    """One that demands keys, at this Unix time."""
    return Checker(SESSIONS, None, require_keys=True, clock=lambda: now)


@pytest.mark.parametrize(
    ("text", "key"),
    [
        pytest.param(KEY, ENDING, id="key"),
        pytest.param(TOKEN, ENDLESS, id="session"),
        pytest.param(LONGER, ENDING, id="session that would outlive its key"),
    ],
)
async def test_a_credential_ends_at_its_second(tenant, text, key):
    """It opens until the last moment before, and nothing from the second on; when held open too."""
    acme = tenant(key)
    grant = await checker(ENDS_AT - 0.001).check(acme, Presented((text,)))

    assert grant.stands(acme, ENDS_AT - 0.001)
    assert not grant.stands(acme, ENDS_AT)
    for now in (ENDS_AT, ENDS_AT + 0.5, ENDS_AT + 10**6):
        with pytest.raises(CredentialRefusedError):
            await checker(now).check(acme, Presented((text,)))


@pytest.mark.parametrize("text", [KEY, TOKEN])
async def test_a_credential_ends_when_its_key_is_taken_away(tenant, text):
    """Whatever time it has left, it opens nothing once the tenant has that key no longer."""
    acme, without = tenant(ENDLESS), tenant(attrs.evolve(ENDLESS, id="key_2", sha256="0" * 64))
    grant = await checker(0).check(acme, Presented((text,)))

    assert not grant.stands(without, 0)
    with pytest.raises(CredentialRefusedError):
        await checker(0).check(without, Presented((text,)))


@pytest.mark.parametrize("wrong", ["agw_x", KEY[:-1], new_key("acme"), new_key("globex")])
async def test_a_wrong_key_is_compared_with_every_key(tenant, wrong, monkeypatch):
    """Whatever it names and however wrong it is, a key costs what a right one costs."""
    ring = [attrs.evolve(ENDLESS, id=f"key_{n}", sha256=f"{n}" * 64) for n in range(5)]
    acme, compared = tenant(ENDLESS, *ring), []
    compare = keys.hmac.compare_digest

    def counted(*texts):
        compared.append(texts)
        return compare(*texts)

    monkeypatch.setattr(keys.hmac, "compare_digest", counted)
    await checker(0).check(acme, Presented((KEY,)))
    of_a_right_one = len(compared)
    with pytest.raises(CredentialRefusedError):
        await checker(0).check(acme, Presented((wrong,)))

    assert (of_a_right_one, len(compared)) == (6, 12)
