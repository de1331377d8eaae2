"""What is wrong with a store of secrets, and with what tenants refer to: names, never values."""

import asyncio
from collections.abc import Iterable

from tenants.errors import SecretMissingError, SecretsUnavailableError
from tenants.model import SecretRef
from tenants.ports import SecretStore
from tenants.secrets.places import SecretPlace

_CONCURRENT = 16

Needed = tuple[str, SecretRef]
"""A tenant's id, and a reference of that tenant."""


async def unreachable(store: SecretStore) -> str | None:
    """Why a store cannot be read, and how to mend it."""
    try:
        await store.reach()
    except SecretsUnavailableError as error:
        return f"{error}."
    return None


async def unreadable(store: SecretStore, place: SecretPlace, needed: Iterable[Needed]) -> list[str]:
    """The references that cannot be read, a sentence each with where to mend it."""
    waiting = asyncio.Semaphore(_CONCURRENT)

    async def fault(tenant_id: str, ref: SecretRef) -> str | None:
        async with waiting:
            return await _fault(store, place, tenant_id, ref)

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(fault(*each)) for each in needed]
    return [words for task in tasks if (words := task.result())]


async def _fault(
    store: SecretStore, place: SecretPlace, tenant_id: str, ref: SecretRef
) -> str | None:
    home = place.home(tenant_id, ref.name)
    try:
        await store.read(tenant_id, ref)
    except SecretMissingError as error:
        return f"{error}. Set {home}."
    except SecretsUnavailableError as error:
        return f"{tenant_id}: its secret {ref.name} cannot be read ({error}). Mend {home}."
    return None
