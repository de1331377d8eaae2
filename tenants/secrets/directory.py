"""Secrets from a directory, one file each, as Kubernetes mounts them: ``agw_<id>_<NAME>``."""

import asyncio
from pathlib import Path

from tenants.errors import SecretMissingError, SecretsUnavailableError
from tenants.model import SecretRef, is_secret_name, is_tenant_id


class DirectorySecrets:
    """Reads secrets from files.

    Args:
        path: of the directory.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    async def read(self, tenant_id: str, ref: SecretRef) -> str:
        """The value, without the newline at its end.

        Raises:
            SecretMissingError: there is none of that name for this tenant, or it is empty.
            SecretsUnavailableError: the directory or the file cannot be read.
        """
        if not (is_tenant_id(tenant_id) and is_secret_name(ref.name)):
            raise SecretMissingError(tenant_id, ref.name)
        value = await asyncio.to_thread(self._content, f"agw_{tenant_id}_{ref.name}")
        if not value:
            raise SecretMissingError(tenant_id, ref.name)
        return value

    def _content(self, name: str) -> str:
        try:
            return (self._path / name).read_text(encoding="utf-8").rstrip("\r\n")
        except FileNotFoundError:
            if self._path.is_dir():
                return ""
            raise SecretsUnavailableError from None
        except (OSError, UnicodeDecodeError):
            raise SecretsUnavailableError from None
