"""Where a registry keeps what (contract 9), as names of objects below its prefix.

A directory registry has its tenants at its root, without the level ``tenants/``; its adapter sees
to that.
"""

CHANGES = "changes.json"
POINTERS = "tenants/*/current.json"
WORKING_FORMS = "tenants/*/tenant.toml"
_DIGITS = 12  # of a revision's SHA-256


def pointer(tenant_id: str) -> str:
    """What says which revision of a tenant is in force."""
    return f"tenants/{tenant_id}/current.json"


def keys(tenant_id: str) -> str:
    """A tenant's API keys, hashed."""
    return f"tenants/{tenant_id}/keys.json"


def source(tenant_id: str, file: str) -> str:
    """A file of a tenant in working form, outside of any revision."""
    return f"tenants/{tenant_id}/{file}"


def audits(tenant_id: str) -> str:
    """The pattern of a tenant's audit entries."""
    return f"tenants/{tenant_id}/audit/*.json"


def audit(tenant_id: str, time: str, number: int) -> str:
    """One entry of who did what; ``time`` sorts as text."""
    return f"tenants/{tenant_id}/audit/{time}-{number}.json"


def revision(tenant_id: str, number: int, sha256: str, file: str) -> str:
    """A file of a revision."""
    return f"tenants/{tenant_id}/revisions/{number}-{sha256[:_DIGITS]}/{file}"


def revisions(tenant_id: str, number: int | str) -> str:
    """The pattern of all files that lie under a revision's number, or any (``*``)."""
    return f"tenants/{tenant_id}/revisions/{number}-**"


def of_revisions(tenant_id: str, file: str) -> str:
    """The pattern of one file of every revision."""
    return f"tenants/{tenant_id}/revisions/*/{file}"


def lies_under(number: int, sha256: str) -> tuple[int, str]:
    """What ``revision_of`` says of the files of a revision."""
    return number, sha256[:_DIGITS]


def revision_of(name: str) -> tuple[int, str]:
    """The number and the digest's beginning that a revision's file lies under.

    Raises:
        ValueError: it lies under none.
    """
    number, _, digits = name.split("/")[3].partition("-")
    return int(number), digits


def tenant_of(name: str) -> str:
    """Whose object this is."""
    return name.split("/")[1]


def everything(tenant_id: str) -> str:
    """The pattern of all that there is of a tenant."""
    return f"tenants/{tenant_id}/**"
