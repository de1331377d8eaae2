"""What a tenant's registry remembers of a sync, so that one that was killed can be taken up.

``tenants/<id>/knowledge-sync.json`` is written before anything is made upstream. What is made
there carries its token, so nothing is made twice and nothing is left behind unseen.
"""

import secrets
from contextlib import suppress

import attrs

from tenants.knowledge.state import AccountRef
from tenants.registry import layout
from tenants.registry.objects import NEW, ObjectChangedError, Objects
from tenants.registry.stored_json import decode, encode

FILE = "knowledge-sync.json"


@attrs.frozen
class LeftStore:
    """A vector store at an account that the tenant has left."""

    vector_store_id: str
    account: AccountRef


@attrs.frozen
class StoredProgress:
    """``knowledge-sync.json``.

    Args:
        token: marks what this tenant's syncs make upstream; 16 hexadecimal digits.
        vector_store_id: the store that was made; None: none was, or nobody could write down which.
        account: that it was made at.
        begun_at: Unix seconds; since then a sync has not come to its end. None: the last one did.
        claim: of the sync that began last; another one is known by another claim.
        left: stores of syncs with other accounts.
    """

    token: str
    vector_store_id: str | None = None
    account: AccountRef = attrs.field(factory=AccountRef)
    begun_at: int | None = None
    claim: str = ""
    left: tuple[LeftStore, ...] = ()

    def at(self, account: AccountRef, store_id: str | None) -> "StoredProgress":
        """The same for a sync with this account, whose store this is, if it has one."""
        left = self.left
        if self.vector_store_id and self.vector_store_id != store_id and self.account != account:
            left = (*left, LeftStore(self.vector_store_id, self.account))
        return attrs.evolve(
            self,
            vector_store_id=store_id,
            account=account,
            left=tuple(each for each in left if each.vector_store_id != store_id),
        )


@attrs.define
class Progress:
    """A tenant's progress, as it was read and is written.

    Args:
        generation: of the object; ``NEW`` where there is none.
    """

    objects: Objects
    tenant_id: str
    stored: StoredProgress
    generation: int

    def begin(self, stored: StoredProgress) -> None:
        """Say that a sync is under way, and that whoever was before is so no more.

        Raises:
            ObjectChangedError: another sync of this tenant is under way.
            ObjectsUnavailableError: the registry cannot be written.
        """
        self.write(attrs.evolve(stored, claim=secrets.token_hex(8)))

    def write(self, stored: StoredProgress) -> None:
        """Write it.

        Raises:
            ObjectChangedError: another sync of this tenant is under way.
            ObjectsUnavailableError: the registry cannot be written.
        """
        name = _name(self.tenant_id)
        self.generation = self.objects.write(name, encode(stored), expected=self.generation)
        self.stored = stored

    def expect_ours(self) -> None:
        """Make sure that no other sync has begun.

        Raises:
            ObjectChangedError: one has.
            ObjectsUnavailableError: the registry cannot be read.
        """
        name = _name(self.tenant_id)
        if self.objects.changed(name, self.generation) is not None:
            raise ObjectChangedError(name)

    def end(self) -> None:
        """Say that a sync came to its end; another one that began meanwhile says so itself."""
        with suppress(ObjectChangedError):
            self.write(attrs.evolve(self.stored, begun_at=None))


def read_progress(objects: Objects, tenant_id: str) -> Progress:
    """A tenant's progress; a fresh one that is not written yet where there is none.

    Raises:
        BrokenObjectError: it makes no sense.
        ObjectsUnavailableError: the registry cannot be read.
    """
    name = _name(tenant_id)
    found = objects.read(name)
    if found is None:
        return Progress(objects, tenant_id, StoredProgress(secrets.token_hex(8)), NEW)
    stored = decode(found.content, StoredProgress, name)
    return Progress(objects, tenant_id, stored, found.generation)


def _name(tenant_id: str) -> str:
    return layout.source(tenant_id, FILE)
