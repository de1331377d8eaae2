"""The adapter of the place that an operator names; Google's library is imported where asked."""

from collections.abc import Mapping
from pathlib import Path

from tenants import grpc_words
from tenants.registry.files import FileObjects
from tenants.registry.objects import Objects
from tenants.registry.places import RegistryPlace


def open_objects(place: str, environ: Mapping[str, str]) -> Objects:
    """The objects of a registry; nothing is read and no connection made so far.

    For ``gs://`` this imports Google's library, which takes 0.3 s: a server does it before it
    serves, or on a thread.

    Args:
        place: ``dir:PATH`` or ``gs://BUCKET/PREFIX``.
        environ: whose ``STORAGE_EMULATOR_HOST`` names a server in Google's place.

    Raises:
        RegistryPlaceError: it is neither.
    """
    parsed = RegistryPlace.parse(place)
    if parsed.kind == "dir":
        return FileObjects(Path(parsed.target))
    grpc_words.silence()
    from tenants.registry.gcs import GcsObjects  # noqa: PLC0415  (it takes 0.3 s and 50 MB)

    return GcsObjects(
        parsed.target, parsed.prefix, emulator=environ.get("STORAGE_EMULATOR_HOST") or None
    )
