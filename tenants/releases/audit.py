"""Who did what with a tenant: one object an entry, written before it takes effect."""

import time
from collections.abc import Iterator

from tenants.registry import layout
from tenants.registry.objects import NEW, ObjectChangedError, Objects
from tenants.registry.stored import AuditEntry
from tenants.registry.stored_json import decode, encode
from tenants.releases.errors import ContendedError

REFUSED = "refused"
_MOST_A_SECOND = 1_000


def record(objects: Objects, tenant_id: str, entry: AuditEntry) -> str:
    """Write an entry and return its name; it never takes another one's place.

    Raises:
        ContendedError: too many have been written in that second.
        ObjectsUnavailableError: the registry cannot be written.
    """
    at = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(entry.at))
    for number in range(_MOST_A_SECOND):
        name = layout.audit(tenant_id, at, number)
        try:
            objects.write(name, encode(entry), expected=NEW)
        except ObjectChangedError:
            continue  # Another entry of the same second has that number.
        return name
    raise ContendedError(layout.audit(tenant_id, at, _MOST_A_SECOND))


def entries(objects: Objects, tenant_id: str) -> Iterator[AuditEntry]:
    """A tenant's entries by the time that their writers' clocks told, oldest first.

    Raises:
        BrokenObjectError: one of them cannot be read.
        ObjectsUnavailableError: the registry cannot be read.
    """
    for name in names(objects, tenant_id):
        stored = objects.read(name)
        if stored is not None:
            yield decode(stored.content, AuditEntry, name)


def names(objects: Objects, tenant_id: str) -> list[str]:
    """The names of a tenant's entries, in the same order.

    Raises:
        ObjectsUnavailableError: the registry cannot be read.
    """
    return sorted((each.name for each in objects.list(layout.audits(tenant_id))), key=_place)


def _place(name: str) -> tuple[str, int]:
    """Where an entry stands among others: in one second, the tenth comes after the second."""
    at, _, number = name.removesuffix(".json").rpartition("-")
    return at, int(number) if number.isdecimal() else 0
