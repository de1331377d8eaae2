"""Looking at open connections: one that cannot be looked at holds up no other."""

import asyncio

import attrs
import pytest

from gateway.http.door.open_connections import OpenConnections
from gateway.http.errors import CredentialRefusedError


@attrs.frozen
class Tenant:
    """As much of a tenant as is looked at."""

    tenant_id: str


@attrs.frozen
class Visit:
    """Somebody who passed the door of a tenant."""

    tenant: Tenant

    @classmethod
    def of(cls, tenant_id):
        """Of the tenant with this id."""
        return cls(Tenant(tenant_id))


class Ended:
    """Connections that keep why they were ended."""

    def __init__(self):
        self.reasons = {}

    def __getitem__(self, name):
        """What ends the connection of this name."""

        async def end(reason):
            self.reasons[name] = type(reason)

        return end


@pytest.fixture
def ended():
    """What became of the connections."""
    return Ended()


async def failing():
    """A registry that is broken."""
    raise OSError


async def hanging():
    """A registry that does not answer."""
    await asyncio.get_running_loop().create_future()


@pytest.mark.parametrize("fault", [failing, hanging])
async def test_a_tenant_that_cannot_be_had_holds_up_no_other(ended, fault):
    """Where looking at one tenant fails or takes for ever, the others' dead connections end."""

    async def renewed(visit):
        match visit.tenant.tenant_id:
            case "odd":
                await fault()
            case "dead":
                raise CredentialRefusedError
        return visit

    connections = OpenConnections(renewed)
    with (
        connections.watching(Visit.of("dead"), ended["first"]),
        connections.watching(Visit.of("odd"), ended["odd"]),
        connections.watching(Visit.of("dead"), ended["second"]),
        connections.watching(Visit.of("fine"), ended["fine"]),
    ):
        async with asyncio.timeout(5):
            await connections.sweep()

    assert ended.reasons == dict.fromkeys(("first", "second"), CredentialRefusedError)


async def test_a_connection_is_ended_once(ended):
    """What was ended is not looked at again, even if it is slow to go."""
    looks = []

    async def renewed(visit):
        looks.append(visit)
        raise CredentialRefusedError

    connections = OpenConnections(renewed)
    with connections.watching(Visit.of("acme"), ended["slow"]):
        await connections.sweep()
        await connections.sweep()

    assert len(looks) == 1


async def test_a_connection_that_is_over_is_not_ended(ended):
    """What ends by itself while others are looked at is left alone."""
    looked, over = asyncio.Event(), asyncio.Event()

    async def renewed(visit):
        if visit.tenant.tenant_id == "slow":
            looked.set()
            await over.wait()
            return visit
        raise CredentialRefusedError

    connections = OpenConnections(renewed)
    with (
        connections.watching(Visit.of("slow"), ended["slow"]),
        connections.watching(Visit.of("acme"), ended["stays"]),
    ):
        with connections.watching(Visit.of("acme"), ended["goes"]):
            sweeping = asyncio.ensure_future(connections.sweep())
            await looked.wait()
        over.set()
        await sweeping

    assert ended.reasons == {"stays": CredentialRefusedError}


async def test_one_that_cannot_be_closed_holds_up_no_other(ended):
    """Where closing a connection fails, the others are closed all the same."""

    async def renewed(_visit):
        raise CredentialRefusedError

    async def not_closing(_reason):
        raise RuntimeError

    connections = OpenConnections(renewed)
    with (
        connections.watching(Visit.of("acme"), not_closing),
        connections.watching(Visit.of("acme"), ended["other"]),
    ):
        await connections.sweep()

    assert ended.reasons == {"other": CredentialRefusedError}


async def test_an_answer_that_nobody_may_have_is_given_up():
    """Waiting ends with the credential, and what was waited for goes on."""
    answer = asyncio.get_running_loop().create_future()

    async def renewed(_visit):
        raise CredentialRefusedError

    async def made():
        return await asyncio.shield(answer)

    connections = OpenConnections(renewed)
    waiting = asyncio.ensure_future(connections.unless_ended(Visit.of("acme"), made()))
    await asyncio.sleep(0)
    await connections.sweep()
    with pytest.raises(CredentialRefusedError):
        await waiting

    assert not answer.done()


async def test_who_gives_up_is_not_refused():
    """A request that is cancelled from elsewhere stays cancelled."""

    async def renewed(visit):
        return visit

    connections = OpenConnections(renewed)
    answer = asyncio.get_running_loop().create_future()
    waiting = asyncio.ensure_future(connections.unless_ended(Visit.of("acme"), answer))
    await asyncio.sleep(0)
    waiting.cancel()

    with pytest.raises(asyncio.CancelledError):
        await waiting
