"""What ``tenantctl offboard`` shows: what there is of a tenant, and what became of it."""

from collections.abc import Iterator
from pathlib import Path

import attrs

from tenants.cli.admin_api import AdminApi
from tenants.cli.offboard_upstream import Upstream
from tenants.cli.output import Line
from tenants.knowledge.removing import Removed
from tenants.releases.pointers import Held


@attrs.frozen(eq=False)
class Estate:
    """What there is of a tenant.

    Args:
        held: its pointer; None: there is none that makes sense.
        rest: whether something is there all the same.
        keep: where its files are kept; None: nowhere.
        api: of a gateway that deletes its threads; None: they stay.
        upstream: None: there is nothing.
    """

    tenant_id: str
    held: Held | None
    rest: bool
    keep: Path | None
    api: AdminApi | None
    upstream: Upstream | None


def plan(estate: Estate) -> Iterator[Line]:
    """What is to be deleted, and where what is kept goes."""
    tenant_id, held = estate.tenant_id, estate.held
    if held is None and estate.rest:
        yield f"All that is left of {tenant_id} is deleted; no revision is in force.", "bold red"
    elif held is None:
        yield f"The registry holds nothing of {tenant_id} any more."
    elif held.pointer.offboarding:
        yield f"The deletion of {tenant_id} has begun: it will be finished, and nothing exported."
    else:
        count = len(held.pointer.history)
        revisions = f"{count} revision{'s' if count > 1 else ''}"
        yield f"Revision {held.pointer.revision} of {tenant_id} goes to {estate.keep or 'nowhere'}."
        yield f"Then {tenant_id} is deleted: {revisions}, its keys, its audit.", "bold red"
    if estate.upstream is not None:
        yield from estate.upstream.plan()
    if estate.api is not None:
        yield f"Its threads and runs are deleted through {estate.api.url}.", "bold red"


def farewell(estate: Estate, removed: Removed | None) -> Iterator[Line]:
    """What became of it, and what remains elsewhere."""
    tenant_id = estate.tenant_id
    if estate.keep is not None:
        yield f"Its files are in {estate.keep}."
    if removed is not None:
        yield f"Upstream {len(removed.stores)} vector stores and {removed.files} files are deleted."
    yield f"{tenant_id} is offboarded.", "bold green"
    yield f"Its secrets remain in their store: tenantctl secrets list {tenant_id} names them."
    if estate.api is None:
        yield (
            "Its threads remain in the gateways' store. To delete them: "
            f"tenantctl offboard {tenant_id} --gateway URL"
        )
