"""How a tenant stands, by the name that programs know it by."""

from typing import Literal, TypeAlias

from tenants.registry.stored import Pointer
from tenants.releases.reading import ListedTenant

State: TypeAlias = Literal["in_force", "suspended", "offboarding", "broken", "working_form"]


def state_of(tenant: Pointer | ListedTenant) -> State:
    """How a published tenant stands."""
    if isinstance(tenant, ListedTenant) and tenant.fault:
        return "broken"
    if tenant.offboarding:
        return "offboarding"
    return "suspended" if tenant.suspended else "in_force"
