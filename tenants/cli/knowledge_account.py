"""The account upstream that holds a tenant's knowledge."""

import asyncio
import os

from tenants.knowledge.account import OPENAI, Account
from tenants.knowledge.errors import NoAccountError, UnusableKeyError
from tenants.model import SecretRef
from tenants.ports import SecretStore


def opened_account(
    tenant_id: str, base_url: str | None, key: SecretRef | None, secrets: SecretStore
) -> Account:
    """An account, to be closed after use.

    Args:
        tenant_id: whose knowledge it holds.
        base_url: of the upstream; None: the operator's.
        key: the secret that holds the account's key; None: the operator's key.
        secrets: where it is read.

    Raises:
        NoAccountError: there is no key.
        UnusableKeyError: what there is can be none.
        SecretMissingError, SecretsUnavailableError: its secret cannot be read.
    """
    if key is not None:
        value = asyncio.run(_read(secrets, tenant_id, key))
    else:
        value = os.environ.get("OPENAI_API_KEY", "").strip()
    if not value:
        raise NoAccountError
    if not (value.isascii() and value.isprintable()):
        raise UnusableKeyError
    return Account(base_url or os.environ.get("OPENAI_BASE_URL", "").strip() or OPENAI, value)


async def _read(secrets: SecretStore, tenant_id: str, ref: SecretRef) -> str:
    try:
        return await secrets.read(tenant_id, ref)
    finally:
        await secrets.close()
