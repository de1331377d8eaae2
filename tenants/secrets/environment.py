"""Secrets from environment variables: ``AGW_<ID>__<NAME>`` in upper case, hyphens as underscores.

Neither a tenant's id nor a secret's name holds an underscore, and no name holds two hyphens in a
row, so two different pairs never have the same variable.
"""

import re
from collections import defaultdict
from collections.abc import Mapping

from tenants.errors import SecretMissingError
from tenants.model import SecretRef, is_secret_name, is_tenant_id

_PREFIX = "AGW_"
_VARIABLE = re.compile(r"AGW_(?P<id>[A-Z0-9_]+)__(?P<name>[A-Z0-9_]+)")


def variable(tenant_id: str, name: str) -> str:
    """The name of the variable that holds a secret."""
    return f"{_PREFIX}{_folded(tenant_id)}__{_folded(name)}"


def check(environ: Mapping[str, str]) -> tuple[str, ...]:
    """What is wrong with the names of an environment's secrets, a sentence each; no values."""
    spellings: defaultdict[str, list[str]] = defaultdict(list)
    for name in environ:
        if name.upper().startswith(_PREFIX):
            spellings[name.upper()].append(name)
    faults = [
        f"{' and '.join(sorted(names))} are one secret twice: keep {folded}"
        for folded, names in spellings.items()
        if len(names) > 1
    ]
    faults += [
        f"{names[0]} is no secret's name: write AGW_<TENANT>__<NAME> in upper case"
        for names in spellings.values()
        if len(names) == 1 and not _is_readable(names[0])
    ]
    return tuple(sorted(faults))


class EnvironmentSecrets:
    """Reads secrets from an environment.

    Args:
        environ: such as ``os.environ``.
    """

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ

    async def read(self, tenant_id: str, ref: SecretRef) -> str:
        """The value.

        Raises:
            SecretMissingError: there is none of that name for this tenant, or it is empty.
        """
        known = is_tenant_id(tenant_id) and is_secret_name(ref.name)
        value = self._environ.get(variable(tenant_id, ref.name), "") if known else ""
        if not value:
            raise SecretMissingError(tenant_id, ref.name)
        return value


def _folded(name: str) -> str:
    return name.upper().replace("-", "_")


def _is_readable(name: str) -> bool:
    found = _VARIABLE.fullmatch(name)
    if found is None:
        return False
    tenant_id, secret = (part.lower().replace("_", "-") for part in found.groups())
    return is_tenant_id(tenant_id) and is_secret_name(secret)
