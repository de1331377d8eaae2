"""Secrets from environment variables; see ``tenants.secrets.places`` for their names."""

import re
from collections import defaultdict
from collections.abc import Mapping

from tenants.errors import SecretMissingError
from tenants.model import LATEST, SecretRef, is_secret_name, is_tenant_id
from tenants.secrets.places import expect_names, variable
from tenants.secrets.stored import SecretVersion, StoredSecret, value_of

_ONLY = SecretVersion(1, "enabled", None)
_PREFIX = "AGW_"
_VARIABLE = re.compile(r"AGW_(?P<id>[A-Z0-9_]+)__(?P<name>[A-Z0-9_]+)")


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
    """Reads secrets from an environment, which stays as it was when the process began.

    Args:
        environ: such as ``os.environ``.
    """

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ

    async def read(self, tenant_id: str, ref: SecretRef) -> str:
        """The value, without the newline at its end; there are no versions but the latest.

        Raises:
            SecretMissingError: there is none of that name for this tenant, or it is empty.
        """
        expect_names(tenant_id, ref)
        if ref.version != LATEST:
            raise SecretMissingError(tenant_id, ref.name, "variables have no versions")
        return value_of(tenant_id, ref.name, self._environ.get(variable(tenant_id, ref.name)))

    async def renew(self, tenant_id: str, ref: SecretRef, refused: str) -> str:  # noqa: ARG002  (the port's; nothing here can have changed)
        """The same value, as long as the process lives; see ``tenants.ports.Secrets``."""
        return await self.read(tenant_id, ref)

    async def stored(self, tenant_id: str) -> tuple[StoredSecret, ...]:
        """A tenant's secrets, by name."""
        beginning = variable(tenant_id, "")
        names = (
            name.removeprefix(beginning).lower().replace("_", "-")
            for name in self._environ
            if name.startswith(beginning) and _is_readable(name)
        )
        # What begins with AGW_A__ may be of a tenant a--b too.
        return tuple(StoredSecret(name, (_ONLY,)) for name in sorted(names) if is_secret_name(name))

    async def reach(self) -> None:
        """Nothing to reach."""

    async def close(self) -> None:
        """Nothing to close."""


def _is_readable(name: str) -> bool:
    found = _VARIABLE.fullmatch(name)
    if found is None:
        return False
    tenant_id, secret = (part.lower().replace("_", "-") for part in found.groups())
    return is_tenant_id(tenant_id) and is_secret_name(secret)
