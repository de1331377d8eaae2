"""A published registry with a clock and a pace that tests turn."""

from collections.abc import Callable
from pathlib import Path

import attrs

from tenants.registry.copies import Copies
from tenants.registry.directory import DirectoryRegistry
from tenants.registry.objects import Objects
from tenants.registry.pace import Pace
from tenants.registry.published import PublishedRegistry
from tenants.registry.published_reading import Reader
from tests.fakes.operator import Operator
from tests.fakes.tenants import until

QUICK = Pace(feed_seconds=0.25, retry_seconds=0.02, failed_seconds=0.1, unknown_seconds=60)
"""Reads the feed often; all that the tests' clock decides takes as long as ever."""


class Serving:
    """A process's registry: what it serves and what it counted."""

    registry: PublishedRegistry | DirectoryRegistry

    def __init__(self) -> None:
        self.events: list[str] = []

    def instructions(self, tenant_id: str = "acme") -> str | None:
        """What is in force, if it is in memory."""
        tenant = self.registry.cached(tenant_id)
        return tenant and tenant.default.instructions

    async def says(self, instructions: str | None, tenant_id: str = "acme") -> None:
        """Wait until this is in force."""
        await until(lambda: self.instructions(tenant_id) == instructions)

    def opens(self, key: str, tenant_id: str = "acme") -> bool:
        """Whether a key opens anything."""
        tenant = self.registry.cached(tenant_id)
        return tenant is not None and tenant.keys.find(key, now=0) is not None


class DirectoryReplica(Serving):
    """A process that serves a directory."""

    def __init__(self, root: Path) -> None:
        super().__init__()
        self.registry = DirectoryRegistry(
            root, private_upstreams=frozenset(), on_event=self.events.append
        )


class Replica(Serving):
    """A process that serves published tenants, wherever they are.

    Attributes:
        seconds: what the clock shows; tests move it on.
    """

    def __init__(self, objects: Objects, folder: Path, pace: Pace = QUICK) -> None:
        super().__init__()
        self.seconds = 1_000.0
        private = frozenset[str]()
        self.copies = Copies(folder, "place", private_upstreams=private)
        self.registry = PublishedRegistry(
            objects,
            Reader(objects, private_upstreams=private),
            self.copies,
            on_event=self.events.append,
            pace=pace,
            clock=lambda: self.seconds,
        )


@attrs.frozen
class Stage:
    """A registry, who changes it, and where copies go.

    Args:
        open: connects to the registry, as another process would.
    """

    open: Callable[[], Objects]
    operator: Operator
    folder: Path

    def replica(self, pace: Pace = QUICK) -> Replica:
        """One more process; those of one stage share the copies."""
        return Replica(self.open(), self.folder, pace)
