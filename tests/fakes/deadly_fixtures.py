"""Tenants with deadly functions, and their callers, for ``pytest_plugins``."""

import pytest
import structlog

from tests.fakes.deadly_tools import TOOLS, Caller
from tests.fakes.tenants import compile_directory, write_tenant


@pytest.fixture
def tenant(tmp_path):
    """A tenant that offers all of ``TOOLS``."""
    return compile_directory(write_tenant(tmp_path, tools=TOOLS, timeout_seconds=5))


@pytest.fixture
def hasty(tmp_path):
    """The same, with little time for each call."""
    return compile_directory(write_tenant(tmp_path, "hasty", tools=TOOLS, timeout_seconds=0.3))


@pytest.fixture
async def caller():
    """Makes callers, and closes them."""
    made = []

    def make(tenant, **options):
        made.append(Caller(tenant, **options))
        return made[-1]

    yield make
    for each in made:
        await each.executor.close()


@pytest.fixture
def logs():
    """What is logged, with its context."""
    merged = [structlog.contextvars.merge_contextvars]
    with structlog.testing.capture_logs(processors=merged) as lines:
        yield lines
