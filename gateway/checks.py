"""What ``gateway check`` looks at: whether a start with these settings would go well, and why not.

Like ``gateway.app`` this module names adapters: it reaches for what the gateway would be made of.
"""

import asyncio
import contextlib
import os
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from urllib.parse import quote

import attrs

from gateway.settings import Settings
from gateway.store.errors import StoreUnavailableError
from gateway.store.sqlite_file import connect, opened
from gateway.store.sqlite_schema import MIGRATIONS
from tenants.compiled import CompiledTenant
from tenants.compiling import compile_tenant
from tenants.errors import InvalidTenantError
from tenants.registry.listing import list_tenants
from tenants.secrets.checking import Needed, unreachable, unreadable
from tenants.secrets.environment import check as misnamed
from tenants.secrets.opening import open_store
from tenants.sources import read_sources


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


def tenant_ids(settings: Settings) -> list[str]:
    """The ids of the tenants that the registry holds, good or not.

    Raises:
        OSError: the registry cannot be read.
    """
    return sorted(list_tenants(settings.tenants.resolve(strict=True)))


def before_serving(settings: Settings) -> list[str]:
    """What would keep a gateway from starting; a broken tenant would not."""
    faults = asyncio.run(_secret_faults(settings))
    try:
        tenant_ids(settings)
    except OSError as error:
        faults.append(_unreadable_registry(settings.tenants, error))
    try:
        with opened(settings.store, connect, busy_seconds=5):
            return faults
    except StoreUnavailableError as error:
        return [*faults, f"GATEWAY_STORE: {error.detail}."]


async def check_all(settings: Settings) -> list[Check]:
    """Reach everything that the settings name."""
    registry, tenants = _registry(settings)
    return [registry, await _secrets(settings, tenants), _store(settings.store)]


def _registry(settings: Settings) -> tuple[Check, list[CompiledTenant]]:
    try:
        ids = tenant_ids(settings)
    except OSError as error:
        fault = _unreadable_registry(settings.tenants, error)
        return Check("registry", str(settings.tenants), (fault,)), []
    good: list[CompiledTenant] = []
    faults = [*_unknown_default(settings, ids)]
    for tenant_id in ids:
        try:
            good.append(_compiled(settings, tenant_id))
        except InvalidTenantError as error:
            faults += [f"{tenant_id}/{fault}" for fault in error.faults]
    found = f"{len(ids)} tenants in {settings.tenants}"
    return Check("registry", found, tuple(faults)), good


def _compiled(settings: Settings, tenant_id: str) -> CompiledTenant:
    sources = read_sources(settings.tenants.resolve() / tenant_id)
    return compile_tenant(sources, private_upstreams=settings.private_upstreams)


def _unknown_default(settings: Settings, ids: Sequence[str]) -> Iterator[str]:
    if settings.default_tenant is not None and settings.default_tenant not in ids:
        yield f"GATEWAY_DEFAULT_TENANT: there is no tenant {settings.default_tenant}. Name another."


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


def _unreadable_registry(place: Path, error: OSError) -> str:
    return f"GATEWAY_TENANTS: {place} cannot be read ({error.strerror}). Make it, or name another."


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
