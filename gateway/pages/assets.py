"""The pages' files, in memory."""

import hashlib
from collections.abc import Mapping
from importlib import resources

import attrs

_TYPES = {
    "css": "text/css; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "svg": "image/svg+xml",
}


@attrs.frozen
class Asset:
    """One file.

    Args:
        etag: a strong validator, in its quotes (RFC 9110, section 8.8.3).
    """

    body: bytes
    content_type: str
    etag: str


def _load() -> Mapping[str, Asset]:
    folder = resources.files(__package__) / "files"
    return {file.name: _asset(file.name, file.read_bytes()) for file in folder.iterdir()}


def _asset(name: str, body: bytes) -> Asset:
    digest = hashlib.blake2b(body, digest_size=12).hexdigest()
    return Asset(body, _TYPES[name.rpartition(".")[2]], f'"{digest}"')


ASSETS = _load()
"""By name; read once, since they change with the program alone."""
