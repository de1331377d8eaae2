"""What commands ask of a running gateway, through the operator's API."""

import os
from typing import Any, Self

import attrs
import msgspec

from tenants.cli.errors import CliError
from tenants.cli.http import ask


@attrs.frozen
class NoAdminKeyError(CliError):
    """There is no key for the operator's API."""

    def __str__(self) -> str:
        return "The gateway's operator API needs a key: set GATEWAY_ADMIN_KEY to the gateway's own."


class _Key(msgspec.Struct):
    id: str
    last_used_at: int | None = None


class _Keys(msgspec.Struct):
    data: list[_Key]


@attrs.frozen
class AdminApi:
    """The operator's API of one gateway.

    Args:
        url: of the gateway, without a trailing slash.
        key: its ``GATEWAY_ADMIN_KEY``.
    """

    url: str
    key: str = attrs.field(repr=False)

    @classmethod
    def from_environment(cls, url: str) -> Self:
        """With the first key that ``GATEWAY_ADMIN_KEY`` names.

        Raises:
            NoAdminKeyError: it names none.
        """
        key = os.environ.get("GATEWAY_ADMIN_KEY", "").partition(",")[0].strip()
        if not key:
            raise NoAdminKeyError
        return cls(url, key)

    def last_used(self, tenant_id: str) -> dict[str, int | None]:
        """When each of a tenant's keys was last used, in Unix seconds, by the key's id.

        Raises:
            CliError: the gateway cannot be asked, or will not say.
        """
        keys = self._ask(_Keys, "GET", f"tenants/{tenant_id}/keys").data
        return {each.id: each.last_used_at for each in keys}

    def reach(self) -> None:
        """See that the gateway answers, and takes the key.

        Raises:
            CliError: it does not.
        """
        self._ask(dict[str, Any], "GET", "health")

    def delete_data(self, tenant_id: str) -> None:
        """Delete a tenant's threads, runs and whatever else the gateway keeps of it.

        Raises:
            CliError: the gateway cannot be asked, or will not.
        """
        self._ask(dict[str, Any], "DELETE", f"tenants/{tenant_id}/data")

    def _ask(self, kind: Any, method: str, path: str) -> Any:  # noqa: ANN401  (any JSON)
        headers = {"Authorization": f"Bearer {self.key}"}
        return ask(kind, method, f"{self.url}/admin/api/{path}", headers)
