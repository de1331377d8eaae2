"""Who did what with a tenant: one object an entry, written before it takes effect."""

import time
from collections.abc import Iterator
from itertools import count

from tenants.registry import layout
from tenants.registry.objects import NEW, ObjectChangedError, Objects
from tenants.registry.stored import AuditEntry
from tenants.registry.stored_json import decode, encode

REFUSED = "refused"


def record(objects: Objects, tenant_id: str, entry: AuditEntry) -> str:
    """Write an entry and return its name; it never takes another one's place.

    Raises:
        ObjectsUnavailableError: the registry cannot be written.
    """
    at = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(entry.at))
    for number in count():
        name = layout.audit(tenant_id, at, number)
        try:
            objects.write(name, encode(entry), expected=NEW)
        except ObjectChangedError:
            continue  # Another entry of the same second has that number.
        return name
    raise AssertionError  # There is always a next number.


def entries(objects: Objects, tenant_id: str) -> Iterator[AuditEntry]:
    """A tenant's entries by the time that their writers' clocks told, oldest first.

    Raises:
        BrokenObjectError: one of them cannot be read.
        ObjectsUnavailableError: the registry cannot be read.
    """
    names = [each.name for each in objects.list(layout.audits(tenant_id))]
    for name in sorted(names, key=_place):
        stored = objects.read(name)
        if stored is not None:
            yield decode(stored.content, AuditEntry, name)


def _place(name: str) -> tuple[str, int]:
    """Where an entry stands among others: in one second, the tenth comes after the second."""
    at, _, number = name.removesuffix(".json").rpartition("-")
    return at, int(number) if number.isdecimal() else 0
