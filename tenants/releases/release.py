"""A release: a tenant's files, judged and compiled, ready to be published."""

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from pathlib import Path

import attrs

from migrations_of_config.chain import Chain
from tenants.compiled import CompiledTenant
from tenants.compiling import compile_tenant
from tenants.describing import DESCRIBER, Describer
from tenants.documents import FILE, written_version
from tenants.releases.files import Collected, collect, release_sources
from tenants.sources import KNOWLEDGE_STATE


@attrs.frozen(eq=False)
class Release:
    """A tenant's files and what they compile to.

    Args:
        files: by name, such as ``knowledge/prices.pdf``.
        sha256: of all of them, in hexadecimal.
        schema_version: of the document as it is written.
    """

    files: Mapping[str, bytes]
    sha256: str
    schema_version: int
    compiled: CompiledTenant

    @property
    def tenant_id(self) -> str:
        """Whose it is."""
        return self.compiled.tenant_id


@attrs.frozen
class Preparing:
    """How releases are judged and compiled.

    Args:
        private_upstreams: hosts that an upstream may have though they are private.
        inline_tools: whether tool modules may run outside of cells.
        describer: imports tool modules.
        chain: of the documents' schema versions; None: the released one.
    """

    private_upstreams: AbstractSet[str] = frozenset()
    inline_tools: bool = True
    describer: Describer = DESCRIBER
    chain: Chain | None = None


PREPARING = Preparing()


def prepare(
    tenant_id: str,
    files: Mapping[str, bytes],
    preparing: Preparing = PREPARING,
    *,
    before: Mapping[str, bytes] | None = None,
) -> Release:
    """Make a release of files in memory; waits for the tool module to be described.

    Args:
        tenant_id: whose it is to be.
        files: by name; all that the document names, its knowledge, and nothing else.
        preparing: how it is judged.
        before: the files in force, whose state of knowledge takes the place of that of the new
            ones; None: the new ones' own.

    Raises:
        InvalidTenantError: with everything that is wrong with all of them.
    """
    return _prepared(tenant_id, Collected(files), preparing, before)


def prepare_directory(
    tenant_id: str,
    directory: Path,
    preparing: Preparing = PREPARING,
    *,
    before: Mapping[str, bytes] | None = None,
) -> Release:
    """Make a release of what a directory holds; see ``prepare``."""
    return _prepared(tenant_id, collect(directory, preparing.chain), preparing, before)


def with_state(files: Mapping[str, bytes], before: Mapping[str, bytes]) -> Mapping[str, bytes]:
    """Files with the state of knowledge of those before them, never with one that they bring.

    ``tenantctl knowledge sync`` alone writes it: another one may name another tenant's store.
    """
    kept = {name: content for name, content in files.items() if name != KNOWLEDGE_STATE}
    return kept | {name: before[name] for name in (KNOWLEDGE_STATE,) if name in before}


def _prepared(
    tenant_id: str,
    collected: Collected,
    preparing: Preparing,
    before: Mapping[str, bytes] | None,
) -> Release:
    if before is not None:
        collected = attrs.evolve(collected, files=with_state(collected.files, before))
    sources = release_sources(tenant_id, collected, preparing.chain)
    compiled = compile_tenant(
        sources,
        private_upstreams=preparing.private_upstreams,
        inline_tools=preparing.inline_tools,
        describer=preparing.describer,
        chain=preparing.chain,
    )
    version = written_version(collected.files[FILE])
    return Release(collected.files, sources.revision, version, compiled)
