"""A tenant with knowledge before an upstream that fails, for ``pytest_plugins``."""

import pytest

from tenants.registry.files import FileObjects
from tests.fakes.faulty_upstream import FaultyUpstream
from tests.fakes.knowledge import Knowing


@pytest.fixture
async def faulty():
    """A simulator that counts and fails."""
    async with FaultyUpstream() as upstream:
        yield upstream


@pytest.fixture
def knowing(tmp_path, faulty):
    """A published tenant with two files of knowledge, in a directory registry."""
    (tmp_path / "registry").mkdir()
    acme = Knowing(FileObjects(tmp_path / "registry"), faulty)
    acme.onboard()
    return acme
