"""Which tenants a directory holds, and whether one of them may have changed."""

import os
import sys
from pathlib import Path

from tenants.documents import FILE
from tenants.model import is_tenant_id

_POINTER = "current.json"
_KEYS = "keys.json"
_HISTORY = ("revisions", "audit")  # what is written once, and only ever added to


def list_tenants(root: Path) -> set[str]:
    """The names of the sub-directories that can be tenants.

    Raises:
        OSError: the directory cannot be read.
    """
    with os.scandir(root) as entries:
        return {
            sys.intern(entry.name)
            for entry in entries
            if is_tenant_id(entry.name)
            and (holds(root, entry.name) if entry.is_symlink() else entry.is_dir())
        }


def holds(root: Path, tenant_id: str) -> bool:
    """Whether the directory holds a tenant of that id: inside of it, never by a link out of it."""
    path = root / tenant_id
    return is_tenant_id(tenant_id) and path.is_dir() and path.resolve().is_relative_to(root)


def is_published(home: Path) -> bool:
    """Whether a tenant's directory says which revision is in force."""
    return (home / _POINTER).exists()


def has_keys(home: Path) -> bool:
    """Whether keys lie in a tenant's directory."""
    return (home / _KEYS).exists()


def is_left_over(home: Path) -> bool:
    """Whether a directory is what a publish that died, or an offboarding, has left behind."""
    if (home / FILE).exists():
        return False
    return has_keys(home) or any((home / part).is_dir() for part in _HISTORY)


def fingerprints(root: Path) -> dict[str, int]:
    """For each tenant a number that changes with the times, sizes and names of its files.

    Raises:
        OSError: the directory cannot be read.
    """
    return {tenant_id: _fingerprint(root / tenant_id) for tenant_id in list_tenants(root)}


def _fingerprint(directory: Path) -> int:
    parts = []
    for place, folders, files in os.walk(directory):
        folders[:] = [name for name in folders if name not in _HISTORY]
        for name in (*folders, *files):
            try:
                found = os.stat(os.path.join(place, name))  # noqa: PTH116, PTH118  (10,000 tenants)
            except OSError:
                continue
            parts.append((place, name, found.st_mtime_ns, found.st_size, found.st_ino))
    return hash(tuple(sorted(parts)))
