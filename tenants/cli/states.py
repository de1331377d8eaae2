"""How a tenant stands: a name for programs, as the operator's API has it, and words for people."""

from collections.abc import Mapping
from typing import Literal

from tenants.registry.stored import Pointer
from tenants.releases.reading import ListedTenant

State = Literal["in_force", "suspended", "offboarding", "broken", "working_form"]

WORDS: Mapping[State, str] = {
    "in_force": "in force",
    "suspended": "suspended",
    "offboarding": "half deleted",
    "broken": "broken",
    "working_form": "working form",
}


def state_of(tenant: Pointer | ListedTenant) -> State:
    """How a published tenant stands."""
    if isinstance(tenant, ListedTenant) and tenant.fault:
        return "broken"
    if tenant.offboarding:
        return "offboarding"
    return "suspended" if tenant.suspended else "in_force"
