"""A registry in Google Cloud Storage. Importing this imports Google's library.

Objects are read by one request of our own in the client's session: a reader needs content and
generation of one moment, and ``Blob.download_as_bytes`` tells content alone.
"""

import base64
import secrets
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import TypeVar
from urllib.parse import quote

import google_crc32c
import requests
from google.api_core.exceptions import (
    GoogleAPICallError,
    NotFound,
    PreconditionFailed,
    from_http_response,
)
from google.cloud.storage import Blob, Bucket  # type: ignore[import-untyped]  # it brings no types

from tenants.registry.gcs_calls import GcsCalls, PassingError, Patience
from tenants.registry.objects import NEW, Listed, ObjectChangedError, Stored
from tenants.registry.patterns import Pattern, parts_of

T = TypeVar("T")

_MARK = "agw-write"
"""The label by which a writer knows its own write again when the answer was lost."""

_CHUNK_BYTES = 1_048_576
_PAGE = 1000
_FIELDS = "items(name,generation,metadata),nextPageToken"
_ODD_IN_GLOBS = frozenset("?[]{}\\")
_BUCKET_SEEN_SECONDS = 60.0
_NO_BUCKET = "is not there. Make it, or name another"


class GcsObjects:
    """Objects in a bucket of Google Cloud Storage; connects at the first call.

    Args:
        bucket: its name.
        prefix: what the names of all objects begin with, without slashes at its ends.
        emulator: a server without credentials in Google's place, such as ``http://localhost:4443``.
        patience: how long a call goes on.
    """

    def __init__(
        self,
        bucket: str,
        prefix: str = "",
        *,
        emulator: str | None = None,
        patience: Patience | None = None,
    ) -> None:
        self._prefix = f"{prefix}/" if prefix else ""
        self._patience = patience or Patience()
        self._once = {"timeout": self._patience.answer_seconds, "retry": None}
        self._calls = GcsCalls(bucket, emulator, self._patience)
        self._seen = -_BUCKET_SEEN_SECONDS

    def read(self, name: str) -> Stored | None:
        """An object, or None where there is none."""
        return self._read(name, {})

    def changed(self, name: str, since: int) -> Stored | None:
        """An object if its generation is not ``since``; None where it is, or there is none."""
        stored = self._read(name, {} if since == NEW else {"ifGenerationNotMatch": str(since)})
        # A server that passes over the condition, as fake-gcs-server does, tells no news either.
        return stored if stored is not None and stored.generation != since else None

    def write(
        self,
        name: str,
        content: bytes,
        *,
        expected: int | None,
        labels: Mapping[str, str] | None = None,
    ) -> int:
        """Write an object whole or not at all, and return its generation.

        Raises:
            ObjectChangedError: it has another generation than ``expected``.
        """
        mark = secrets.token_hex(8)
        full = self._full(name)
        put = partial(self._put, full, content, {**(labels or {}), _MARK: mark}, expected)
        try:
            return self._ask(put, PreconditionFailed)
        except NotFound:
            raise self._calls.unavailable(_NO_BUCKET) from None
        except PreconditionFailed:
            blob = self._ask(lambda bucket, _: bucket.get_blob(full, **self._once))
            if blob is None or (blob.metadata or {}).get(_MARK) != mark:
                raise ObjectChangedError(name) from None
            return int(blob.generation)

    def delete(self, name: str) -> None:
        """Delete an object; that there is none is fine."""
        full = self._full(name)
        try:
            self._ask(lambda bucket, _: bucket.blob(full).delete(**self._once))
        except NotFound:
            self._check_bucket()

    def list(self, pattern: str) -> Iterator[Listed]:
        """The objects whose names match, by name."""
        wanted = Pattern(self._prefix + pattern)
        token: str | None = ""
        while token is not None:
            try:
                listed, token = self._ask(partial(self._page, wanted, token))
            except NotFound:
                raise self._calls.unavailable(_NO_BUCKET) from None
            yield from listed

    # What is asked of the client; each is one try

    def _get(
        self, full: str, conditions: Mapping[str, str], bucket: Bucket, session: requests.Session
    ) -> Stored | None:
        place = f"{bucket.client.api_endpoint}/download/storage/v1{bucket.path}"
        deadline = time.monotonic() + self._patience.total_seconds
        with session.get(
            f"{place}/o/{quote(full, safe='')}",
            params={"alt": "media", **conditions},
            # As stored, which is what the checksum is of: else what somebody uploaded compressed
            # comes inflated. https://cloud.google.com/storage/docs/transcoding
            headers={"Accept-Encoding": "gzip"},
            timeout=self._patience.answer_seconds,
            stream=True,
        ) as response:
            if response.status_code == requests.codes.not_modified:
                return None
            if response.status_code != requests.codes.ok:
                raise from_http_response(response)  # type: ignore[no-untyped-call]  # the library's
            return _stored(_content(response, deadline), response.headers)

    def _put(
        self,
        full: str,
        content: bytes,
        metadata: Mapping[str, str],
        expected: int | None,
        bucket: Bucket,
        _: requests.Session,
    ) -> int:
        blob = bucket.blob(full)
        blob.metadata = dict(metadata)
        blob.cache_control = "no-store"  # Of a public bucket, readers would get old content.
        blob.upload_from_string(
            content,
            "application/octet-stream",
            if_generation_match=expected,
            checksum="crc32c",
            **self._once,
        )
        return int(blob.generation)

    def _page(
        self, wanted: Pattern, token: str, bucket: Bucket, _: requests.Session
    ) -> tuple[Sequence[Listed], str | None]:
        """A page of a listing, and the token of the next one."""
        blobs = bucket.list_blobs(
            prefix=wanted.fixed_start,
            match_glob=None if _ODD_IN_GLOBS & set(wanted.text) else wanted.text,
            page_token=token or None,
            page_size=_PAGE,
            fields=_FIELDS,
            **self._once,
        )
        found = (blob for blob in next(blobs.pages) if wanted.matches(blob.name))
        return tuple(map(self._listed, found)), blobs.next_page_token

    def _listed(self, blob: Blob) -> Listed:
        labels = {key: value for key, value in (blob.metadata or {}).items() if key != _MARK}
        return Listed(blob.name.removeprefix(self._prefix), int(blob.generation), labels)

    # Around it

    def _read(self, name: str, conditions: Mapping[str, str]) -> Stored | None:
        try:
            return self._ask(partial(self._get, self._full(name), conditions))
        except NotFound:
            self._check_bucket()
            return None

    def _full(self, name: str) -> str:
        parts_of(name)
        return self._prefix + name

    def _ask(
        self,
        call: Callable[[Bucket, requests.Session], T],
        *answers: type[GoogleAPICallError],
    ) -> T:
        found = self._calls.ask(call, *answers)
        self._seen = time.monotonic()
        return found

    def _check_bucket(self) -> None:
        """Tell a bucket that is not there from an object that is not: both answer 404."""
        if time.monotonic() < self._seen + _BUCKET_SEEN_SECONDS:
            return
        try:
            self._ask(lambda bucket, _: next(bucket.list_blobs(max_results=1, **self._once).pages))
        except NotFound:
            raise self._calls.unavailable(_NO_BUCKET) from None


def _content(response: requests.Response, deadline: float) -> bytes:
    """All of a body, also where it comes byte by byte."""
    chunks = []
    while chunk := response.raw.read1(_CHUNK_BYTES, decode_content=False):
        chunks.append(chunk)
        if time.monotonic() > deadline:
            raise PassingError("answers too slowly. Look at the way there, or wait")
    return b"".join(chunks)


def _stored(content: bytes, headers: Mapping[str, str]) -> Stored:
    """What was read, if it is whole."""
    generation = headers.get("x-goog-generation", "")
    hashes = dict(
        pair.strip().partition("=")[::2] for pair in headers.get("x-goog-hash", "").split(",")
    )
    checksum = base64.b64encode(google_crc32c.value(content).to_bytes(4, "big")).decode()
    if hashes.get("crc32c", checksum) != checksum or not generation.isdecimal():
        raise PassingError("sends what is broken. Look at what is between")
    return Stored(content, int(generation))
