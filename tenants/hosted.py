"""The tools that the upstream runs itself, as elements of the Responses API's ``tools``."""

from collections.abc import Iterator

import msgspec

from tenants.knowledge.state import AccountRef, KnowledgeState
from tenants.model import TenantDocument

_CODE_INTERPRETER = msgspec.json.encode({"type": "code_interpreter", "container": {"type": "auto"}})


def hosted_tools(document: TenantDocument, state: KnowledgeState | None) -> Iterator[bytes]:
    """A tenant's hosted tools, each encoded as JSON.

    ``file_search`` is left out until there is a vector store to search: offered without one, the
    upstream would refuse every turn.

    Args:
        document: names them.
        state: what of its knowledge is synced.
    """
    for name in document.tools.hosted:
        if name == "code_interpreter":
            yield _CODE_INTERPRETER
        elif state is not None and is_of(state, document):
            yield msgspec.json.encode(
                {"type": "file_search", "vector_store_ids": [state.vector_store_id]}
            )


def is_of(state: KnowledgeState, document: TenantDocument) -> bool:
    """Whether a state is of knowledge and of an account that a document names."""
    return document.knowledge is not None and state.account == AccountRef.of(document.upstream)
