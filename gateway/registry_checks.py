"""What ``gateway check`` finds out about the registry, and what of it a start insists on."""

import tempfile
from pathlib import Path

from gateway.settings import Settings
from tenants.compiled import CompiledTenant
from tenants.describing import DESCRIBER
from tenants.registry import layout
from tenants.registry.listing import list_tenants
from tenants.registry.objects import ObjectsUnavailableError
from tenants.registry.opening import open_objects
from tenants.registry.published_reading import Reader
from tenants.registry.reading import DirectoryReader
from tenants.registry.standing import NOTHING, Standing
from tenants.releases.reading import list_tenants as list_published


def tenant_ids(settings: Settings) -> list[str] | None:
    """The ids of the tenants that a directory holds, good or not; None: they are in a bucket.

    Raises:
        OSError: the registry cannot be read.
    """
    if settings.tenants.kind == "gs":
        return None
    return sorted(list_tenants(Path(settings.tenants.target).resolve(strict=True)))


def registry_faults(settings: Settings) -> list[str]:
    """What would keep a gateway from starting; a bucket that is away would not."""
    try:
        tenant_ids(settings)
    except OSError as error:
        words = f"{settings.tenants.target} cannot be read ({error.strerror})"
        return [f"GATEWAY_TENANTS: {words}. Make it, or name another."]
    return _copies_faults(settings.tenants_copies) if settings.tenants.kind == "gs" else []


def look_at_registry(settings: Settings) -> tuple[str, list[str], list[CompiledTenant]]:
    """What is there in a few words, what is wrong with it, and the tenants that are good.

    Of a bucket the default tenant alone is read: there may be ten thousand others.
    """
    if faults := registry_faults(settings):
        return str(settings.tenants), faults, []
    try:
        standings, count = _of_bucket(settings) or _of_directory(settings)
    except ObjectsUnavailableError as error:
        return str(settings.tenants), [f"GATEWAY_TENANTS: {error.detail}."], []
    faults = [
        f"{tenant_id}/{line}"
        for tenant_id, standing in standings.items()
        for line in standing.refused.splitlines()
    ]
    default = settings.default_tenant
    if default is not None and default not in standings:
        faults.insert(0, f"GATEWAY_DEFAULT_TENANT: there is no tenant {default}. Name another.")
    good = [standing.in_force for standing in standings.values() if standing.in_force]
    return f"{count} tenants in {settings.tenants}", faults, good


def _of_directory(settings: Settings) -> tuple[dict[str, Standing], int]:
    root = Path(settings.tenants.target).resolve()
    reader = DirectoryReader(
        root,
        private_upstreams=settings.private_upstreams,
        inline_tools=settings.inline_tools,
        describer=DESCRIBER,
    )
    standings = _read(reader, sorted(list_tenants(root)))
    return standings, len(standings)


def _of_bucket(settings: Settings) -> tuple[dict[str, Standing], int] | None:
    """How the default tenant stands, and how many there are; None where there is no bucket."""
    if settings.tenants.kind != "gs":
        return None
    emulator = settings.storage_emulator
    environ = {"STORAGE_EMULATOR_HOST": emulator} if emulator else {}
    objects = open_objects(str(settings.tenants), environ)
    objects.read(layout.CHANGES)
    reader = Reader(
        objects,
        private_upstreams=settings.private_upstreams,
        inline_tools=settings.inline_tools,
    )
    default = settings.default_tenant
    return _read(reader, [default] if default else []), sum(1 for _ in list_published(objects))


def _read(reader: Reader | DirectoryReader, tenant_ids: list[str]) -> dict[str, Standing]:
    found = {tenant_id: reader.read(tenant_id, NOTHING) for tenant_id in tenant_ids}
    return {tenant_id: standing for tenant_id, standing in found.items() if standing is not None}


def _copies_faults(copies: Path) -> list[str]:
    try:
        copies.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=copies):
            return []
    except OSError as error:
        words = f"{copies} cannot be written ({error.strerror})"
        return [f"GATEWAY_TENANTS_COPIES: {words}. Change its owner, or name another."]
