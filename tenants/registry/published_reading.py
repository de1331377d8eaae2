"""Reads a published tenant and finds out what of it is in force; blocks."""

from collections.abc import Set as AbstractSet

import attrs

from tenants.compiled import CompiledTenant
from tenants.errors import BrokenObjectError, InvalidTenantError
from tenants.keys import Keyring
from tenants.registry import layout
from tenants.registry.objects import Objects, ObjectsUnavailableError, Stored
from tenants.registry.standing import NOTHING, Standing
from tenants.registry.stored import Pointer
from tenants.releases.loading import decode_keys, decode_pointer, read_revision


class Reader:
    """Reads tenants: pointer and keys each time, a revision only when it is another one.

    What is broken, or may not be served, is passed over: the last good revision and the last good
    keys stay in force, each for itself.

    Args:
        objects: the registry.
        private_upstreams: hosts that an upstream may have though they are private.
        inline_tools: whether tool modules may run outside of cells.
    """

    def __init__(
        self, objects: Objects, *, private_upstreams: AbstractSet[str], inline_tools: bool = True
    ) -> None:
        self._objects = objects
        self._private_upstreams = private_upstreams
        self._inline_tools = inline_tools

    def read(self, tenant_id: str, last: Standing) -> Standing | None:
        """How a tenant stands now; None where none is published under that id.

        Args:
            tenant_id: within the grammar.
            last: how it stood, which is returned as it is where nothing has changed.

        Raises:
            ObjectsUnavailableError: the registry cannot be read.
        """
        stored = self._objects.read(layout.pointer(tenant_id))
        if stored is None:
            if last is not NOTHING:
                self._insist_on_a_registry()
            return None
        keys, keyring, broken_keys = self._keys(tenant_id, last)
        pointer, tenant, broken_revision = self._revision(tenant_id, stored, last)
        if tenant is not None and tenant.keys is not keyring:
            tenant = attrs.evolve(tenant, keys=keyring) if keyring is not None else None
        refused = "\n".join(filter(None, (broken_revision, broken_keys)))
        found = Standing(pointer, stored.generation, tenant, keys, refused)
        return last if found == last else found

    def _insist_on_a_registry(self) -> None:
        """Tell a tenant that is gone from a registry that is.

        Raises:
            ObjectsUnavailableError: nothing at all is there.
        """
        if self._objects.read(layout.CHANGES) is None:
            raise ObjectsUnavailableError(f"there is no {layout.CHANGES} any longer: restore it")

    def _keys(self, tenant_id: str, last: Standing) -> tuple[Stored | None, Keyring | None, str]:
        """The keys in force, None without good ones, and what is wrong with the newest."""
        held = last.tenant.keys if last.tenant else None
        stored = self._objects.read(layout.keys(tenant_id))
        if held is not None and stored == last.keys:
            return last.keys, held, ""
        try:
            return stored, decode_keys(tenant_id, stored), ""
        except BrokenObjectError as error:
            return last.keys, held, str(error)

    def _revision(
        self, tenant_id: str, stored: Stored, last: Standing
    ) -> tuple[Pointer | None, CompiledTenant | None, str]:
        """The revision in force, and what is wrong with the newest one."""
        try:
            pointer = attrs.evolve(decode_pointer(tenant_id, stored.content), history=())
            if last.pointer is not None and _same(pointer, last.pointer) and last.tenant:
                return pointer, last.tenant, ""
            tenant = None if pointer.suspended else self._read(tenant_id, pointer)
        except (BrokenObjectError, InvalidTenantError) as error:
            return last.pointer, last.tenant, str(error)
        return pointer, tenant, ""

    def _read(self, tenant_id: str, pointer: Pointer) -> CompiledTenant:
        return read_revision(
            self._objects,
            tenant_id,
            pointer,
            private_upstreams=self._private_upstreams,
            inline_tools=self._inline_tools,
        )


def _same(one: Pointer, other: Pointer) -> bool:
    """Whether both mean the same revision."""
    return (one.revision, one.sha256, one.compiled_sha256) == (
        other.revision,
        other.sha256,
        other.compiled_sha256,
    )
