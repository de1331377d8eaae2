"""The routes of Cloud Storage's JSON API that a registry needs, from request to answer."""

import base64
import gzip
import json
import re
import secrets
from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import Any
from urllib.parse import parse_qsl, unquote

import attrs

from tests.fakes.gcs_objects import LARGEST_PAGE, Bucket, Condition, Kept, RefusedError

_UPLOAD = re.compile(r"/(?:resumable/)?upload/storage/v1/b/([^/]+)/o")
_OBJECT = re.compile(r"(?:/download)?/storage/v1/b/([^/]+)/o/([^/]+)")
_OBJECTS = re.compile(r"/storage/v1/b/([^/]+)/o")
_BUCKET = re.compile(r"/storage/v1/b/([^/]+)")
_CONDITIONS = {"ifGenerationMatch", "ifGenerationNotMatch"}


@attrs.define(slots=False)
class Asked:
    """A request as it came.

    Args:
        path: still quoted.
        headers: by lower-case name.
    """

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes

    @classmethod
    def of(cls, method: str, target: str, headers: Mapping[str, str], body: bytes) -> "Asked":
        """A request to a target."""
        path, _, query = target.partition("?")
        return cls(method, path, dict(parse_qsl(query, keep_blank_values=True)), headers, body)

    @cached_property
    def kind(self) -> str:
        """What it wants, in one word."""
        if _UPLOAD.fullmatch(self.path):
            return "session" if self.opens_session else "write"
        if _OBJECTS.fullmatch(self.path):
            return "list"
        if not _OBJECT.fullmatch(self.path):
            return "bucket"
        if self.method == "DELETE":
            return "delete"
        if self.query.get("alt") != "media":
            return "facts"
        return "changed" if "ifGenerationNotMatch" in self.query else "read"

    @cached_property
    def name(self) -> str:
        """The object that it names, or nothing."""
        if found := _OBJECT.fullmatch(self.path):
            return unquote(found[2])
        return self.query.get("name") or (self.upload[0].get("name", "") if self.body else "")

    @property
    def opens_session(self) -> bool:
        """Whether it begins a resumable upload."""
        return self.query.get("uploadType") == "resumable" and "upload_id" not in self.query

    @cached_property
    def upload(self) -> tuple[dict[str, Any], bytes]:
        """The metadata and the content that came in one request; nothing where it is no upload."""
        if self.opens_session:
            return json.loads(self.body or b"{}"), b""
        if self.query.get("uploadType") != "multipart":
            return {}, b""
        boundary = re.findall(r'boundary="?([^";]+)', self.headers["content-type"])[0].encode()
        _, sent, media, _ = self.body.split(b"--" + boundary, 3)
        content = media.partition(b"\r\n\r\n")[2].removesuffix(b"\r\n")
        return json.loads(sent.partition(b"\r\n\r\n")[2]), content

    @property
    def condition(self) -> Condition:
        """Its preconditions; those that are not known here are refused, never passed over."""
        if odd := {key for key in self.query if key.startswith("if")} - _CONDITIONS:
            raise RefusedError(501, "notImplemented", f"{odd}")
        match = self.query.get("ifGenerationMatch")
        not_match = self.query.get("ifGenerationNotMatch")
        return Condition(match and int(match), not_match and int(not_match))


@attrs.frozen
class Answer:
    """What is answered; ``content-length`` is the server's part."""

    status: int
    headers: Mapping[str, str] = attrs.field(factory=dict)
    body: bytes = b""


@attrs.define
class _Session:
    """A resumable upload that has begun."""

    begun: Asked
    content: bytearray = attrs.field(factory=bytearray)


class Routes:
    """Answers requests for the buckets that there are."""

    def __init__(self, buckets: Iterable[str]) -> None:
        self.buckets = {name: Bucket(name) for name in buckets}
        self._sessions: dict[str, _Session] = {}

    def answer(self, asked: Asked) -> Answer:
        """Do what is asked."""
        try:
            return self._answer(asked)
        except RefusedError as refusal:
            return refused(refusal, as_text=asked.kind in ("read", "changed"))

    def _answer(self, asked: Asked) -> Answer:
        if found := _UPLOAD.fullmatch(asked.path):
            return self._upload(self._bucket(found[1]), asked)
        if found := _OBJECTS.fullmatch(asked.path):
            return _list(self._bucket(found[1]), asked)
        if found := _OBJECT.fullmatch(asked.path):
            return _object(self._bucket(found[1]), asked)
        if found := _BUCKET.fullmatch(asked.path):
            return _json({"kind": "storage#bucket", "name": self._bucket(found[1]).name})
        raise RefusedError(501, "notImplemented", f"{asked.method} {asked.path}")

    def _bucket(self, name: str) -> Bucket:
        if name not in self.buckets:
            raise RefusedError(404, "notFound", "The specified bucket does not exist.")
        return self.buckets[name]

    def _upload(self, bucket: Bucket, asked: Asked) -> Answer:
        if asked.opens_session:
            bucket.check(asked.name, asked.condition)
            upload_id = secrets.token_hex(8)
            self._sessions[upload_id] = _Session(asked)
            query = f"uploadType=resumable&upload_id={upload_id}"
            return Answer(200, {"location": f"http://{asked.headers['host']}{asked.path}?{query}"})
        if "upload_id" in asked.query:
            return self._resume(bucket, asked)
        sent, content = asked.upload
        return _json(bucket.put(asked.name, content, sent, asked.condition).resource)

    def _resume(self, bucket: Bucket, asked: Asked) -> Answer:
        session = self._sessions[asked.query["upload_id"]]
        session.content += asked.body
        total = asked.headers["content-range"].rpartition("/")[2]
        if total == "*" or len(session.content) < int(total):
            end = {"range": f"bytes=0-{len(session.content) - 1}"} if session.content else {}
            return Answer(308, end)
        sent = session.begun.upload[0] | _hashes(asked.headers.get("x-goog-hash", ""))
        content, begun = bytes(session.content), session.begun
        return _json(bucket.put(begun.name, content, sent, begun.condition).resource)


def refused(refusal: RefusedError, *, as_text: bool) -> Answer:
    """A refusal; content's own route says it in plain text."""
    if refusal.status == 304:
        return Answer(304)
    if as_text:
        return Answer(refusal.status, {"content-type": "text/html"}, refusal.message.encode())
    reason = {"message": refusal.message, "domain": "global", "reason": refusal.reason}
    error = {"code": refusal.status, "message": refusal.message, "errors": [reason]}
    return _json({"error": error}, refusal.status)


def _json(value: object, status: int = 200) -> Answer:
    return Answer(status, {"content-type": "application/json"}, json.dumps(value).encode())


def _object(bucket: Bucket, asked: Asked) -> Answer:
    if asked.method == "DELETE":
        bucket.delete(asked.name, asked.condition)
        return Answer(204)
    if asked.method != "GET":
        raise RefusedError(501, "notImplemented", asked.method)
    kept = bucket.get(asked.name, asked.condition)
    if asked.kind == "facts":
        return _json(kept.resource)
    return _content(kept, takes_gzip="gzip" in asked.headers.get("accept-encoding", ""))


def _content(kept: Kept, *, takes_gzip: bool) -> Answer:
    """An object's content; a compressed one is inflated for who does not take it as it is.

    The hashes are of what is stored all the same
    (https://cloud.google.com/storage/docs/transcoding).
    """
    facts = kept.resource
    encoding = facts.get("contentEncoding", "identity")
    headers = {
        "content-type": facts["contentType"],
        "x-goog-generation": facts["generation"],
        "x-goog-metageneration": facts["metageneration"],
        "x-goog-hash": f"crc32c={facts['crc32c']},md5={facts['md5Hash']}",
        "x-goog-stored-content-length": facts["size"],
        "x-goog-stored-content-encoding": encoding,
        "etag": facts["etag"],
    }
    if encoding == "gzip" and not takes_gzip:
        return Answer(200, headers, gzip.decompress(kept.content))
    as_stored = {"content-encoding": encoding} if encoding != "identity" else {}
    return Answer(200, {**headers, **as_stored}, kept.content)


def _list(bucket: Bucket, asked: Asked) -> Answer:
    query = asked.query
    found, folders, last = bucket.page(
        query.get("prefix", ""),
        query.get("matchGlob", ""),
        query.get("delimiter", ""),
        base64.b64decode(query.get("pageToken", "")).decode(),
        min(int(query.get("maxResults", LARGEST_PAGE)), LARGEST_PAGE),
    )
    page: dict[str, Any] = {"kind": "storage#objects", "items": [kept.resource for kept in found]}
    if folders:
        page["prefixes"] = sorted(folders)
    if last is not None:
        page["nextPageToken"] = base64.b64encode(last.encode()).decode()
    return _json(_selected(page, query["fields"]) if "fields" in query else page)


def _selected(page: Mapping[str, Any], fields: str) -> dict[str, Any]:
    """The fields of a page that were asked for: of the form ``items(a,b),c``."""
    selected = {}
    for field, inner in re.findall(r"(\w+)(?:\(([^)]*)\))?", fields):
        value = page.get(field)
        if inner:
            names = inner.split(",")
            value = [{key: each[key] for key in names if key in each} for each in value]
        if value is not None:
            selected[field] = value
    return selected


def _hashes(header: str) -> dict[str, str]:
    names = {"crc32c": "crc32c", "md5": "md5Hash"}
    pairs = (each.strip().partition("=") for each in header.split(",") if each)
    return {names[name]: value for name, _, value in pairs}
