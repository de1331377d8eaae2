"""A gateway with two tenants, before a simulator."""

import logging

import pytest

from tests.fakes.gateway import serving
from tests.fakes.simulator import RecordingSimulator
from tests.fakes.talkers import acme, globex, session
from tests.fakes.two_tenants import two_tenants

__all__ = ["acme", "globex", "session"]

# uvicorn reports this one as if it were its own.
_CLIENTS_FAULTS = {"Invalid UTF-8 sequence received from client."}


@pytest.fixture
async def simulator():
    """An upstream that remembers what it was asked."""
    async with RecordingSimulator() as running:
        yield running


@pytest.fixture
def environ(tmp_path, simulator):
    """The variables of the gateway under test."""
    return two_tenants(tmp_path, simulator.base_url)


@pytest.fixture
async def gateway(environ, nothing_broke):  # noqa: ARG001 - it looks at the log once this is over
    """A running gateway; whatever clients do to it, the server reports no fault."""
    async with serving(environ) as running:
        yield running


@pytest.fixture
def nothing_broke(caplog):
    """Fails the test if the server or the event loop logged a fault."""
    yield
    records = caplog.get_records("call") + caplog.get_records("teardown")
    faults = {record.getMessage() for record in records if record.levelno >= logging.ERROR}
    assert faults <= _CLIENTS_FAULTS
