"""An engine of short limits before a scriptable upstream, for ``pytest_plugins``."""

import pytest

from gateway.engines.responses import ResponsesEngine
from gateway.engines.retrying import Retrying
from gateway.engines.transport import Transport
from tests.fakes.calls import LIMITS
from tests.fakes.upstream import (
    Upstream,
)


@pytest.fixture
async def upstream():
    """A scriptable upstream."""
    async with Upstream() as server:
        yield server


@pytest.fixture
def waits():
    """The waits between attempts, none of which is waited for."""
    return []


@pytest.fixture
def make_engine(waits):
    """A function from a transport to an engine that never sleeps between attempts."""

    async def sleep(seconds):
        waits.append(seconds)

    return lambda transport: ResponsesEngine(transport, Retrying(sleep=sleep, chance=lambda: 0))


@pytest.fixture
async def engine(make_engine):
    """An engine of short limits."""
    async with Transport(LIMITS) as transport:
        yield make_engine(transport)
