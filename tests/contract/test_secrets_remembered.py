"""Secrets in memory: how long, for how many, and how often the store is asked."""

import asyncio

import pytest

from tenants.errors import SecretMissingError, SecretsUnavailableError
from tenants.model import SecretRef
from tenants.secrets.cached import CachedSecrets, CacheLimits

REF = SecretRef("key")
LIMITS = CacheLimits(
    fresh_seconds=300,
    stale_seconds=600,
    missing_seconds=10,
    away_seconds=5,
    renewal_seconds=5,
    size=3,
    characters=100,
)


class Store:
    """A store that counts, answers when it is let, and may be away.

    Attributes:
        values: by tenant; who is not among them has no secret.
        away: whether it does not answer.
        asked: the tenants that were asked for, in order.
        gate: answers wait for it.
    """

    def __init__(self):
        self.values = {"acme": "one"}
        self.away = False
        self.asked = []
        self.gate = asyncio.Event()
        self.gate.set()

    async def read(self, tenant_id, ref):
        """See ``tenants.ports.SecretStore``."""
        self.asked.append(tenant_id)
        await self.gate.wait()
        if self.away:
            raise SecretsUnavailableError("it is away")
        if tenant_id not in self.values:
            raise SecretMissingError(tenant_id, ref.name)
        return self.values[tenant_id]

    async def reach(self):
        """See ``tenants.ports.SecretStore``."""

    async def close(self):
        """See ``tenants.ports.SecretStore``."""


class Clock:
    """Seconds as a test says."""

    now = 1000.0

    def __call__(self):
        """Such as ``time.monotonic()``."""
        return self.now


@pytest.fixture
def store():
    """A store with acme's secret."""
    return Store()


@pytest.fixture
def clock():
    """A clock that stands."""
    return Clock()


@pytest.fixture
def secrets(store, clock):
    """What is remembered of it."""
    return CachedSecrets(store, LIMITS, clock)


async def started(count, work):
    """So many tasks of the same work, each as far as it comes by itself."""
    tasks = [asyncio.ensure_future(work()) for _ in range(count)]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    return tasks


async def test_value_is_used_until_its_time(secrets, store, clock):
    """The store is asked once, and anew when the time is over."""
    store.values["acme"] = "one"
    await secrets.read("acme", REF)
    store.values["acme"] = "two"

    clock.now += 299.9
    assert await secrets.read("acme", REF) == "one"
    clock.now += 0.1
    assert await secrets.read("acme", REF) == "two"

    assert len(store.asked) == 2


async def test_tenants_and_versions_are_kept_apart(secrets, store):
    """The same name of another tenant, or another version, is another secret."""
    store.values["globex"] = "other"

    assert await secrets.read("acme", REF) == "one"
    assert await secrets.read("globex", REF) == "other"
    store.values["acme"] = "pinned"
    assert await secrets.read("acme", SecretRef("key", "3")) == "pinned"


async def test_thousands_who_come_together_ask_once(secrets, store):
    """All of them get the value that one of them read."""
    store.gate.clear()
    tasks = await started(3000, lambda: secrets.read("acme", REF))

    store.gate.set()

    assert set(await asyncio.gather(*tasks)) == {"one"}
    assert len(store.asked) == 1


async def test_reader_who_leaves_hands_over(secrets, store):
    """A cancelled reader does not take the others with it."""
    store.gate.clear()
    first, *others = await started(3, lambda: secrets.read("acme", REF))

    first.cancel()
    store.gate.set()

    assert await asyncio.gather(*others) == ["one", "one"]
    assert len(store.asked) == 2


async def test_nobody_waits_while_somebody_asks_anew(secrets, store, clock):
    """At the end of its time one reader waits for the store; the others go on with the value."""
    await secrets.read("acme", REF)
    clock.now += 300
    store.gate.clear()
    (asking,) = await started(1, lambda: secrets.read("acme", REF))

    assert await secrets.read("acme", REF) == "one"

    store.values["acme"] = "two"
    store.gate.set()
    assert await asking == "two"
    assert len(store.asked) == 2


async def test_missing_secret_is_remembered_briefly(secrets, store, clock):
    """Runs of a tenant whose secret is missing do not each ask; what is added is soon found."""
    for _ in range(100):
        with pytest.raises(SecretMissingError):
            await secrets.read("globex", REF)
    assert len(store.asked) == 1

    store.values["globex"] = "there"
    clock.now += 10

    assert await secrets.read("globex", REF) == "there"


async def test_secret_that_was_taken_away_is_gone_at_its_time(secrets, store, clock):
    """A store that says that there is none is believed, whatever was known."""
    await secrets.read("acme", REF)
    del store.values["acme"]
    clock.now += 300

    with pytest.raises(SecretMissingError):
        await secrets.read("acme", REF)


async def test_store_that_is_away_leaves_values_for_a_while(secrets, store, clock):
    """Known values go on for ``stale_seconds``, and the store is asked every few seconds."""
    await secrets.read("acme", REF)
    store.away = True
    clock.now += 300

    for _ in range(100):
        assert await secrets.read("acme", REF) == "one"
    assert len(store.asked) == 2
    clock.now += 599
    assert await secrets.read("acme", REF) == "one"
    clock.now += 1
    with pytest.raises(SecretsUnavailableError):
        await secrets.read("acme", REF)


async def test_store_that_is_back_is_heard_at_once(secrets, store, clock):
    """A few seconds after it is back, what it says counts."""
    await secrets.read("acme", REF)
    store.away = True
    clock.now += 300
    await secrets.read("acme", REF)

    store.away, store.values["acme"] = False, "two"
    clock.now += 5

    assert await secrets.read("acme", REF) == "two"


async def test_store_that_was_never_there_is_asked_every_few_seconds(secrets, store, clock):
    """Whoever needs a secret that is not known is told at once that the store is away."""
    store.away = True
    for _ in range(100):
        with pytest.raises(SecretsUnavailableError):
            await secrets.read("acme", REF)
    assert len(store.asked) == 1

    store.away = False
    clock.now += 5

    assert await secrets.read("acme", REF) == "one"


async def test_refused_value_is_read_anew_once_for_all(secrets, store):
    """Who comes with the old value, at the same time or later, gets the new one of one read."""
    await secrets.read("acme", REF)
    store.values["acme"] = "two"
    store.gate.clear()
    tasks = await started(1000, lambda: secrets.renew("acme", REF, "one"))
    store.gate.set()

    assert set(await asyncio.gather(*tasks)) == {"two"}
    assert await secrets.renew("acme", REF, "one") == "two"
    assert await secrets.read("acme", REF) == "two"
    assert len(store.asked) == 2


async def test_value_that_stays_bad_is_no_flood_of_reads(secrets, store, clock):
    """The store is asked every few seconds, however often the value is refused."""
    await secrets.read("acme", REF)
    for _ in range(100):
        assert await secrets.renew("acme", REF, "one") == "one"
    assert len(store.asked) == 2

    store.values["acme"] = "two"
    clock.now += 5

    assert await secrets.renew("acme", REF, "one") == "two"


async def test_refused_value_stays_while_the_store_is_away(secrets, store):
    """There is no other; it is not forgotten, since whoever refused it may be wrong."""
    await secrets.read("acme", REF)
    store.away = True

    assert await secrets.renew("acme", REF, "one") == "one"
    assert await secrets.read("acme", REF) == "one"


async def test_as_many_are_kept_as_are_allowed(secrets, store):
    """The one that was read longest ago goes first."""
    store.values = {name: name for name in "abcd"}
    for name in "abcd":
        await secrets.read(name, REF)
    store.asked.clear()

    for name in "bcda":
        assert await secrets.read(name, REF) == name

    assert store.asked == ["a"]


async def test_large_values_take_the_place_of_others(secrets, store):
    """However large values are, they do not fill the memory; the newest is always there."""
    store.values = {"a": "small", "b": "x" * 60, "c": "y" * 60, "d": "z" * 101}
    for name in "abcd":
        await secrets.read(name, REF)
        store.asked.clear()
        assert await secrets.read(name, REF) == store.values[name]
        assert store.asked == [] if name != "d" else ["d"]

    for name in "ab":
        await secrets.read(name, REF)
    assert store.asked == ["d", "a", "b"]


def test_what_is_remembered_is_not_shown():
    """No value is in the text of anything that holds it."""
    assert "one" not in repr(vars(CachedSecrets(Store(), LIMITS)))
