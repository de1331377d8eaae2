"""The operator's API over tenants' keys, and when they were last used."""

import time

import aiohttp
import pytest

from gateway.http.door.key_uses import KeyUses
from gateway.store.errors import StoreUnavailableError
from tenants.context import TenantContext
from tenants.registry import layout
from tenants.registry.objects import NEW
from tenants.registry.stored import StoredKey, StoredKeys
from tenants.registry.stored_json import encode
from tests.fakes.admin_client import AdminClient
from tests.fakes.gateway import serving
from tests.fakes.tenants import until

pytest_plugins = ("tests.fakes.admin_fixtures",)

KEYS = "/tenants/acme/keys"
ON_DISK = pytest.mark.parametrize("place", ["directory"], indirect=True)


@pytest.fixture
def enters(http, operated):
    """Whether a key opens the tenant's start."""

    async def ask(key):
        headers = {"Authorization": f"Bearer {key}"}
        async with http.get(f"{operated.url}/t/acme/start", headers=headers) as answer:
            return answer.status == 200

    return ask


async def in_force(ask, key, expected):
    """Wait until a change of keys is."""
    while await ask(key) is not expected:
        pass


async def test_keys_from_issue_to_revocation(admin, enters):
    """Told once, listed without themselves, rotated with an overlap, dead when revoked."""
    await admin.create()

    issued = await admin.post(KEYS, 201, scope="chat history", note="web")
    await in_force(enters, issued["key"], expected=True)
    rotated = await admin.post(f"{KEYS}/{issued['id']}/rotate", 201, overlap_seconds=600)
    await in_force(enters, rotated["key"], expected=True)
    assert await enters(issued["key"])
    revoked = await admin.delete(f"{KEYS}/{issued['id']}")
    again = await admin.delete(f"{KEYS}/{issued['id']}")
    await in_force(enters, issued["key"], expected=False)
    assert await enters(rotated["key"])

    listing = await admin.ask("GET", KEYS)
    assert [(each["state"], each["scope"], each["note"]) for each in listing.json["data"]] == [
        ("revoked", "chat history", "web"),
        ("live", "chat history", "web"),
    ]
    assert listing.json["data"][0]["expires_at"] - time.time() < 601
    assert revoked["revoked_at"] == again["revoked_at"]
    assert listing.headers["cache-control"] == "no-store"
    assert issued["key"] not in listing.text
    assert rotated["key"] not in listing.text
    entries = (await admin.get("/tenants/acme/audit"))["data"]
    assert [each["action"] for each in entries] == [
        *("keys.revoke", "keys.rotate", "keys.issue", "publish"),
    ]


@ON_DISK
async def test_keys_that_cannot_be_are_refused(admin):
    """Dead ones, unknown ones, unknown scopes, one too many."""
    await admin.create()
    issued = await admin.post(KEYS, 201)

    past = await admin.post(KEYS, 400, expires_at=int(time.time()) - 1)
    first = await admin.ask(
        "POST",
        "/tenants",
        json={"id": "globex", "files": {}, "key": {"expires_at": 1}},
    )
    await admin.post(KEYS, 400, scope="everything")
    await admin.post(KEYS, 400, scope="chat,history")
    await admin.post(f"{KEYS}/key_unknown/rotate", 404)
    await admin.delete(f"{KEYS}/key_unknown", 404)
    await admin.delete(f"{KEYS}/{issued['id']}")
    await admin.post(f"{KEYS}/{issued['id']}/rotate", 404)

    assert past["errors"] == [{"field": "expires_at", "message": "This must be in the future."}]
    assert first.status == 400
    assert len((await admin.get(KEYS))["data"]) == 1


@ON_DISK
async def test_a_key_is_revoked_though_the_store_is_away(admin, operated, monkeypatch):
    """What is done is not called refused, because its last use is not known."""
    await admin.create()
    key = await admin.post(KEYS, 201)

    async def away(*_):
        raise StoreUnavailableError("away")

    monkeypatch.setattr(operated.app._store, "key_uses", away)
    revoked = await admin.delete(f"{KEYS}/{key['id']}")
    problem = await admin.get(KEYS, 503)

    assert (revoked["state"], revoked["last_used_at"]) == ("revoked", None)
    assert problem["type"] == "urn:agw:store-unavailable"


@ON_DISK
async def test_a_key_that_gateways_could_not_be_told_of_is_not_lost(admin, tmp_path):
    """It is in force within minutes, and its text is in no other place."""
    await admin.create()
    feed = tmp_path / "tenants" / "changes.json"
    feed.unlink()
    feed.mkdir()

    unheard = await admin.post(KEYS, 201)
    feed.rmdir()
    heard = await admin.post(f"{KEYS}/{unheard['id']}/rotate", 201)

    assert unheard["key"].startswith("agw_acme_")
    assert (unheard["announced"], heard["announced"]) == (False, True)


@ON_DISK
async def test_the_last_use_of_a_key_is_told_and_survives_a_restart(admin_environ):
    """At once in the process that saw it, and written when that stops; refused ones are no use."""
    before = int(time.time())
    async with serving(admin_environ) as first, aiohttp.ClientSession() as http:
        admin = AdminClient(http, first.url)
        await admin.create()
        used, unused = [await admin.post(KEYS, 201) for _ in range(2)]
        await first.app._registry.load("acme")
        while (await _status(http, first, used["key"])) != 200:
            pass
        await _status(http, first, used["key"][:-1] + "x")
        told = await _last_used(admin)
    async with serving(admin_environ) as second, aiohttp.ClientSession() as http:
        kept = await _last_used(AdminClient(http, second.url))

    assert told == kept
    assert before <= told[used["id"]] <= time.time()
    assert told[unused["id"]] is None


async def _status(http, gateway, key):
    async with http.get(f"{gateway.url}/t/acme/start", headers={"X-API-Key": key}) as answer:
        return answer.status


async def _last_used(admin):
    return {each["id"]: each["last_used_at"] for each in (await admin.get(KEYS))["data"]}


class Rows:
    """A store of uses that may be away.

    Attributes:
        writes: what was written at each time.
        meanwhile: what happens while it writes.
    """

    def __init__(self):
        self.away = False
        self.meanwhile = lambda: None
        self.writes = []

    async def note_key_uses(self, uses):
        """See ``Tenants``."""
        self.meanwhile()
        if self.away:
            raise StoreUnavailableError("away")
        self.writes.append(dict(uses))

    async def key_uses(self, _tenant):
        """See ``Tenants``."""
        return {"key_old": 1, "key_1": 1}


@ON_DISK
async def test_who_has_too_many_keys_is_told_what_to_do(admin, place):
    """A hundred live ones are enough for anybody who rotates them."""
    await admin.create()
    live = (StoredKey(f"key_{n}", f"{n:064x}", "chat", created_at=1) for n in range(100))
    place.objects.write(layout.keys("acme"), encode(StoredKeys(tuple(live))), expected=NEW)

    problem = await admin.post(KEYS, 409)

    assert problem["type"] == "urn:agw:too-many-keys"
    assert problem["detail"] == "It has 100 live keys: revoke those that nobody uses."


async def test_uses_are_written_together_and_not_lost_while_the_store_is_away():
    """One write for all keys; what could not be written comes with the next, the newest of each."""
    rows = Rows()
    uses = KeyUses(rows)

    uses.note("acme", "key_1", 10.9)
    uses.note("globex", "key_2", 11)
    rows.away = True
    await uses.flush()
    uses.note("acme", "key_1", 20)
    rows.away = False
    await uses.flush()
    await uses.flush()

    assert rows.writes == [{("acme", "key_1"): 20, ("globex", "key_2"): 11}]


async def test_what_is_not_written_yet_is_told_and_can_be_forgotten():
    """The newest of what the store and the process know, of this tenant alone."""
    uses = KeyUses(Rows())
    uses.note("acme", "key_1", 10.9)
    uses.note("globex", "key_2", 11)
    acme = TenantContext("acme", "corr-1")

    assert await uses.last(acme) == {"key_old": 1, "key_1": 10}
    uses.forget("acme")
    assert await uses.last(acme) == {"key_old": 1, "key_1": 1}


async def test_what_is_forgotten_while_it_is_written_is_not_written_later():
    """A tenant that is deleted just then is not remembered by the next write."""
    rows = Rows()
    uses = KeyUses(rows)
    uses.note("acme", "key_1", 10)
    uses.note("globex", "key_2", 11)

    rows.away, rows.meanwhile = True, lambda: uses.forget("acme")
    await uses.flush()
    rows.away, rows.meanwhile = False, lambda: uses.note("globex", "key_2", 12)
    await uses.flush()
    await uses.flush()

    assert rows.writes == [{("globex", "key_2"): 11}, {("globex", "key_2"): 12}]


async def test_uses_are_written_every_so_often():
    """Without anybody asking, and once more at the end."""
    rows = Rows()
    uses = KeyUses(rows, seconds=0.01)

    uses.note("acme", "key_1", 10)
    async with uses.followed():
        await until(lambda: rows.writes)
        uses.note("acme", "key_1", 20)

    assert rows.writes[-1] == {("acme", "key_1"): 20}
