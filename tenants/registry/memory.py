"""The tenants that a process has in memory, and which of them nobody uses any longer."""

import math
from collections.abc import Callable

import attrs

from tenants.compiled import CompiledTenant
from tenants.registry.pace import Pace
from tenants.registry.standing import NOTHING, Since, Standing


@attrs.define
class Entry:
    """A tenant in memory.

    Args:
        standing: what is known of it.
        since: when that came to be.
        compared_at: when it was last as the registry said; never: minus infinity.
        used_at: when it was last asked for, as far as was noticed.
    """

    standing: Standing
    since: Since
    compared_at: float
    used_at: float


class Memory:
    """Tenants by id.

    Args:
        pace: when tenants are due, and idle.
        clock: monotonic seconds.
    """

    def __init__(self, pace: Pace, clock: Callable[[], float]) -> None:
        self._pace = pace
        self._clock = clock
        self._entries: dict[str, Entry] = {}
        self._in_force: dict[str, CompiledTenant] = {}
        self._used: set[str] = set()

    def now(self) -> float:
        """Monotonic seconds."""
        return self._clock()

    def __len__(self) -> int:
        return len(self._entries)

    def __contains__(self, tenant_id: str) -> bool:
        return tenant_id in self._entries

    def ids(self) -> frozenset[str]:
        """Of all of them, suspended ones and those without a good revision too."""
        return frozenset(self._entries)

    def in_force(self, tenant_id: str) -> CompiledTenant | None:
        """What requests see; the look counts as use."""
        tenant = self._in_force.get(tenant_id)
        if tenant is not None:
            self._used.add(tenant_id)  # Looked through now and then: no clock is read here.
        return tenant

    def use(self, tenant_id: str) -> Entry | None:
        """What is known of a tenant; the look counts as use."""
        entry = self._entries.get(tenant_id)
        if entry is not None:
            self._used.add(tenant_id)
        return entry

    def look(self, tenant_id: str) -> Entry | None:
        """What is known of a tenant; the look counts as nothing."""
        return self._entries.get(tenant_id)

    def put(self, tenant_id: str, standing: Standing, *, compared_at: float | None) -> None:
        """Put a standing in force.

        Args:
            tenant_id: whose it is.
            standing: replaces the one that was known.
            compared_at: before it was read from the registry; None: it is a copy.
        """
        entry = self._entries.get(tenant_id)
        now = self._clock()
        if entry is None:
            entry = self._entries[tenant_id] = Entry(NOTHING, Since(), -math.inf, now)
        entry.since = entry.since.after(entry.standing, standing)
        entry.standing = standing
        entry.compared_at = -math.inf if compared_at is None else compared_at
        tenant = standing.in_force
        if tenant is None:
            self._in_force.pop(tenant_id, None)
        else:
            self._in_force[tenant_id] = tenant

    def drop(self, tenant_id: str) -> None:
        """Forget a tenant; that it is not known is fine."""
        self._entries.pop(tenant_id, None)
        self._in_force.pop(tenant_id, None)
        self._used.discard(tenant_id)

    def due(self) -> list[str]:
        """The tenants to compare with the registry now: the longest due first, not all at once."""
        now = self._clock()
        waiting = sorted(
            (entry.compared_at, tenant_id)
            for tenant_id, entry in self._entries.items()
            if entry.compared_at + self._recheck_seconds(entry) <= now
        )
        share = self._pace.feed_seconds / self._pace.spread_seconds
        return [tenant_id for _, tenant_id in waiting[: math.ceil(len(self._entries) * share)]]

    def drop_idle(self) -> list[str]:
        """Forget tenants that were not used for a while, and name them."""
        now = self._clock()
        for tenant_id in self._used:
            self._entries[tenant_id].used_at = now
        self._used.clear()
        limit = now - self._pace.idle_seconds
        idle = [name for name, entry in self._entries.items() if entry.used_at <= limit]
        for tenant_id in idle:
            self.drop(tenant_id)
        return idle

    def _recheck_seconds(self, entry: Entry) -> float:
        refused = entry.standing.refused
        return self._pace.refused_seconds if refused else self._pace.recheck_seconds
