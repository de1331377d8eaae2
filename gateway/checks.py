"""What ``gateway check`` looks at: whether a start with these settings would go well, and why not.

Like ``gateway.app`` this module names adapters: it reaches for what the gateway would be made of.
"""

import asyncio
import contextlib
import os
import sqlite3
from collections.abc import Iterable, Sequence
from pathlib import Path
from urllib.parse import quote

import attrs

from gateway.registry_checks import look_at_registry, registry_faults
from gateway.settings import Settings
from gateway.store.errors import StoreUnavailableError
from gateway.store.sqlite_file import connect, opened
from gateway.store.sqlite_schema import MIGRATIONS
from tenants.compiled import CompiledTenant
from tenants.secrets.checking import Needed, unreachable, unreadable
from tenants.secrets.environment import check as misnamed
from tenants.secrets.opening import open_store


@attrs.frozen
class Check:
    """How one part stands.

    Args:
        name: such as ``registry``.
        found: what is there, in a few words.
        faults: everything that is wrong, each with where it is and how to mend it.
    """

    name: str
    found: str
    faults: tuple[str, ...] = ()


def before_serving(settings: Settings) -> list[str]:
    """What would keep a gateway from starting; a broken tenant would not."""
    faults = asyncio.run(_secret_faults(settings))
    faults += registry_faults(settings)
    try:
        with opened(settings.store, connect, busy_seconds=5):
            return faults
    except StoreUnavailableError as error:
        return [*faults, f"GATEWAY_STORE: {error.detail}."]


async def check_all(settings: Settings) -> list[Check]:
    """Reach everything that the settings name."""
    found, faults, tenants = look_at_registry(settings)
    registry = Check("registry", found, tuple(faults))
    return [registry, await _secrets(settings, tenants), _store(settings.store)]


async def _secrets(settings: Settings, tenants: Iterable[CompiledTenant]) -> Check:
    needed = [(each.tenant_id, each.upstream.api_key) for each in tenants if each.upstream.api_key]
    faults = await _secret_faults(settings, needed)
    return Check("secrets", settings.secrets.described, tuple(faults))


async def _secret_faults(settings: Settings, needed: Sequence[Needed] = ()) -> list[str]:
    """What is wrong with the store of secrets and, where it can be read, with these secrets."""
    place = settings.secrets
    faults = list(misnamed(settings.tenant_secrets)) if place.kind == "env" else []
    store = open_store(place, settings.tenant_secrets, settings.secret_manager_emulator)
    try:
        if away := await unreachable(store):
            return [f"GATEWAY_SECRETS: {away}"]
        return faults + await unreadable(store, place, needed)
    finally:
        await store.close()


def _store(path: Path) -> Check:
    """Whether the store can be reached; one that a gateway uses just now can be."""
    existing = path if path.exists() else next(p for p in path.absolute().parents if p.exists())
    found = f"{path}" if path.exists() else f"{path}, to be made at the first start"
    if not os.access(existing, os.W_OK):
        fault = f"GATEWAY_STORE: {existing} cannot be written. Change its owner, or name another."
        return Check("store", found, (fault,))
    if path.exists() and (trouble := _trouble(path)):
        return Check("store", found, (f"GATEWAY_STORE: {path} {trouble}",))
    return Check("store", found)


def _trouble(path: Path) -> str | None:
    try:
        uri = f"file:{quote(str(path.absolute()))}?mode=ro"
        with contextlib.closing(sqlite3.connect(uri, uri=True)) as connection:
            (version,) = connection.execute("PRAGMA user_version").fetchone()
    except sqlite3.Error as error:
        return f"cannot be read ({error}). Restore it, or name another."
    if version > len(MIGRATIONS):
        return "was written by a newer version. Install that one, or name another."
    return None
