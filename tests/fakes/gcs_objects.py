"""What Google Cloud Storage keeps: buckets of objects with generations and preconditions.

From its documentation (https://cloud.google.com/storage/docs/json_api/v1/objects) and from what its
Python client was seen to send.
"""

import base64
import bisect
import hashlib
import itertools
import re
import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

import attrs
import google_crc32c

LARGEST_PAGE = 1000
_SCANNED_A_PAGE = 5000  # With a pattern that few names match, a page may hold fewer, or none.
_GLOB_TOKENS = {"**": ".*", "*": "[^/]*", "?": "[^/]"}


@attrs.frozen
class RefusedError(Exception):
    """A request is refused.

    Args:
        reason: Cloud Storage's own word for it.
    """

    status: int
    reason: str
    message: str = ""


@attrs.frozen
class Kept:
    """One generation of an object.

    Args:
        resource: what its metadata say.
    """

    name: str
    content: bytes
    generation: int
    resource: Mapping[str, Any]


@attrs.frozen
class Condition:
    """The preconditions of a request, each a generation or None; 0 is that of no object."""

    match: int | None = None
    not_match: int | None = None

    def check(self, kept: Kept | None, *, reading: bool) -> None:
        """Refuse with 412, or 304 where an object is read that the client has."""
        generation = kept.generation if kept else 0
        if self.match is not None and self.match != generation:
            raise RefusedError(412, "conditionNotMet", "At least one precondition did not hold.")
        if self.not_match is not None and self.not_match == generation:
            raise RefusedError(304 if reading else 412, "conditionNotMet")


class Bucket:
    """The objects of one bucket, without versioning."""

    def __init__(self, name: str, clock=time.time) -> None:
        self.name = name
        self._clock = clock
        self._generations = itertools.count(time.time_ns() // 1000)
        self._kept: dict[str, Kept] = {}
        self._names: list[str] = []

    def get(self, name: str, condition: Condition) -> Kept:
        """An object to be read."""
        kept = self._kept.get(name)
        if kept is None:
            raise RefusedError(404, "notFound", f"No such object: {self.name}/{name}")
        condition.check(kept, reading=True)
        return kept

    def check(self, name: str, condition: Condition) -> None:
        """Refuse what may not be written."""
        condition.check(self._kept.get(name), reading=False)

    def put(self, name: str, content: bytes, sent: Mapping[str, Any], condition: Condition) -> Kept:
        """Write an object whole, with the metadata that the client sent along."""
        self.check(name, condition)
        resource = self._resource(name, content, sent)
        if any(sent.get(field, resource[field]) != resource[field] for field in CHECKSUMS):
            raise RefusedError(400, "invalid", "The content does not have that checksum.")
        if name not in self._kept:
            bisect.insort(self._names, name)
        self._kept[name] = Kept(name, content, int(resource["generation"]), resource)
        return self._kept[name]

    def delete(self, name: str, condition: Condition) -> None:
        """Delete an object."""
        if name not in self._kept:
            raise RefusedError(404, "notFound", f"No such object: {self.name}/{name}")
        self.check(name, condition)
        del self._kept[name]
        del self._names[bisect.bisect_left(self._names, name)]

    def page(
        self, prefix: str, glob: str, delimiter: str, after: str, most: int
    ) -> tuple[list[Kept], set[str], str | None]:
        """A page of objects by name, the prefixes up to a delimiter, and the last name looked at.

        The next page begins ``after`` that one; it is None where there is no next page.
        """
        matches = re.compile(_expression(glob)).fullmatch if glob else bool
        found: list[Kept] = []
        folders: set[str] = set()
        last = after
        for scanned, name in enumerate(self._from(prefix, after)):
            if len(found) + len(folders) >= most or scanned >= _SCANNED_A_PAGE:
                return found, folders, last
            last = name
            head, cut, _ = name[len(prefix) :].partition(delimiter) if delimiter else ("", "", "")
            if cut:
                folders.add(prefix + head + cut)
            elif matches(name):
                found.append(self._kept[name])
        return found, folders, None

    def _from(self, prefix: str, after: str) -> Iterator[str]:
        start = max(
            bisect.bisect_left(self._names, prefix), bisect.bisect_right(self._names, after)
        )
        names = itertools.islice(self._names, start, None)
        return itertools.takewhile(lambda name: name.startswith(prefix), names)

    def _resource(self, name: str, content: bytes, sent: Mapping[str, Any]) -> dict[str, Any]:
        generation = next(self._generations)
        now = datetime.fromtimestamp(self._clock(), UTC).isoformat(timespec="milliseconds")
        return {
            "kind": "storage#object",
            "id": f"{self.name}/{name}/{generation}",
            "name": name,
            "bucket": self.name,
            "generation": str(generation),
            "metageneration": "1",
            "contentType": sent.get("contentType") or "application/octet-stream",
            "storageClass": "STANDARD",
            "size": str(len(content)),
            **{field: checksum(content) for field, checksum in CHECKSUMS.items()},
            "etag": base64.b64encode(f"{generation}/1".encode()).decode(),
            "timeCreated": now,
            "updated": now,
            **{
                key: sent[key]
                for key in ("metadata", "cacheControl", "contentEncoding")
                if sent.get(key)
            },
        }


def _crc32c(content: bytes) -> str:
    return base64.b64encode(google_crc32c.Checksum(content).digest()).decode()


def _md5(content: bytes) -> str:
    return base64.b64encode(hashlib.md5(content, usedforsecurity=False).digest()).decode()


CHECKSUMS = {"crc32c": _crc32c, "md5Hash": _md5}


def _expression(glob: str) -> str:
    """Its patterns are more than ours: what it would read otherwise must not be sent to it."""
    if odd := re.search(r"[][{}\\]", glob):
        raise RefusedError(501, "notImplemented", f"a pattern with {odd[0]}")
    tokens = re.findall(r"\*\*|.", glob)
    return "".join(_GLOB_TOKENS.get(token) or re.escape(token) for token in tokens)
