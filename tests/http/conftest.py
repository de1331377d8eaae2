"""A gateway with two tenants, before a simulator."""

import pytest

from tests.fakes.gateway import serving
from tests.fakes.simulator import RecordingSimulator
from tests.fakes.talkers import acme, globex, session
from tests.fakes.two_tenants import two_tenants

__all__ = ["acme", "globex", "session"]


@pytest.fixture
async def upstream():
    """A simulator that remembers what it was asked."""
    async with RecordingSimulator() as simulator:
        yield simulator


@pytest.fixture
def environ(tmp_path, upstream):
    """The variables of the gateway under test."""
    return two_tenants(tmp_path, upstream.base_url)


@pytest.fixture
async def gateway(environ):
    """A running gateway."""
    async with serving(environ) as running:
        yield running
