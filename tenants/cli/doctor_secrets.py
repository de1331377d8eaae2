"""Whether the secrets that tenants refer to are there; names alone are told."""

import asyncio
import os
from collections.abc import Sequence

from tenants.cli.doctor_view import Check
from tenants.cli.secrets_option import opened_store
from tenants.compiled import CompiledTenant
from tenants.secrets.checking import Needed, unreachable, unreadable
from tenants.secrets.environment import check as misnamed
from tenants.secrets.places import SecretPlace


def look_at_secrets(place: SecretPlace, tenants: Sequence[CompiledTenant]) -> Check:
    """Whether a store can be read, and holds what tenants refer to."""
    needed = [(each.tenant_id, ref) for each in tenants if (ref := each.upstream.api_key)]
    faults = misnamed(os.environ) if place.kind == "env" else ()
    if not needed:
        return Check("secrets", "none is referred to", faults)
    faults = (*faults, *asyncio.run(_faults(place, needed)))
    return Check("secrets", f"{len(needed)} referred to, in {place.described}", faults)


async def _faults(place: SecretPlace, needed: list[Needed]) -> list[str]:
    store = opened_store(place)
    try:
        away = await unreachable(store)
        return [away] if away else await unreadable(store, place, needed)
    finally:
        await store.close()
