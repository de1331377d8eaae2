"""Looks at one tenant in a directory and finds out what has become of it; blocks."""

from collections.abc import Set as AbstractSet
from pathlib import Path

import attrs

from tenants.compiled import CompiledTenant
from tenants.compiling import compile_tenant
from tenants.describing import Describer
from tenants.errors import BrokenObjectError, InvalidTenantError
from tenants.registry import layout
from tenants.registry.files import FileObjects
from tenants.registry.listing import has_keys, holds, is_left_over, is_published
from tenants.registry.published_reading import Reader
from tenants.registry.standing import Standing
from tenants.releases.loading import decode_keys
from tenants.sources import read_sources


class DirectoryReader:
    """Reads tenants in both forms: published ones, and those that are served as they stand.

    Args:
        root: the registry's directory, resolved.
        private_upstreams: hosts that an upstream may have though they are private.
        inline_tools: whether tool modules may run outside of cells.
        describer: imports tool modules.
    """

    def __init__(
        self,
        root: Path,
        *,
        private_upstreams: AbstractSet[str],
        inline_tools: bool,
        describer: Describer,
    ) -> None:
        self._root = root
        self._private_upstreams = private_upstreams
        self._inline_tools = inline_tools
        self._describer = describer
        self._objects = FileObjects(root)
        self._published = Reader(
            self._objects, private_upstreams=private_upstreams, inline_tools=inline_tools
        )

    def read(self, tenant_id: str, last: Standing) -> Standing | None:
        """How a tenant stands now; None where the directory does not hold it, or no longer.

        Args:
            tenant_id: the sub-directory.
            last: how it stood, which is returned as it is where nothing has changed.

        Raises:
            ObjectsUnavailableError: the disk fails.
        """
        home = self._root / tenant_id
        if not holds(self._root, tenant_id):
            return None
        if is_published(home):
            return self._published.read(tenant_id, last)
        return None if is_left_over(home) else self._working(tenant_id, last)

    def _working(self, tenant_id: str, last: Standing) -> Standing:
        """How a tenant stands whose files are served as they are, with its keys beside them."""
        found = self._compiled(tenant_id, last)
        kept = has_keys(self._root / tenant_id)
        stored = self._objects.read(layout.keys(tenant_id)) if kept else None
        if found.tenant is None or found.keys == stored:
            return found
        try:
            tenant = attrs.evolve(found.tenant, keys=decode_keys(tenant_id, stored))
            return attrs.evolve(found, tenant=tenant, keys=stored)
        except BrokenObjectError as error:
            return attrs.evolve(
                found,
                tenant=_with_keys_of(last.tenant, found.tenant),
                keys=last.keys,
                refused=str(error),
                refused_revision="",
            )

    def _compiled(self, tenant_id: str, last: Standing) -> Standing:
        sources = read_sources(self._root / tenant_id)
        if last.refused_revision == sources.revision:
            return last
        if last.tenant is not None and last.tenant.revision == sources.revision:
            return attrs.evolve(last, refused="", refused_revision="") if last.refused else last
        try:
            tenant = compile_tenant(
                sources,
                private_upstreams=self._private_upstreams,
                inline_tools=self._inline_tools,
                describer=self._describer,
            )
        except InvalidTenantError as error:
            return attrs.evolve(last, refused=str(error), refused_revision=sources.revision)
        return Standing(tenant=tenant)


def _with_keys_of(before: CompiledTenant | None, tenant: CompiledTenant) -> CompiledTenant | None:
    """A tenant with the keys that it had; without any it is not served."""
    return attrs.evolve(tenant, keys=before.keys) if before else None
