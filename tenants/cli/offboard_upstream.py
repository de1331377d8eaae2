"""What an offboarded tenant has upstream: its vector store and files, which its syncs have made."""

from collections.abc import Iterator
from typing import Any

import attrs

from tenants.cli.errors import UpstreamKeptError
from tenants.cli.knowledge_account import opened_account
from tenants.cli.knowledge_view import Bars, left_behind
from tenants.cli.output import Line
from tenants.cli.secrets_option import opened_store
from tenants.cli.words import told
from tenants.errors import SecretMissingError, SecretsUnavailableError
from tenants.knowledge.account import Account
from tenants.knowledge.errors import NoAccountError
from tenants.knowledge.removing import Remains, Removed, remains, remove
from tenants.model import SecretRef
from tenants.registry.objects import Objects
from tenants.secrets.places import SecretPlace


@attrs.frozen(eq=False)
class Upstream:
    """What there is, and what it is deleted with.

    Args:
        account: None: nothing of it is deleted.
    """

    tenant_id: str
    remains: Remains
    account: Account | None

    def plan(self) -> Iterator[Line]:
        """What becomes of it, a line each."""
        where = self.remains.account.base_url or "the operator's upstream"
        if self.account is not None:
            yield f"Its vector store and files at {where} are deleted.", "bold red"
        else:
            token = self.remains.token
            yield f"Its vector store and files stay at {where}. To find them there:", "yellow"
            yield f"  the store's metadata says agw_sync = {token}", "yellow"
            yield f"  the files have {token} in their names", "yellow"
        yield from ((line, "yellow") for line in left_behind(self.remains.left))

    def delete(self, bars: Bars) -> Removed | None:
        """Delete it, if that is wanted; what is gone already is fine.

        Raises:
            AccountError: the upstream does not work, or refuses; to be done again.
        """
        return None if self.account is None else remove(self.account, self.remains, bars)

    def close(self) -> None:
        """Let go of the account."""
        if self.account is not None:
            self.account.close()


def upstream_of(
    objects: Objects, tenant_id: str, secrets: SecretPlace, *, keep: bool
) -> Upstream | None:
    """What a tenant has upstream, to be closed after use; None where it never had anything.

    Args:
        objects: the registry.
        tenant_id: of the tenant.
        secrets: where the account's key is.
        keep: leave it there.

    Raises:
        UpstreamKeptError: there is no key to delete it with.
        BrokenObjectError: what the registry holds of it makes no sense.
        ObjectsUnavailableError: the registry cannot be read.
    """
    found = remains(objects, tenant_id)
    if found is None:
        return None
    if keep:
        return Upstream(tenant_id, found, None)
    key = SecretRef(found.account.secret) if found.account.secret else None
    try:
        base_url, store = found.account.base_url, opened_store(secrets)
        return Upstream(tenant_id, found, opened_account(tenant_id, base_url, key, store))
    except (NoAccountError, SecretMissingError, SecretsUnavailableError) as error:
        raise UpstreamKeptError(tenant_id, told(error)) from error


def removed_json(upstream: Upstream | None, removed: Removed | None) -> dict[str, Any] | None:
    """What became of it, for programs."""
    if upstream is None:
        return None
    done = removed or Removed((), 0)
    return {
        "kept": upstream.account is None,
        "stores_deleted": done.stores,
        "files_deleted": done.files,
        "left_stores": [each.vector_store_id for each in upstream.remains.left],
    }
