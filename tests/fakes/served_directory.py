"""A directory registry under test, for ``pytest_plugins``."""

import pytest

from tenants.registry.directory import DirectoryRegistry
from tests.fakes.tenants import until


class Served:
    """A registry over a directory of its own, and what it counted."""

    def __init__(self, root):
        self.root = root
        self.events = []
        self.registry = DirectoryRegistry(
            root, private_upstreams=frozenset(), on_event=self.events.append
        )

    def instructions(self, tenant_id: str = "acme") -> str | None:
        """What is in force, if it is in memory."""
        tenant = self.registry.cached(tenant_id)
        return tenant and tenant.default.instructions

    async def counted(self, *events: str) -> None:
        """Wait until these were counted."""
        await until(lambda: len(self.events) >= len(events))
        assert sorted(self.events) == sorted(events)


@pytest.fixture
async def served(tmp_path):
    """A registry that is made, and stopped in the end; tests start it."""
    root = tmp_path / "tenants"
    root.mkdir()
    served = Served(root)
    yield served
    await served.registry.stop()
