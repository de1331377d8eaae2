"""What a file is called upstream: its own name, and whose it is.

Upstream, nothing but its name tells an uploaded file's origin, and a sync that is killed after an
upload must find that file again, and never take another tenant's. So the name holds the mark of
the tenant's syncs and of path and content; who reads a citation is shown the name without them.
"""

import hashlib
import re
from pathlib import PurePosixPath

_MARKED = re.compile(r"~[0-9a-f]{32}(?=(\.[^.]*)?\Z)")
_LENGTH = 16  # hexadecimal digits of each mark


def upload_name(path: str, token: str, sha256: str) -> str:
    """The name to upload a file under.

    Args:
        path: within the tenant's directory.
        token: the mark of the tenant's syncs, of 16 hexadecimal digits.
        sha256: of its content, in hexadecimal.
    """
    name = PurePosixPath(path)
    mark = hashlib.sha256(f"{path}\0{sha256}".encode()).hexdigest()[:_LENGTH]
    return f"{name.stem}~{token}{mark}{name.suffix}"


def shown_name(filename: str) -> str:
    """A file's own name, without the marks that it may have upstream."""
    return _MARKED.sub("", filename)


def is_of(filename: str, token: str) -> bool:
    """Whether a file was uploaded by a sync with this token."""
    found = _MARKED.search(filename)
    return found is not None and found[0][1:].startswith(token)
