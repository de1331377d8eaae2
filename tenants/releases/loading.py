"""A published tenant as serving needs it: three reads, everything verified, none of its code run.

Everything here blocks.
"""

import hashlib
from collections.abc import Set as AbstractSet

import attrs

from tenants import compiled_json
from tenants.addresses import upstream_fault
from tenants.compiled import CompiledTenant
from tenants.documents import FILE
from tenants.errors import BrokenObjectError, Fault, InvalidTenantError
from tenants.keys import Keyring
from tenants.registry import layout
from tenants.registry.objects import NEW, Objects, Stored
from tenants.registry.stored import Pointer, StoredKeys
from tenants.registry.stored_json import decode
from tenants.releases.key_records import keyring_of
from tenants.rules import NO_INLINE_TOOLS


@attrs.frozen
class Loaded:
    """A tenant as it was read.

    Args:
        tenant: with its keys.
        pointer: what says so.
        pointer_generation: of ``current.json``.
        keys_generation: of ``keys.json``; ``NEW`` where there is none.
    """

    tenant: CompiledTenant
    pointer: Pointer
    pointer_generation: int
    keys_generation: int


@attrs.frozen
class Suspended:
    """A tenant that is switched off.

    Args:
        pointer_generation: of ``current.json``.
    """

    pointer_generation: int


def load(
    objects: Objects,
    tenant_id: str,
    *,
    private_upstreams: AbstractSet[str],
    inline_tools: bool = True,
) -> Loaded | Suspended | None:
    """Read a published tenant; None where none is published under that id.

    Args:
        objects: the registry.
        tenant_id: within the grammar.
        private_upstreams: hosts that an upstream may have though they are private.
        inline_tools: whether tool modules may run outside of cells.

    Raises:
        BrokenObjectError: something of it is cut, altered, missing, or of a newer program.
        InvalidTenantError: it is whole and may not be served here.
        ObjectsUnavailableError: the registry cannot be read.
    """
    stored = objects.read(layout.pointer(tenant_id))
    if stored is None:
        return None
    pointer = decode_pointer(tenant_id, stored.content)
    if pointer.suspended:
        return Suspended(stored.generation)
    tenant = read_revision(
        objects,
        tenant_id,
        pointer,
        private_upstreams=private_upstreams,
        inline_tools=inline_tools,
    )
    keys = objects.read(layout.keys(tenant_id))
    return Loaded(
        attrs.evolve(tenant, keys=decode_keys(tenant_id, keys)),
        pointer,
        stored.generation,
        keys.generation if keys else NEW,
    )


def decode_pointer(tenant_id: str, content: bytes) -> Pointer:
    """What ``current.json`` says.

    Raises:
        BrokenObjectError: it says nothing that makes sense.
    """
    return decode(content, Pointer, layout.pointer(tenant_id))


def decode_keys(tenant_id: str, stored: Stored | None) -> Keyring:
    """The keys that ``keys.json`` holds; none where there is no such object.

    Raises:
        BrokenObjectError: it says nothing that makes sense.
    """
    if stored is None:
        return Keyring()
    return keyring_of(decode(stored.content, StoredKeys, layout.keys(tenant_id)))


def read_revision(
    objects: Objects,
    tenant_id: str,
    pointer: Pointer,
    *,
    private_upstreams: AbstractSet[str],
    inline_tools: bool = True,
) -> CompiledTenant:
    """Read the revision that a pointer names, without keys; one read.

    Raises:
        BrokenObjectError: it is cut, altered, missing, or of a newer program.
        InvalidTenantError: it is whole and may not be served here.
        ObjectsUnavailableError: the registry cannot be read.
    """
    name = compiled_name(tenant_id, pointer)
    stored = objects.read(name)
    if stored is None:
        raise BrokenObjectError(name, f"revision {pointer.revision} is in force and is not there")
    return verified(
        tenant_id,
        pointer,
        stored.content,
        private_upstreams=private_upstreams,
        inline_tools=inline_tools,
    )


def verified(
    tenant_id: str,
    pointer: Pointer,
    content: bytes,
    *,
    private_upstreams: AbstractSet[str],
    inline_tools: bool = True,
) -> CompiledTenant:
    """The tenant that a ``compiled.json`` holds, where it is what the pointer means.

    Args:
        tenant_id: whose it is.
        pointer: its ``current.json``.
        content: of ``compiled.json``, from the registry or from a copy.
        private_upstreams: hosts that an upstream may have though they are private.
        inline_tools: whether tool modules may run outside of cells.

    Raises:
        BrokenObjectError: it is cut, altered, or of a newer program.
        InvalidTenantError: it is whole and may not be served here.
    """
    name = compiled_name(tenant_id, pointer)
    if hashlib.sha256(content).hexdigest() != pointer.compiled_sha256:
        raise BrokenObjectError(name, "its SHA-256 is not what the pointer says")
    tenant = compiled_json.decode(content, name)
    if (tenant.tenant_id, tenant.revision) != (tenant_id, pointer.sha256):
        raise BrokenObjectError(name, "it holds another tenant or another revision")
    faults = _faults(tenant, private_upstreams, inline_tools=inline_tools)
    if faults:
        raise InvalidTenantError(tenant_id, faults)
    return tenant


def compiled_name(tenant_id: str, pointer: Pointer) -> str:
    """The name of the ``compiled.json`` that a pointer means."""
    file = compiled_json.FILE
    return layout.revision(tenant_id, pointer.revision, pointer.sha256, file)


def _faults(
    tenant: CompiledTenant, private_upstreams: AbstractSet[str], *, inline_tools: bool
) -> tuple[Fault, ...]:
    """What this gateway does not allow, whatever the one that published it allowed."""
    base_url = tenant.upstream.base_url
    fault = upstream_fault(base_url, private_upstreams) if base_url else None
    faults = [Fault(FILE, "upstream.base_url", fault)] if fault else []
    if tenant.tool_module is not None and not inline_tools:
        faults.append(Fault(FILE, "tools.isolation", NO_INLINE_TOOLS))
    return tuple(faults)
