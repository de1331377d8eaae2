"""Deletes what publishes that died, or lost, have left under numbers that are not given again."""

from collections.abc import Iterable
from contextlib import suppress

from tenants.errors import BrokenObjectError
from tenants.registry import layout
from tenants.registry.objects import Objects, ObjectsUnavailableError
from tenants.releases.pointers import find


def collect(objects: Objects, tenant_id: str, numbers: Iterable[int]) -> None:
    """Delete the files under revisions' numbers that no pointer can ever name.

    Whoever publishes takes a number above all that the pointer remembers, and moves the pointer
    that they saw. So what lies at or below its newest number, and is not among those that it
    remembers, was written for a pointer that has been replaced since. No clock has a say in it.

    Where the registry fails they stay, and nobody reads them.

    Args:
        objects: the registry.
        tenant_id: whose they are.
        numbers: which to look at.
    """
    with suppress(ObjectsUnavailableError, BrokenObjectError):
        # Listed before the pointer is read: that of a successor of the tenant judges them as well.
        names = [
            each.name
            for number in numbers
            for each in objects.list(layout.revisions(tenant_id, number))
        ]
        for name in _dead(names, objects, tenant_id):
            objects.delete(name)


def _dead(names: Iterable[str], objects: Objects, tenant_id: str) -> list[str]:
    found = find(objects, tenant_id)
    history = found.pointer.history if found else ()
    newest = max((each.revision for each in history), default=0)
    kept = {layout.lies_under(each.revision, each.sha256) for each in history}
    places = [(name, layout.revision_of(name)) for name in names]
    return [name for name, place in places if place[0] <= newest and place not in kept]
