"""An upstream account's files and vector stores, through the ``openai`` client.

Importing this imports ``openai``, so nothing does it but what syncs.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

import openai
from openai.types import VectorStore
from openai.types.vector_stores import VectorStoreFile
from openai.types.vector_stores.file_batch_create_params import File

from tenants.knowledge.choosing import Wanted
from tenants.knowledge.errors import AccountError, FileFault, FileRefusedError
from tenants.knowledge.names import marks_of, upload_name
from tenants.knowledge.planning import Entry, Present, Upload

OPENAI = "https://api.openai.com/v1"
_PAUSES_SECONDS = (0.5, 2.0, 8.0)
_HOPELESS = frozenset({400, 401, 403, 404})
_RETRIES = 3  # the client's own, of what may be sent twice without harm
_TIMEOUT_SECONDS = 60.0  # of silence; the client's own ten minutes are for long answers of models
_CONNECT_SECONDS = 10.0
_HEADERS_TEXT = "accept accept-encoding connection content-length content-type host user-agent"
_HEADERS = frozenset([*_HEADERS_TEXT.split(), "transfer-encoding"])
_PAGE = 100
_FILES_PAGE = 1000
_BATCH = 500
_CLOCKS_APART_SECONDS = 3600
_FILES_OWN_FAULT = frozenset({400, 413, 415, 422})


class Account:
    """Files and vector stores.

    Args:
        base_url: of the upstream's API.
        api_key: of the account.
        pause: waits so many seconds.
        retries: how often the client asks again by itself.
        timeout_seconds: of silence, after which it is taken for dead.
    """

    def __init__(
        self,
        base_url: str,
        api_key: str,
        *,
        pause: Callable[[float], None] = time.sleep,
        retries: int = _RETRIES,
        timeout_seconds: float = _TIMEOUT_SECONDS,
    ) -> None:
        self._client = openai.OpenAI(
            base_url=base_url,
            api_key=api_key,
            max_retries=retries,
            timeout=openai.Timeout(timeout_seconds, connect=min(timeout_seconds, _CONNECT_SECONDS)),
            http_client=openai.DefaultHttpxClient(
                # A redirect would carry the key, or a tenant's files, to another host.
                follow_redirects=False,
                event_hooks={"request": [_bare(api_key)]},
            ),
        )
        self._once = self._client.with_options(max_retries=0)
        self._pause = pause

    def close(self) -> None:
        """Close its connections."""
        self._client.close()

    # Vector stores

    def has_store(self, store_id: str, token: str) -> bool:
        """Whether there is such a vector store in use, and a sync with this token has made it."""
        with _faults():
            try:
                return _is_of(self._client.vector_stores.retrieve(store_id), token)
            except openai.NotFoundError:
                return False

    def stores(self, token: str) -> list[str]:
        """The vector stores that syncs with this token have made.

        There is more than one where an answer came so late that another was asked for.
        """
        with _faults():
            listed = self._client.vector_stores.list(limit=_PAGE)
            return [store.id for store in listed if _is_of(store, token)]

    def create_store(self, name: str, tenant_id: str, token: str) -> str:
        """Make a vector store, and return its id."""
        metadata = {"agw_tenant": tenant_id, "agw_sync": token}

        def make() -> str:
            with _faults():
                return self._once.vector_stores.create(name=name, metadata=metadata).id

        return self._surely(make, lambda: next(iter(self.stores(token)), None))

    def delete_store(self, store_id: str) -> None:
        """Delete a vector store; its files stay."""
        with _faults(), suppress(openai.NotFoundError):
            self._client.vector_stores.delete(store_id)

    def present(self, store_id: str) -> list[Present]:
        """The files of a vector store."""
        with _faults():
            files = self._client.vector_stores.files.list(store_id, limit=_PAGE)
            return [_present(file) for file in files]

    # Files

    def uploads(self, since: int) -> list[Upload]:
        """What was uploaded since a Unix time."""
        found = []
        with _faults():
            listed = self._client.files.list(purpose="assistants", limit=_FILES_PAGE, order="desc")
            for file in listed:
                if file.created_at < since - _CLOCKS_APART_SECONDS:
                    break
                found.append(Upload(file.id, file.filename))
        return found

    def find_upload(self, file_id: str) -> Upload | None:
        """A file, by its id."""
        with _faults():
            try:
                return Upload(file_id, self._client.files.retrieve(file_id).filename)
            except openai.NotFoundError:
                return None

    def upload(self, wanted: Wanted, token: str, since: int) -> str:
        """Upload a file once, and return its id.

        Args:
            wanted: the file.
            token: the mark of the tenant's syncs.
            since: when this sync began, as Unix time.

        Raises:
            FileRefusedError: the upstream does not take it.
            AccountError: it takes no files now.
        """
        name = upload_name(wanted.path, token, wanted.sha256)

        def send() -> str:
            with _faults(wanted.path):
                file = (name, wanted.content)
                return self._once.files.create(file=file, purpose="assistants").id

        def find() -> str | None:
            marks = marks_of(name)
            found = (up.file_id for up in self.uploads(since) if marks_of(up.filename) == marks)
            return next(found, None)

        return self._surely(send, find)

    def _surely(self, make: Callable[[], str], find: Callable[[], str | None]) -> str:
        """Make something once: an answer that is lost does not say whether it was made.

        Args:
            make: asks for it, and gives its id.
            find: its id where it is there already.
        """
        for seconds in _PAUSES_SECONDS:
            try:
                return make()
            except AccountError as error:
                if error.status in _HOPELESS:
                    raise
                self._pause(seconds)
            if made := find():
                return made
        return make()

    def attach(self, store_id: str, entries: Sequence[Entry]) -> None:
        """Put files into a vector store, where they are indexed.

        In batches: OpenAI takes 300 writes a minute to one store.
        """
        for start in range(0, len(entries), _BATCH):
            files: list[File] = [
                {
                    "file_id": each.file_id,
                    "attributes": {"agw_path": each.path, "agw_sha256": each.sha256},
                }
                for each in entries[start : start + _BATCH]
            ]
            with _faults():
                self._client.vector_stores.file_batches.create(store_id, files=files)

    def detach(self, store_id: str, file_id: str) -> None:
        """Take a file out of a vector store; that it is not there is fine."""
        with _faults(), suppress(openai.NotFoundError):
            self._client.vector_stores.files.delete(file_id, vector_store_id=store_id)

    def delete(self, file_id: str) -> None:
        """Delete a file; that there is none is fine."""
        with _faults(), suppress(openai.NotFoundError):
            self._client.files.delete(file_id)


def _bare(api_key: str) -> Callable[[Any], None]:
    """Take from a request what the client adds of its environment.

    ``OPENAI_CUSTOM_HEADERS`` and the like are the operator's, and may hold credentials, while the
    account may be a tenant's, at the tenant's URL. And the gateway does not send them, so with
    them other things might be found than runs will find.
    """

    def strip(request: Any) -> None:  # noqa: ANN401  (of the client's own HTTP library)
        for name in {*request.headers} - _HEADERS:
            del request.headers[name]
        request.headers["authorization"] = f"Bearer {api_key}"

    return strip


def _is_of(store: VectorStore, token: str) -> bool:
    """Whether a store was made with this token; one that has expired holds nothing any more."""
    return (store.metadata or {}).get("agw_sync") == token and store.status != "expired"


def _present(file: VectorStoreFile) -> Present:
    attributes = file.attributes or {}
    error = f"{file.last_error.code}: {file.last_error.message}" if file.last_error else ""
    path, sha256 = attributes.get("agw_path", ""), attributes.get("agw_sha256", "")
    return Present(file.id, str(path), str(sha256), file.status, error)


@contextmanager
def _faults(path: str = "") -> Iterator[None]:
    """Turn the client's errors into ours; a path says that the file may be what is wrong."""
    try:
        yield
    except openai.APIStatusError as error:
        message = _message(error)
        if path and error.status_code in _FILES_OWN_FAULT:
            raise FileRefusedError(FileFault(path, f"the upstream refuses it: {message}")) from None
        raise AccountError(f"{error.status_code} {message}", error.status_code) from None
    except openai.APITimeoutError:
        raise AccountError("it did not answer in time") from None
    except openai.APIConnectionError:
        raise AccountError("it cannot be reached, or broke the connection") from None
    except openai.OpenAIError as error:
        raise AccountError(f"its answer makes no sense ({type(error).__name__})") from None


def _message(error: openai.APIStatusError) -> str:
    """The upstream's own words, on one line; those of a bad key repeat a part of it."""
    if error.status_code in (401, 403):
        return "it refuses the key" if error.status_code == 401 else "the key may not do this"  # noqa: PLR2004
    body = error.body if isinstance(error.body, dict) else {}
    return " ".join(str(body.get("message") or "without a reason").split())[:300]
