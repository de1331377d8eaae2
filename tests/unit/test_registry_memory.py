"""The tenants in memory: who is due, and who is idle."""

import attrs
import pytest

from tenants.registry.memory import Memory
from tenants.registry.pace import Pace
from tenants.registry.standing import Since, Standing
from tenants.registry.stored import Pointer
from tests.fakes.operator import release

PACE = Pace()
TENANT = release().compiled
GOOD = Standing(pointer=Pointer(1, "s", "c", 0, "operator"), tenant=TENANT)
SUSPENDED = attrs.evolve(GOOD, pointer=attrs.evolve(GOOD.pointer, suspended=True))


class Clocked:
    """A memory and its clock."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.memory = Memory(PACE, lambda: self.now)

    def put(self, *tenant_ids: str, standing: Standing = GOOD) -> None:
        """Have tenants in memory that were compared with the registry right now."""
        for tenant_id in tenant_ids:
            self.memory.put(tenant_id, standing, compared_at=self.now)


@pytest.fixture
def clocked():
    """An empty memory."""
    return Clocked()


def test_suspended_tenant_is_known_and_not_in_force(clocked):
    """Its requests cost no read, and see nothing."""
    clocked.put("acme", standing=SUSPENDED)

    assert clocked.memory.in_force("acme") is None
    assert clocked.memory.look("acme").standing is SUSPENDED


def test_tenant_that_nobody_uses_is_forgotten(clocked):
    """A request within fifteen minutes keeps it, and a look of the operator's does not."""
    clocked.put("asked", "looked-at", "left")
    for _ in range(2):
        clocked.now += PACE.idle_seconds - 1
        clocked.memory.in_force("asked")
        clocked.memory.look("looked-at")
        idle = clocked.memory.drop_idle()
    clocked.now += 1

    assert sorted(idle) == ["left", "looked-at"]
    assert clocked.memory.ids() == {"asked"}
    assert clocked.memory.in_force("left") is None


def test_active_tenants_are_due_in_turn_and_within_five_minutes(clocked):
    """Many that were loaded at once are spread, the longest waiting first, and none waits long."""
    clocked.put(*(f"t{number:03}" for number in range(200)))
    compared: dict[str, float] = {}
    most = 0
    while len(compared) < 200:
        clocked.now += PACE.feed_seconds
        due = clocked.memory.due()
        most = max(most, len(due))
        for tenant_id in due:
            compared[tenant_id] = clocked.now - 1000
            clocked.put(tenant_id)

    assert most == 10
    assert min(compared.values()) >= PACE.recheck_seconds
    assert max(compared.values()) <= 245


def test_copy_and_refused_revision_are_due_sooner(clocked):
    """A copy is due at once, and what was refused after some seconds."""
    clocked.put("good")
    clocked.put("refused", standing=attrs.evolve(GOOD, refused="broken"))
    clocked.memory.put("copy", GOOD, compared_at=None)

    at_once = clocked.memory.due()
    clocked.now += PACE.refused_seconds

    assert at_once == ["copy"]
    assert clocked.memory.due() == ["copy"]
    clocked.put("copy")
    assert clocked.memory.due() == ["refused"]


def test_health_keeps_the_time_of_the_revision_and_not_of_the_look(clocked):
    """Comparing again, or other keys, do not make a revision younger."""
    clocked.put("acme")
    clocked.memory.look("acme").since = Since(in_force=7)

    clocked.put("acme", standing=attrs.evolve(GOOD, tenant=attrs.evolve(TENANT)))
    same = clocked.memory.look("acme").since
    clocked.put("acme", standing=attrs.evolve(GOOD, tenant=attrs.evolve(TENANT, revision="new")))

    assert same == Since(in_force=7)
    assert clocked.memory.look("acme").since.in_force > 7


def test_health_keeps_the_time_of_the_first_refusal(clocked):
    """Another fault of the newest does not make it look as if it had been good until then."""
    clocked.put("acme")
    clocked.put("acme", standing=attrs.evolve(GOOD, refused="broken"))
    first = clocked.memory.look("acme").since
    clocked.memory.look("acme").since = attrs.evolve(first, refused=7)

    clocked.put("acme", standing=attrs.evolve(GOOD, refused="broken otherwise"))
    later = clocked.memory.look("acme").since
    clocked.put("acme")

    assert first.refused > 7
    assert later == Since(first.in_force, 7)
    assert clocked.memory.look("acme").since == Since(first.in_force, None)
