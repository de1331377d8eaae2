"""Whether a tenant's knowledge can be searched as its files want it."""

from collections.abc import Iterator, Mapping

from tenants.conversion import structure
from tenants.documents import FILE, readable
from tenants.hosted import is_of
from tenants.knowledge.choosing import digest_of, selected
from tenants.knowledge.state import KnowledgeState, StateError, decode
from tenants.model import KnowledgeSettings, TenantDocument
from tenants.sources import KNOWLEDGE_STATE


def notices(tenant_id: str, files: Mapping[str, bytes]) -> list[str]:
    """What an operator should know of a valid tenant's knowledge, a sentence each.

    Args:
        tenant_id: whose files these are.
        files: all of them, by name.
    """
    document, _ = structure(readable(files.get(FILE, b"").decode("utf-8-sig", "replace")))
    return [] if document is None else [*_notices(tenant_id, document, files)]


def _notices(tenant_id: str, document: TenantDocument, files: Mapping[str, bytes]) -> Iterator[str]:
    knowledge, state = document.knowledge, _state(files)
    remedy = f"run `tenantctl knowledge sync {tenant_id}`."
    if "file_search" not in document.tools.hosted:
        if knowledge is not None:
            yield 'Nothing searches [knowledge]: write hosted = ["file_search"] in [tools].'
    elif knowledge is None or not knowledge.files:
        yield "file_search is not offered to the model: name files for it in [knowledge]."
    elif state is None or not is_of(state, document):
        yield f"file_search is not offered to the model until its files are uploaded: {remedy}"
    elif _wanted(knowledge, files) != {(file.path, file.sha256) for file in state.files}:
        yield f"file_search finds what was uploaded before, not these files: {remedy}"


def _wanted(knowledge: KnowledgeSettings, files: Mapping[str, bytes]) -> set[tuple[str, str]]:
    return {(name, digest_of(files[name])) for name in selected(knowledge, files)}


def _state(files: Mapping[str, bytes]) -> KnowledgeState | None:
    try:
        return decode(files[KNOWLEDGE_STATE]) if KNOWLEDGE_STATE in files else None
    except StateError:
        return None
