"""Where a registry keeps what (contract 9), as names of objects below its prefix.

A directory registry has its tenants at its root, without the level ``tenants/``; its adapter sees
to that.
"""

CHANGES = "changes.json"
POINTERS = "tenants/*/current.json"


def pointer(tenant_id: str) -> str:
    """What says which revision of a tenant is in force."""
    return f"tenants/{tenant_id}/current.json"


def keys(tenant_id: str) -> str:
    """A tenant's API keys, hashed."""
    return f"tenants/{tenant_id}/keys.json"


def audit(tenant_id: str, time: str, number: int) -> str:
    """One entry of who did what; ``time`` sorts as text."""
    return f"tenants/{tenant_id}/audit/{time}-{number}.json"


def revision(tenant_id: str, number: int, sha256: str, file: str) -> str:
    """A file of a revision."""
    return f"tenants/{tenant_id}/revisions/{number}-{sha256[:12]}/{file}"


def everything(tenant_id: str) -> str:
    """The pattern of all that there is of a tenant."""
    return f"tenants/{tenant_id}/**"
