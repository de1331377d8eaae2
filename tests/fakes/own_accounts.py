"""Tenants with upstream accounts of their own, whose keys are in Secret Manager."""

from collections.abc import Iterable
from pathlib import Path

from tests.fakes.gateway import write_tenant
from tests.fakes.locked_upstream import LockedUpstream
from tests.fakes.secret_manager import PROJECT, SecretManager
from tests.fakes.two_tenants import OPERATOR_KEY

NAME = "openai-api-key"


def own_account(upstream: LockedUpstream) -> str:
    """The part of a document that names the account."""
    return f'\n[upstream]\nbase_url = "{upstream.base_url}"\napi_key = "secret:{NAME}"\n'


def own_accounts(
    folder: Path, upstream: LockedUpstream, manager: SecretManager, tenants: Iterable[str]
) -> dict[str, str]:
    """Write these tenants with accounts of their own, and ``globex`` with the operator's.

    Returns:
        The variables of a gateway that serves them.
    """
    for tenant_id in tenants:
        write_tenant(folder / "tenants", tenant_id, rest=own_account(upstream))
    write_tenant(folder / "tenants", "globex")
    return {
        "GATEWAY_TENANTS": f"dir:{folder / 'tenants'}",
        "GATEWAY_STORE": f"sqlite:{folder / 'gateway.db'}",
        "GATEWAY_SECRETS": f"gcp:{PROJECT}",
        "SECRET_MANAGER_EMULATOR_HOST": manager.address,
        "GATEWAY_PRIVATE_UPSTREAMS": "127.0.0.1",
        "OPENAI_BASE_URL": upstream.base_url,
        "OPENAI_API_KEY": OPERATOR_KEY,
    }
