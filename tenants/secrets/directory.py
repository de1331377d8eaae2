"""Secrets in a directory, one file each, as Kubernetes mounts them: ``agw_<id>_<NAME>``."""

import asyncio
import os
import stat
import tempfile
from collections.abc import Set as AbstractSet
from pathlib import Path

from tenants.errors import SecretMissingError, SecretsUnavailableError
from tenants.model import LATEST, SecretRef, is_secret_name
from tenants.secrets.places import expect_names, prefix, stored_name
from tenants.secrets.stored import MOST_BYTES, SecretVersion, StoredSecret, value_of


class DirectorySecrets:
    """Reads and writes secrets as files.

    Args:
        path: of the directory.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    async def read(self, tenant_id: str, ref: SecretRef) -> str:
        """The value, without the newline at its end; there are no versions but the latest.

        Raises:
            SecretMissingError: there is none of that name for this tenant, or it is empty.
            SecretsUnavailableError: the directory or the file cannot be read.
        """
        expect_names(tenant_id, ref)
        if ref.version != LATEST:
            raise SecretMissingError(tenant_id, ref.name, "files have no versions")
        content = await asyncio.to_thread(self._content, stored_name(tenant_id, ref.name))
        return value_of(tenant_id, ref.name, content)

    async def reach(self) -> None:
        """See ``tenants.ports.SecretStore``."""
        if not (self._path.is_dir() and os.access(self._path, os.R_OK | os.X_OK)):
            detail = f"{self._path} is no directory that can be read. Mount it, or name another"
            raise SecretsUnavailableError(detail)

    async def close(self) -> None:
        """Nothing to close."""

    async def write(self, tenant_id: str, name: str, value: str) -> int:
        """Replace a secret's file whole or not at all; its owner alone can read it.

        Raises:
            SecretsUnavailableError: the directory cannot be written.
        """
        expect_names(tenant_id, SecretRef(name))
        await asyncio.to_thread(self._replace, stored_name(tenant_id, name), value)
        return 1

    async def stored(self, tenant_id: str) -> tuple[StoredSecret, ...]:
        """A tenant's secrets, by name.

        Raises:
            SecretsUnavailableError: the directory cannot be read.
        """
        return await asyncio.to_thread(self._listed, prefix(tenant_id))

    async def retire(
        self,
        tenant_id: str,  # noqa: ARG002  (the port's)
        name: str,  # noqa: ARG002  (the port's)
        pinned: AbstractSet[int] = frozenset(),  # noqa: ARG002  (the port's)
    ) -> tuple[int, ...]:
        """Nothing: what was there before is there no more."""
        return ()

    def _content(self, name: str) -> str | None:
        try:
            return _read(self._path / name).decode()
        except FileNotFoundError:
            if self._path.is_dir():
                return None
            raise _unavailable(self._path, "is not there") from None
        except UnicodeDecodeError:
            raise _unavailable(self._path / name, "is no text in UTF-8") from None
        except OSError as error:
            raise _unavailable(self._path / name, f"cannot be read: {error.strerror}") from None

    def _replace(self, name: str, value: str) -> None:
        try:
            number, made = tempfile.mkstemp(prefix=".agw-", dir=self._path)
        except OSError as error:
            raise _unavailable(self._path, f"cannot be written: {error.strerror}") from None
        try:
            with os.fdopen(number, "w", encoding="utf-8", newline="") as file:
                file.write(value)
                file.flush()
                os.fsync(number)
            Path(made).replace(self._path / name)
        except OSError as error:
            Path(made).unlink(missing_ok=True)
            raise _unavailable(self._path / name, f"cannot be written: {error.strerror}") from None

    def _listed(self, beginning: str) -> tuple[StoredSecret, ...]:
        try:
            files = {
                entry.name.removeprefix(beginning): entry.stat()
                for entry in os.scandir(self._path)
                if entry.name.startswith(beginning) and entry.is_file()
            }
        except OSError as error:
            raise _unavailable(self._path, f"cannot be read: {error.strerror}") from None
        return tuple(
            StoredSecret(name, (SecretVersion(1, "enabled", int(facts.st_mtime)),))
            for name, facts in sorted(files.items())
            if is_secret_name(name)
        )


def _read(path: Path) -> bytes:
    """A file's bytes, as far as a secret may have them.

    Raises:
        OSError: it cannot be read.
        SecretsUnavailableError: it is no file, or too large.
    """
    # A pipe without a writer would be waited for otherwise.
    with os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK), "rb") as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise _unavailable(path, "is no file")
        content = file.read(MOST_BYTES + len(b"\r\n") + 1)
    if len(content) > MOST_BYTES + len(b"\r\n"):
        raise _unavailable(path, f"has more than {MOST_BYTES:,} bytes")
    return content


def _unavailable(path: Path, words: str) -> SecretsUnavailableError:
    return SecretsUnavailableError(f"{path} {words}")
