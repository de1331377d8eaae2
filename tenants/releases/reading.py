"""What a registry holds, for people: tenants, their revisions, a revision's files."""

import hashlib
from collections.abc import Iterator, Mapping

import attrs

from tenants import compiled_json
from tenants.compiled import CompiledTenant
from tenants.errors import BrokenObjectError, UnknownTenantError
from tenants.model import is_tenant_id
from tenants.registry import layout
from tenants.registry.objects import Objects
from tenants.registry.stored import StoredRevision
from tenants.releases.errors import UnknownRevisionError, WorkingFormError
from tenants.releases.pointers import Held, find, in_working_form, labels_of
from tenants.sources import digest

_NO_ID = (
    "it is no tenant's id, so nobody is served from it: rename it, in lower-case letters, digits "
    "and inner hyphens"
)


@attrs.frozen
class ListedTenant:
    """A published tenant as a listing shows it, from its pointer's labels.

    Args:
        published_at: Unix seconds.
        generation: of its pointer.
        fault: why nothing else is known of it; empty: all is.
    """

    tenant_id: str
    name: str = ""
    revision: int = 0
    sha256: str = ""
    published_at: int = 0
    by: str = ""
    suspended: bool = False
    offboarding: bool = False
    schema_version: int = 0
    generation: int = 0
    fault: str = ""


@attrs.frozen(eq=False)
class StoredRelease:
    """A revision as it was read back, and found to be whole.

    Args:
        files: its sources by name.
    """

    revision: StoredRevision
    files: Mapping[str, bytes]
    compiled: CompiledTenant


def list_tenants(objects: Objects) -> Iterator[ListedTenant]:
    """Every published tenant, by id; a pointer is read where it came without labels alone.

    What lies where tenants lie and can be none, such as ``ACME``, is listed with its fault.

    Raises:
        ObjectsUnavailableError: the registry cannot be read.
    """
    for listed in objects.list(layout.POINTERS):
        tenant_id = layout.tenant_of(listed.name)
        if not is_tenant_id(tenant_id):
            yield ListedTenant(tenant_id, fault=_NO_ID)
            continue
        try:
            yield _listed(tenant_id, listed.generation, listed.labels)
        except (KeyError, ValueError):  # As where a directory was copied, or kept in git.
            yield from _pointed(objects, tenant_id)


def list_working_forms(objects: Objects) -> Iterator[str]:
    """The ids of tenants in working form, published ones too; for directory registries alone.

    Raises:
        ObjectsUnavailableError: the registry cannot be read.
    """
    for listed in objects.list(layout.WORKING_FORMS):
        tenant_id = layout.tenant_of(listed.name)
        if is_tenant_id(tenant_id):
            yield tenant_id


def show(objects: Objects, tenant_id: str) -> Held:
    """A tenant's pointer, with its history.

    Raises:
        UnknownTenantError: there is no such tenant.
        WorkingFormError: it was never published.
        BrokenObjectError: the pointer makes no sense.
        ObjectsUnavailableError: the registry cannot be read.
    """
    found = find(objects, tenant_id)
    if found is None and in_working_form(objects, tenant_id):
        raise WorkingFormError(tenant_id)
    if found is None:
        raise UnknownTenantError(tenant_id)
    return found


def history(objects: Objects, tenant_id: str) -> tuple[StoredRevision, ...]:
    """The revisions that were published, newest first; see ``show``."""
    return show(objects, tenant_id).pointer.history[::-1]


def read_release(objects: Objects, tenant_id: str, revision: int | None = None) -> StoredRelease:
    """Read all of a revision back.

    Args:
        objects: the registry.
        tenant_id: of a published tenant.
        revision: its number; None: the one in force.

    Raises:
        UnknownTenantError: there is no such tenant.
        WorkingFormError: it was never published.
        UnknownRevisionError: it has no such revision.
        BrokenObjectError: the revision is not whole.
        ObjectsUnavailableError: the registry cannot be read.
    """
    return read_whole(objects, tenant_id, revision_of(show(objects, tenant_id), revision))


def revision_of(held: Held, number: int | None) -> StoredRevision:
    """A published revision by its number; None: the one in force.

    Raises:
        UnknownRevisionError: there is none, or it is kept no longer.
    """
    number = held.pointer.revision if number is None else number
    for each in held.pointer.history:
        if each.revision == number:
            return each
    raise UnknownRevisionError(held.tenant_id, number)


def read_whole(objects: Objects, tenant_id: str, revision: StoredRevision) -> StoredRelease:
    """Read a revision's files and see that they are what was published.

    Raises:
        BrokenObjectError: they are not.
        ObjectsUnavailableError: the registry cannot be read.
    """
    folder = layout.revision(tenant_id, revision.revision, revision.sha256, "")
    files = {}
    for listed in objects.list(f"{folder}**"):
        stored = objects.read(listed.name)
        if stored is not None:
            files[listed.name.removeprefix(folder)] = stored.content
    name = folder + compiled_json.FILE
    compiled = files.pop(compiled_json.FILE, b"")
    if hashlib.sha256(compiled).hexdigest() != revision.compiled_sha256:
        raise BrokenObjectError(name, "it is missing, or not what was published")
    if digest(files) != revision.sha256:
        raise BrokenObjectError(folder, "its files are not those that were published")
    return StoredRelease(revision, files, compiled_json.decode(compiled, name))


def _pointed(objects: Objects, tenant_id: str) -> Iterator[ListedTenant]:
    """A tenant as its pointer itself says; nothing where it is gone by now."""
    try:
        found = find(objects, tenant_id)
    except BrokenObjectError as error:
        yield ListedTenant(tenant_id, fault=str(error))
    else:
        if found is not None:
            yield _listed(tenant_id, found.generation, labels_of(found.pointer))


def _listed(tenant_id: str, generation: int, labels: Mapping[str, str]) -> ListedTenant:
    return ListedTenant(
        tenant_id=tenant_id,
        name=labels["name"],
        revision=int(labels["revision"]),
        sha256=labels["sha256"],
        published_at=int(labels["published_at"]),
        by=labels["by"],
        suspended=labels["suspended"] == "true",
        offboarding=labels["offboarding"] == "true",
        schema_version=int(labels["schema_version"]),
        generation=generation,
    )
