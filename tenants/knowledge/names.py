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
    return f"{name.stem}~{marks(path, token, sha256)}{name.suffix}"


def marks(path: str, token: str, sha256: str) -> str:
    """What in its name upstream tells a file; arguments as of ``upload_name``."""
    return token + hashlib.sha256(f"{path}\0{sha256}".encode()).hexdigest()[:_LENGTH]


def marks_of(filename: str) -> str:
    """The marks in a name upstream; empty where there are none.

    The rest of a name may come back written in another way than it was sent.
    """
    found = _MARKED.search(filename)
    return found[0][1:] if found else ""


def shown_name(filename: str) -> str:
    """A file's own name, without the marks that it may have upstream."""
    return _MARKED.sub("", filename)


def is_of(filename: str, token: str) -> bool:
    """Whether a file was uploaded by a sync with this token."""
    return marks_of(filename).startswith(token)
