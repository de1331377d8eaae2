"""Looks at one tenant in a directory and finds out what has become of it; blocks."""

from collections.abc import Set as AbstractSet
from pathlib import Path
from typing import TypeAlias

import attrs

from tenants.compiled import CompiledTenant
from tenants.compiling import compile_tenant
from tenants.describing import Describer
from tenants.errors import Fault, InvalidTenantError
from tenants.registry.listing import holds
from tenants.sources import read_sources


@attrs.frozen
class Gone:
    """The directory does not hold it, or not any longer."""


@attrs.frozen
class Unchanged:
    """It is as it was when it was last looked at."""

    revision: str


@attrs.frozen
class Rejected:
    """Its files cannot be served."""

    revision: str
    faults: tuple[Fault, ...]


Finding: TypeAlias = CompiledTenant | Rejected | Unchanged | Gone


def look(
    root: Path,
    tenant_id: str,
    *,
    seen: AbstractSet[str],
    private_upstreams: AbstractSet[str],
    describer: Describer,
) -> Finding:
    """Read a tenant and compile it where that is needed.

    Args:
        root: the registry's directory, resolved.
        tenant_id: the sub-directory.
        seen: revisions about which everything is known.
        private_upstreams: hosts that an upstream may have though they are private.
        describer: imports its tool module.
    """
    if not holds(root, tenant_id):
        return Gone()
    sources = read_sources(root / tenant_id)
    if sources.revision in seen:
        return Unchanged(sources.revision)
    try:
        return compile_tenant(sources, private_upstreams=private_upstreams, describer=describer)
    except InvalidTenantError as error:
        return Rejected(sources.revision, error.faults)
