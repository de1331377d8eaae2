"""``knowledge.json``: which vector store upstream holds a tenant's knowledge, and what is in it.

``tenantctl knowledge sync`` writes it, as a package manager its lock file; it is part of each
revision, so that serving finds the store without asking anybody.
"""

from typing import Annotated, Self

import attrs
import msgspec

from tenants.model import UpstreamSettings

FORMAT = 1
_Id = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9_-]{1,128}\Z")]
_Digest = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{64}\Z")]


class StateError(ValueError):
    """A text is no state of knowledge; the message says why and how to mend it."""


@attrs.frozen
class AccountRef:
    """Which account upstream, as a tenant's document names it; never its key.

    Args:
        base_url: of the upstream; None: the operator's.
        secret: the name of the secret that holds its key; None: the operator's key.
    """

    base_url: str | None = None
    secret: str | None = None

    @classmethod
    def of(cls, upstream: UpstreamSettings) -> Self:
        """The account that answers a tenant's runs."""
        base_url = upstream.base_url.rstrip("/") if upstream.base_url else None
        return cls(base_url, upstream.api_key.name if upstream.api_key else None)


@attrs.frozen
class SyncedFile:
    """A file that the vector store holds.

    Args:
        path: within the tenant's directory, such as ``knowledge/prices.md``.
        sha256: of its content, in hexadecimal.
        file_id: the upstream's id of it.
    """

    path: str
    sha256: _Digest
    file_id: _Id


@attrs.frozen
class KnowledgeState:
    """What was synced last.

    Args:
        vector_store_id: the upstream's id of the store.
        account: that has the store; another one has none of this id.
        files: by path.
    """

    vector_store_id: _Id
    account: AccountRef
    files: tuple[SyncedFile, ...]


@attrs.frozen
class _Stored:
    format: int
    vector_store_id: _Id
    base_url: str | None
    files: tuple[SyncedFile, ...]
    secret: str | None = None


class _Head(msgspec.Struct):
    format: int


_head = msgspec.json.Decoder(_Head)
_stored = msgspec.json.Decoder(_Stored)


def encode(state: KnowledgeState) -> bytes:
    """A state as JSON; the same state gives the same bytes."""
    files = tuple(sorted(state.files, key=lambda file: file.path))
    account = state.account
    stored = _Stored(FORMAT, state.vector_store_id, account.base_url, files, account.secret)
    return msgspec.json.format(msgspec.json.encode(stored), indent=2) + b"\n"


def decode(text: str | bytes) -> KnowledgeState:
    """The state that a text holds.

    Raises:
        StateError: it holds none, or one of a newer program.
    """
    try:
        found = _head.decode(text).format
        if found > FORMAT:
            raise StateError(f"it has format {found}, this program reads up to {FORMAT}: update it")
        stored = _stored.decode(text)
    except (msgspec.DecodeError, RecursionError, UnicodeError) as error:
        raise StateError(
            f"this is not what knowledge sync wrote ({error}): delete it and run"
            " tenantctl knowledge sync"
        ) from None
    account = AccountRef(stored.base_url, stored.secret)
    return KnowledgeState(stored.vector_store_id, account, stored.files)
