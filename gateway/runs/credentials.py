"""Which upstream account answers a tenant's runs."""

import hashlib
from collections.abc import Sequence
from functools import lru_cache

import attrs
import msgspec

from gateway.engines.events import Event, decode
from gateway.engines.ports import Credential
from tenants.compiled import CompiledTenant
from tenants.errors import SecretMissingError, SecretsUnavailableError
from tenants.ports import Secrets

_FAILURES = frozenset({"error", "response.failed"})


@attrs.frozen
class Account:
    """A credential, and what tells it from others without giving it away.

    Args:
        origin: a hash of URL and key, kept beside items that only this account can read again.
    """

    credential: Credential
    origin: str

    def blanked(self, events: Sequence[Event]) -> Sequence[Event]:
        """Events as they may be kept: an upstream that fails may repeat the key.

        A failure is the last event of its answer.
        """
        if not events or events[-1].type not in _FAILURES:
            return events
        failure, key = events[-1], msgspec.json.encode(self.credential.api_key)[1:-1]
        if not key or key not in failure.raw:
            return events
        return [*events[:-1], decode(failure.raw.replace(key, b"[key]"))]


class Credentials:
    """Finds a tenant's own account, or the operator's.

    Args:
        operator: the account of tenants that name none.
    """

    def __init__(self, secrets: Secrets, operator: Credential) -> None:
        self._secrets = secrets
        self._operator = operator

    async def account(self, tenant: CompiledTenant) -> Account:
        """The account of this tenant's runs.

        The operator's key goes to the operator's URL alone: a tenant that names its own URL
        names its own key.

        Raises:
            SecretMissingError: the tenant's key is not in the secret store.
            SecretsUnavailableError: the secret store did not answer.
        """
        ref = tenant.upstream.api_key
        if ref is None:
            return _account(self._operator)
        return self._own(tenant, await self._secrets.read(tenant.tenant_id, ref))

    async def renewed(self, tenant: CompiledTenant, refused: Account) -> Account | None:
        """The account with another key, after its upstream did not accept this one.

        Returns:
            None where there is no other: the operator's key stays as long as the process, and a
            tenant's is the same as before, or cannot be read.
        """
        ref, key = tenant.upstream.api_key, refused.credential.api_key
        if ref is None:
            return None
        try:
            renewed = await self._secrets.renew(tenant.tenant_id, ref, key)
        except (SecretMissingError, SecretsUnavailableError):
            return None
        return None if renewed == key else self._own(tenant, renewed)

    def _own(self, tenant: CompiledTenant, key: str) -> Account:
        return _account(Credential(tenant.upstream.base_url or self._operator.base_url, key))


def _account(credential: Credential) -> Account:
    return Account(credential, _origin(credential.base_url, credential.api_key))


@lru_cache(maxsize=4096)
def _origin(base_url: str, api_key: str) -> str:
    return hashlib.blake2b(f"{base_url}\0{api_key}".encode(), digest_size=8).hexdigest()
