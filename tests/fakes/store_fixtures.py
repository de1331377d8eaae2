"""The fixtures of the stores' contract suite, for ``pytest_plugins``."""

import pytest

from tests.fakes.store_adapters import ADAPTERS, opened


@pytest.fixture(params=list(ADAPTERS))
def adapter(request, tmp_path):
    """Each adapter in turn, in a place of its own."""
    return ADAPTERS[request.param](tmp_path)


@pytest.fixture
async def store(adapter):
    """An open, empty store."""
    async with opened(adapter.store()) as store:
        yield store
