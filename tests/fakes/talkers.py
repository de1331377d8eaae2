"""HTTP to the gateway under test, and a client of each of its tenants: fixtures for conftests."""

import aiohttp
import pytest

from tests.fakes.conversation import Talker


@pytest.fixture
async def session(gateway):
    """HTTP to it."""
    async with aiohttp.ClientSession(gateway.url) as opened:
        yield opened


@pytest.fixture
def acme(session):
    """A client of the first tenant."""
    return Talker(session, "acme")


@pytest.fixture
def globex(session):
    """A client of the second tenant."""
    return Talker(session, "globex")
