"""Taking away what a tenant's syncs have made upstream.

An offboarding calls ``remains`` first, since the registry alone knows what there is: once that is
deleted, nobody finds it any more. So the order is: say that the offboarding has begun, ``remove``,
delete the registry's objects. Each part can be done again, so one that was killed goes on.
"""

import attrs

from tenants.knowledge.account import Account
from tenants.knowledge.names import is_of
from tenants.knowledge.progress import LeftStore, read_progress
from tenants.knowledge.state import AccountRef
from tenants.knowledge.watching import Silent, Watcher
from tenants.registry.objects import NEW, Objects


@attrs.frozen
class Remains:
    """What a tenant has upstream.

    Args:
        token: the mark of its files and of its store.
        account: that they are at.
        left: stores at accounts that the tenant has left; they are named, and not removed.
    """

    token: str
    account: AccountRef
    left: tuple[LeftStore, ...]


@attrs.frozen
class Removed:
    """What was deleted upstream.

    Args:
        stores: their ids.
        files: how many there were.
    """

    stores: tuple[str, ...]
    files: int


def remains(objects: Objects, tenant_id: str) -> Remains | None:
    """What a tenant has upstream, as its registry knows; asks nobody else.

    Returns:
        None where no sync of the tenant has ever begun.

    Raises:
        BrokenObjectError: what the registry holds of it makes no sense.
        ObjectsUnavailableError: the registry cannot be read.
    """
    progress = read_progress(objects, tenant_id)
    if progress.generation == NEW:
        return None
    stored = progress.stored
    return Remains(stored.token, stored.account, stored.left)


def remove(account: Account, remains: Remains, watcher: Watcher | None = None) -> Removed:
    """Delete a tenant's vector store and its files; that they are gone already is fine.

    Files that somebody else put into the store stay, outside of it.

    Args:
        account: the one that ``remains`` names.
        remains: what there is.
        watcher: who is told how far it is.

    Raises:
        AccountError: the upstream does not work, or refuses; to be done again.
    """
    stores = account.stores(remains.token)
    for store_id in stores:
        account.delete_store(store_id)
    files = [each for each in account.uploads(0) if is_of(each.filename, remains.token)]
    for count, each in enumerate(files, 1):
        account.delete(each.file_id)
        (watcher or Silent()).told("Removing", count, len(files))
    return Removed(tuple(stores), len(files))
