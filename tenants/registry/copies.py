"""Last good copies on disk: what was in force here, for when the registry is away; blocks."""

import contextlib
import hashlib
import os
import tempfile
import threading
from collections.abc import Iterable, Iterator
from collections.abc import Set as AbstractSet
from pathlib import Path

import attrs

from tenants import compiled_json
from tenants.errors import BrokenObjectError
from tenants.model import is_tenant_id
from tenants.registry.objects import NEW, Stored
from tenants.registry.standing import Standing
from tenants.registry.stored import Pointer
from tenants.registry.stored_json import decode, encode
from tenants.releases.loading import decode_keys, verified

_FORMAT = 1
_SUFFIX = ".copy"
_MOST_BYTES = 1 << 30


@attrs.frozen
class _Head:
    format: int


@attrs.frozen
class _Copy:
    """A copy as it is stored, below a line with the SHA-256 of all of it."""

    format: int
    pointer: Pointer | None
    pointer_generation: int
    keys: bytes | None
    keys_generation: int
    compiled: bytes | None


class Copies:
    """Copies of tenants' standings, one file each, for one registry.

    Files are swapped as a whole and not forced to the disk: one that a power cut has torn does not
    match its hash, and counts as none.

    Args:
        root: of all registries' copies; made, for this user alone, at the first write.
        place: the registry, as the settings name it.
        private_upstreams: hosts that an upstream may have though they are private.
        inline_tools: whether tool modules may run outside of cells.
        most_bytes: over all copies; above it ``prune`` deletes the oldest.
    """

    def __init__(
        self,
        root: Path,
        place: str,
        *,
        private_upstreams: AbstractSet[str],
        inline_tools: bool = True,
        most_bytes: int = _MOST_BYTES,
    ) -> None:
        self._root = root
        self._home = root / hashlib.sha256(place.encode()).hexdigest()[:16]
        self._private_upstreams = private_upstreams
        self._inline_tools = inline_tools
        self._most_bytes = most_bytes
        self._writing = threading.Lock()

    def read(self, tenant_id: str) -> Standing | None:
        """The copy of a tenant; None where there is none that is whole.

        Raises:
            OSError: the disk fails.
            InvalidTenantError: it may not be served here any longer.
        """
        try:
            stored = self._stored(tenant_id)
            return self._standing(tenant_id, stored) if stored else None
        except BrokenObjectError:
            return None

    def write(self, tenant_id: str, standing: Standing) -> None:
        """Replace a tenant's copy, unless that is of something newer.

        Where that fails no copy is left: an old one may hold a key that was revoked since.

        Raises:
            OSError: the disk fails.
        """
        with self._writing:
            if self._newer(tenant_id, standing.generations):
                return
            try:
                self._put(tenant_id, _packed(standing))
            except OSError:
                self._path(tenant_id).unlink(missing_ok=True)
                raise

    def remove(self, tenant_id: str) -> None:
        """Delete a tenant's copy; that there is none is fine.

        Raises:
            OSError: the disk fails.
        """
        with self._writing:
            self._path(tenant_id).unlink(missing_ok=True)

    def among(self, tenant_ids: Iterable[str]) -> frozenset[str]:
        """Those of some tenants that have a copy; what is no tenant's id has none."""
        return frozenset(
            each for each in tenant_ids if is_tenant_id(each) and self._path(each).exists()
        )

    def prune(self, active: AbstractSet[str]) -> None:
        """Delete the oldest copies of tenants that are not active while all take too much room.

        Raises:
            OSError: the disk fails.
        """
        with self._writing:
            found = sorted(self._files(), key=lambda file: file[1].st_mtime_ns)
            left = sum(stat.st_size for _, stat in found)
            for path, stat in found:
                if left <= self._most_bytes:
                    return
                if path.stem not in active:
                    path.unlink(missing_ok=True)
                    left -= stat.st_size

    def _path(self, tenant_id: str) -> Path:
        return self._home / f"{tenant_id}{_SUFFIX}"

    def _files(self) -> Iterator[tuple[Path, os.stat_result]]:
        for path in self._home.glob(f"*{_SUFFIX}"):
            with contextlib.suppress(FileNotFoundError):
                yield path, path.stat()

    def _newer(self, tenant_id: str, generations: tuple[int, int]) -> bool:
        """Whether the copy was made after what is to be written was read."""
        try:
            stored = self._stored(tenant_id)
        except BrokenObjectError:
            return False
        if stored is None:
            return False
        pointer, keys = generations
        # Without keys it opens nothing: a tenant of that id that came after is without them.
        return stored.pointer_generation > pointer or stored.keys_generation > keys != NEW

    def _stored(self, tenant_id: str) -> _Copy | None:
        path = self._path(tenant_id)
        try:
            digest, _, content = path.read_bytes().partition(b"\n")
        except FileNotFoundError:
            return None
        if hashlib.sha256(content).hexdigest().encode() != digest:
            raise BrokenObjectError(path.name, "it is not what was written")
        if decode(content, _Head, path.name).format > _FORMAT:
            raise BrokenObjectError(path.name, "it is of a newer program")
        return decode(content, _Copy, path.name)

    def _standing(self, tenant_id: str, stored: _Copy) -> Standing:
        keys = None if stored.keys is None else Stored(stored.keys, stored.keys_generation)
        standing = Standing(stored.pointer, stored.pointer_generation, None, keys)
        if stored.pointer is None or stored.compiled is None:
            return standing
        # The copy has its own hash, and its bytes are of the program that wrote it.
        digest = hashlib.sha256(stored.compiled).hexdigest()
        tenant = verified(
            tenant_id,
            attrs.evolve(stored.pointer, compiled_sha256=digest),
            stored.compiled,
            private_upstreams=self._private_upstreams,
            inline_tools=self._inline_tools,
        )
        return attrs.evolve(
            standing, tenant=attrs.evolve(tenant, keys=decode_keys(tenant_id, keys))
        )

    def _put(self, tenant_id: str, content: bytes) -> None:
        self._root.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._home.mkdir(mode=0o700, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=self._home)  # for this user alone
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(hashlib.sha256(content).hexdigest().encode() + b"\n" + content)
            Path(name).replace(self._path(tenant_id))
        except OSError:
            Path(name).unlink(missing_ok=True)
            raise


def _packed(standing: Standing) -> bytes:
    keys = standing.keys
    return encode(
        _Copy(
            format=_FORMAT,
            pointer=standing.pointer,
            pointer_generation=standing.pointer_generation,
            keys=keys.content if keys else None,
            keys_generation=standing.generations[1],
            compiled=compiled_json.encode(standing.tenant) if standing.tenant else None,
        )
    )
