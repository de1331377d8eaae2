"""Secrets in memory, so that a turn does not wait for the store of secrets."""

import asyncio
import time
from collections.abc import Callable
from weakref import WeakValueDictionary

import attrs
import structlog

from tenants.errors import SecretMissingError, SecretsUnavailableError
from tenants.model import SecretRef
from tenants.ports import SecretStore

_log = structlog.get_logger(__name__)


@attrs.frozen
class CacheLimits:
    """For how long what a store said is used, and for how many secrets.

    Args:
        fresh_seconds: a value is used for so long without asking the store.
        stale_seconds: and for so long after that while the store is away.
        missing_seconds: for how long a secret that is not there is not looked for again.
        away_seconds: for how long a store that is away is not asked again for this secret.
        renewal_seconds: between two renewals of one secret.
        size: of the most secrets that are kept.
        characters: of all their values together, at most.
    """

    fresh_seconds: float = 300
    stale_seconds: float = 3600
    missing_seconds: float = 10
    away_seconds: float = 5
    renewal_seconds: float = 5
    size: int = 4096
    characters: int = 8_388_608


@attrs.frozen
class _Known:
    """What the store said last of a secret.

    Args:
        outcome: its value, or why there is none.
        fresh_until: the store need not be asked before.
        usable_until: what it said may be used while it is away.
        renewable_at: no renewal is made before.
    """

    outcome: str | SecretMissingError | SecretsUnavailableError = attrs.field(repr=False)
    fresh_until: float
    usable_until: float
    renewable_at: float = 0

    @property
    def length(self) -> int:
        """Of its value, in characters."""
        return len(self.outcome) if isinstance(self.outcome, str) else 0

    def value(self) -> str:
        if isinstance(self.outcome, str):
            return self.outcome
        # A copy: an error keeps the traceback of each place that raised it.
        raise attrs.evolve(self.outcome)


_Key = tuple[str, SecretRef]


class CachedSecrets:
    """``tenants.ports.Secrets`` over a store that takes time, or costs, to be read.

    One read a secret is under way at a time; who comes meanwhile waits for it, or goes on with
    the last value. A cancelled reader leaves its place to the next.

    Args:
        store: asked for what is not in memory.
        limits: for how long and how much.
        clock: seconds that never go back.
    """

    def __init__(
        self,
        store: SecretStore,
        limits: CacheLimits | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store = store
        self._limits = limits or CacheLimits()
        self._clock = clock
        self._known: dict[_Key, _Known] = {}
        self._characters = 0
        self._reading: WeakValueDictionary[_Key, asyncio.Lock] = WeakValueDictionary()

    async def read(self, tenant_id: str, ref: SecretRef) -> str:
        """See ``tenants.ports.SecretStore``."""
        key = (tenant_id, ref)
        known = self._known.get(key)
        if known is not None and self._clock() < known.fresh_until:
            return known.value()
        lock = self._reading.setdefault(key, asyncio.Lock())
        if known is not None and lock.locked() and self._clock() < known.usable_until:
            return known.value()
        async with lock:
            known = self._known.get(key)
            if known is None or self._clock() >= known.fresh_until:
                known = await self._ask(key, known)
            return known.value()

    async def renew(self, tenant_id: str, ref: SecretRef, refused: str) -> str:
        """See ``tenants.ports.Secrets``."""
        key = (tenant_id, ref)
        async with self._reading.setdefault(key, asyncio.Lock()):
            known = self._known.get(key)
            if known is None or self._is_renewable(known, refused):
                at = self._clock() + self._limits.renewal_seconds
                asked = await self._ask(key, known)
                known = self._remember(key, attrs.evolve(asked, renewable_at=at))
            return known.value()

    async def reach(self) -> None:
        """See ``tenants.ports.SecretStore``."""
        await self._store.reach()

    async def close(self) -> None:
        """See ``tenants.ports.SecretStore``."""
        await self._store.close()

    def _is_renewable(self, known: _Known, refused: str) -> bool:
        at = known.renewable_at if known.outcome == refused else known.fresh_until
        return self._clock() >= at

    async def _ask(self, key: _Key, last: _Known | None) -> _Known:
        """Read a secret and remember what came of it."""
        limits = self._limits
        try:
            outcome: str | SecretMissingError = await self._store.read(*key)
            seconds = limits.fresh_seconds
            stale_seconds = limits.stale_seconds
        except SecretMissingError as error:
            outcome, seconds, stale_seconds = error, limits.missing_seconds, 0
        except SecretsUnavailableError as error:
            return self._remember(key, self._without_store(key, last, error))
        until = self._clock() + seconds
        return self._remember(key, _Known(outcome, until, until + stale_seconds))

    def _without_store(
        self, key: _Key, last: _Known | None, error: SecretsUnavailableError
    ) -> _Known:
        now = self._clock()
        usable = last is not None and now < last.usable_until
        _log.warning(
            "secret_not_read", tenant_id=key[0], name=key[1].name, detail=error.detail, stale=usable
        )
        until = now + self._limits.away_seconds
        if last is not None and usable:
            return attrs.evolve(last, fresh_until=min(until, last.usable_until))
        return _Known(error, until, until)

    def _remember(self, key: _Key, known: _Known) -> _Known:
        limits = self._limits
        self._forget(key)
        self._known[key] = known
        self._characters += known.length
        while len(self._known) > limits.size or self._characters > limits.characters:
            self._forget(next(iter(self._known)))
        return known

    def _forget(self, key: _Key) -> None:
        if known := self._known.pop(key, None):
            self._characters -= known.length
