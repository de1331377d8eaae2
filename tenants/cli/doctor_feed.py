"""Whether a registry's change feed tells replicas of every change."""

from collections.abc import Iterable, Iterator
from itertools import pairwise

from tenants.cli.doctor_view import Check, named
from tenants.cli.output import date
from tenants.errors import BrokenObjectError
from tenants.registry import layout
from tenants.registry.objects import Objects
from tenants.registry.stored import Changes
from tenants.registry.stored_json import decode
from tenants.releases.reading import ListedTenant, list_tenants


def look_at_feed(objects: Objects) -> Check:
    """Whether the feed can be read, has no gap, and says of every publish that it reaches back to.

    Raises:
        ObjectsUnavailableError: the registry cannot be read.
    """
    try:
        stored = objects.read(layout.CHANGES)
        changes = decode(stored.content, Changes, layout.CHANGES) if stored else Changes()
    except BrokenObjectError as error:
        remedy = "any further change of a tenant begins it anew"
        return Check("feed", "broken", (f"{error}. Replicas look at all tenants; {remedy}.",))
    numbers = [each.sequence for each in changes.entries]
    if any(after != before + 1 for before, after in pairwise(numbers)):
        return Check("feed", "with a gap", ("A change is missing: publish a tenant anew.",))
    newest = changes.entries[-1] if changes.entries else None
    last = f", the last at {date(newest.at)}" if newest else ""
    late = [*_unannounced(changes, list_tenants(objects))]
    warnings = (_words(late),) if late else ()
    return Check("feed", f"{changes.sequence} changes{last}", warnings=warnings)


def _unannounced(changes: Changes, tenants: Iterable[ListedTenant]) -> Iterator[str]:
    """Whose revision was put in force later than all that the feed says of them."""
    begins = changes.entries[0].at if changes.entries else 0
    told = {tenant_id: each.at for each in changes.entries for tenant_id in each.tenants}
    for each in tenants:
        if each.published_at >= begins and each.published_at > told.get(each.tenant_id, 0):
            yield each.tenant_id


def _words(tenant_ids: list[str]) -> str:
    return (
        f"It says nothing of the revision in force of {named(tenant_ids)}: whoever published it "
        "died half way. Gateways find it within 5 minutes; the same publish again, or any other "
        "change of the tenant, tells them at once."
    )
