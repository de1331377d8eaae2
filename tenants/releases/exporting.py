"""Writes a revision's files into a directory, whole or not at all."""

import errno
import os
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path


def export(files: Mapping[str, bytes], directory: Path) -> None:
    """Write files into a new or empty directory.

    Args:
        files: by name, such as those of ``tenants.releases.reading.read_release``.
        directory: what is above it is made where it is missing.

    Raises:
        OSError: it cannot be written, or something is there; then nothing has changed.
    """
    directory.parent.mkdir(parents=True, exist_ok=True)
    workshop = Path(tempfile.mkdtemp(prefix=".export-", dir=directory.parent))
    try:
        made = workshop / directory.name
        made.mkdir()
        for name, content in files.items():
            path = made / name
            if not path.resolve().is_relative_to(made.resolve()):
                raise OSError(errno.EINVAL, "it leads out of the directory", name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        os.rename(made, directory)  # noqa: PTH104  (it takes the place of an empty directory alone)
    finally:
        shutil.rmtree(workshop, ignore_errors=True)
