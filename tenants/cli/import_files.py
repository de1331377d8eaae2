"""The files of an import: what stands beside the configuration, and the tenant's directory."""

import os
import shutil
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

from migrations_of_config.earlier.importing import Source, import_config
from migrations_of_config.earlier.report import Imported
from tenants.cli.errors import TooLargeError
from tenants.compiling import compile_tenant
from tenants.errors import Fault, InvalidTenantError
from tenants.sources import LARGEST_FILE_BYTES, Sources

_LARGEST_BYTES = 16 * 1_048_576


def beside(directory: Path) -> Callable[[str], bytes | None]:
    """A function from a name to the bytes of a file in a directory; nothing leads out of it.

    Args:
        directory: resolved.
    """

    def read(name: str) -> bytes | None:
        try:
            path = (directory / name).resolve(strict=True)
            inside = path.is_relative_to(directory) and path.is_file()
            small = inside and path.stat().st_size <= LARGEST_FILE_BYTES
            return path.read_bytes() if small else None
        except (OSError, RuntimeError, ValueError):
            return None

    return read


def read(file: Path, tenant_id: str | None, name: str | None) -> Imported:
    """Read an earlier configuration; nothing is written.

    Args:
        file: of any generation; what it names is read from beside it.
        tenant_id: None: the file says.
        name: the tenant's; None: the file says.

    Raises:
        TooLargeError: it is no configuration.
        EarlierConfigError: with everything that is wrong with it.
    """
    if file.stat().st_size > _LARGEST_BYTES:
        raise TooLargeError(file, _LARGEST_BYTES)
    source = Source(file.resolve().as_posix(), file.read_bytes(), beside(file.resolve().parent))
    return import_config(source, tenant_id=tenant_id, display_name=name)


def faults_of(imported: Imported) -> tuple[Fault, ...]:
    """What keeps the files from being served; the tool module is not run for it."""
    texts = {name: text for name, text in imported.files.items() if not name.endswith(".py")}
    sources = Sources(imported.tenant_id, texts, None, (), "")
    try:
        compile_tenant(sources, private_upstreams=frozenset())
    except InvalidTenantError as error:
        return error.faults
    return ()


def existing(directory: Path, names: Mapping[str, str]) -> dict[str, str]:
    """The texts that would be written over."""
    paths = {name: directory / name for name in names}
    return {
        name: path.read_text(encoding="utf-8", errors="replace")
        for name, path in paths.items()
        if path.is_file()
    }


def write(directory: Path, files: Mapping[str, str]) -> None:
    """Write a tenant's directory whole or not at all; its other files stay.

    Raises:
        OSError: it cannot be written; then what was there is there still.
    """
    directory.parent.mkdir(parents=True, exist_ok=True)
    workshop = Path(tempfile.mkdtemp(prefix=".import-", dir=directory.parent))
    try:
        made = workshop / "new"
        if directory.exists():
            shutil.copytree(directory, made, symlinks=True)
        made.mkdir(exist_ok=True)
        for name, text in files.items():
            (made / name).unlink(missing_ok=True)  # A link would lead somewhere else.
            (made / name).write_text(text, encoding="utf-8", newline="\n")
        _exchange(made, directory, workshop / "old")
    finally:
        shutil.rmtree(workshop, ignore_errors=True)


def _exchange(made: Path, directory: Path, old: Path) -> None:
    """Put a directory in another's place; put the other back where that fails."""
    there = directory.exists()
    if there:
        os.rename(directory, old)  # noqa: PTH104  (as the other one, which must not resolve links)
    try:
        os.rename(made, directory)  # noqa: PTH104
    except OSError:
        if there:
            os.rename(old, directory)  # noqa: PTH104
        raise
