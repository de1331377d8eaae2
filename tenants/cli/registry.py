"""The registry that a command works on, and who works on it."""

import os
import time
from collections.abc import Container, Iterator, Mapping
from collections.abc import Set as AbstractSet

from tenants.errors import BrokenObjectError
from tenants.registry.objects import Objects
from tenants.registry.opening import open_objects
from tenants.registry.places import RegistryPlace
from tenants.releases.errors import UnknownRevisionError
from tenants.releases.pointers import Held, Intent
from tenants.releases.reading import list_working_forms, read_whole, revision_of
from tenants.releases.release import Preparing


def opened(place: str) -> Objects:
    """The registry at a place, such as ``dir:PATH``.

    Raises:
        RegistryPlaceError: there is no such kind of place.
        ObjectsUnavailableError: it cannot be reached.
    """
    return open_objects(place, os.environ)


def intent(by: str, note: str = "", expected: int | None = None) -> Intent:
    """Who changes something now, and why.

    Args:
        by: their name.
        note: why, for people.
        expected: the generation of the pointer that they were shown.
    """
    return Intent(by=by, now=int(time.time()), note=note, expected=expected)


def preparing(private_upstreams: AbstractSet[str]) -> Preparing:
    """How releases are judged here; whether inline tools may run is each gateway's to say."""
    return Preparing(private_upstreams=private_upstreams)


def in_force(objects: Objects, held: Held) -> Mapping[str, bytes]:
    """The files in force, to compare with; none where they are broken, which a change may mend.

    Nor where nobody knows which are.

    Raises:
        ObjectsUnavailableError: the registry cannot be read.
    """
    try:
        return read_whole(objects, held.tenant_id, revision_of(held, None)).files
    except (BrokenObjectError, UnknownRevisionError):
        return {}


def unpublished(place: str, published: Container[str]) -> Iterator[str]:
    """The ids of tenants in working form that were never published; a bucket has none.

    Args:
        place: of the registry.
        published: the ids of those that were.

    Raises:
        ObjectsUnavailableError: the registry cannot be read.
    """
    if RegistryPlace.parse(place).kind == "dir":
        yield from (each for each in list_working_forms(opened(place)) if each not in published)
