"""Bringing a tenant's vector store in line with its knowledge files.

The order is safe to be killed in anywhere, and a sync that runs again goes on where it stopped:

1. The registry remembers a token and that a sync began, before anything is made upstream.
2. What is made upstream carries the token: the store in its metadata, files in their names, and
   the store's entries in their attributes. So a later sync finds all of it.
3. Once every file is indexed, the new revision is published with ``knowledge.json``.
4. Only then is deleted what the new revision does not name: until then the one before still finds
   all that it named. A rollback later on searches what the last sync left; syncing again brings
   the store in line with the revision in force, whose files the registry keeps.
"""

import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from typing import TypeVar

import attrs

from tenants.knowledge.account import Account
from tenants.knowledge.errors import (
    FileFault,
    FileRefusedError,
    FilesFailedError,
    IndexingStalledError,
)
from tenants.knowledge.material import Job
from tenants.knowledge.planning import Entry, Plan, Present, Upload, plan
from tenants.knowledge.progress import LeftStore, Progress
from tenants.knowledge.state import KnowledgeState, SyncedFile
from tenants.knowledge.watching import Silent, Watcher
from tenants.registry.objects import ObjectChangedError

_AT_ONCE = 4
_STALLED_SECONDS = 900.0
_POLL_SECONDS = 1.0
T = TypeVar("T")


@attrs.frozen(kw_only=True)
class Pace:
    """How a sync waits.

    Args:
        poll_seconds: between two looks at what is indexed.
        stalled_seconds: without news, after which it gives up.
    """

    poll_seconds: float = _POLL_SECONDS
    stalled_seconds: float = _STALLED_SECONDS
    pause: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.monotonic


class Sync:
    """One sync of one tenant.

    Args:
        job: what is to be synced.
        account: the upstream.
        progress: the tenant's.
        pace: how it waits.
        watcher: who is told how far it is.

    Attributes:
        job: what is to be synced.
        plan: what is to be done, once it was looked at.
    """

    def __init__(
        self,
        job: Job,
        account: Account,
        progress: Progress,
        *,
        pace: Pace | None = None,
        watcher: Watcher | None = None,
    ) -> None:
        self.job = job
        self._account = account
        self._progress = progress
        self._pace = pace or Pace()
        self._watcher = watcher or Silent()
        self._begun_at = progress.stored.begun_at or job.now
        self._store_id: str | None = None
        self.plan = Plan()

    def look(self) -> Plan:
        """See what is to be done; nothing is changed anywhere.

        Raises:
            AccountError: the upstream does not work, or refuses.
        """
        token, unfinished = self._progress.stored.token, self._progress.stored.begun_at is not None
        made = self._account.stores(token) if unfinished else []
        self._store_id = self._known_store() or next(iter(made), None)
        present = self._account.present(self._store_id) if self._store_id else []
        uploads = self._uploads()
        found = plan(self.job.wanted, present, uploads, token)
        spare = tuple(store_id for store_id in made if store_id != self._store_id)
        self.plan = attrs.evolve(found, spare_stores=spare)
        return self.plan

    def carry_out(self, land: Callable[[KnowledgeState], T]) -> tuple[KnowledgeState, T]:
        """Do what was planned.

        Args:
            land: puts the new state in force.

        Returns:
            The state, and what ``land`` gave.

        Raises:
            FilesFailedError, IndexingStalledError, AccountError, ObjectChangedError,
            ObjectsUnavailableError: as ``send`` and ``clean``.
        """
        state = self.send()
        self._progress.expect_ours()
        landed = land(state)
        self.clean()
        return state, landed

    @property
    def makes_store(self) -> bool:
        """Whether there is no vector store yet."""
        return self._store_id is None

    @property
    def left(self) -> tuple[LeftStore, ...]:
        """The tenant's stores at accounts that it has left, whose keys it may not have any more."""
        return self._progress.stored.left

    def send(self) -> KnowledgeState:
        """Upload what is missing, and wait until all of it is indexed.

        Returns:
            What ``knowledge.json`` is to say.

        Raises:
            FilesFailedError: with every file that the upstream did not take or index.
            IndexingStalledError: it takes too long.
            AccountError: the upstream does not work, or refuses.
            ObjectChangedError: another sync of this tenant is under way.
            ObjectsUnavailableError: the registry cannot be written.
        """
        stored = self._progress.stored
        begun = stored.at(self.job.account, self._store_id)
        if self.makes_store or self.plan.sends or self.plan.deletes or begun != stored:
            self._progress.begin(attrs.evolve(begun, begun_at=self._begun_at))
        store_id = self._store_id or self._make_store()
        faults = self._upload(store_id)
        present = self._indexed(store_id, len(self.job.wanted) - len(faults))
        faults += [
            FileFault(one.path, f"the upstream could not index it: {one.error or one.status}")
            for one in present
            if one.status != "completed"
        ]
        if faults:
            raise FilesFailedError(tuple(sorted(faults, key=lambda fault: fault.path)))
        synced = tuple(SyncedFile(one.path, one.sha256, one.file_id) for one in present)
        return KnowledgeState(store_id, self.job.account, synced)

    def clean(self) -> None:
        """Delete what is in use no more; to be called once the new revision is in force.

        Raises:
            AccountError: the upstream does not work, or refuses.
            ObjectChangedError: another sync has begun, which may want what this one does not.
            ObjectsUnavailableError: the registry cannot be written.
        """
        self._progress.expect_ours()
        for store_id in self.plan.spare_stores:
            self._account.delete_store(store_id)
        gone = [one.file_id for one in self.plan.remove]
        gone += [one.file_id for one in self.plan.leftovers]
        for count, file_id in enumerate(gone, 1):
            self._account.delete(file_id)
            if self._store_id is not None:
                self._account.detach(self._store_id, file_id)
            self._watcher.told("Removing", count, len(gone))
        if self._progress.stored.begun_at is not None:
            self._progress.end()

    def _uploads(self) -> list[Upload]:
        """Files that are upstream and maybe in no store: a sync was cut off, or the store lost."""
        state, found = self.job.state, []
        if self._progress.stored.begun_at is not None:
            found = self._account.uploads(self._begun_at)
        if self._store_id is None and state and state.account == self.job.account:
            lost = (self._account.find_upload(file.file_id) for file in state.files)
            found += [one for one in lost if one is not None and one not in found]
        return found

    # The vector store

    def _known_store(self) -> str | None:
        """The tenant's vector store, if it is known to have one at this account.

        What a state says is not enough: files may have been copied from another tenant or registry,
        whose store is not to be touched.
        """
        token, names = self._progress.stored.token, dict.fromkeys(self._store_ids())
        return next((name for name in names if self._account.has_store(name, token)), None)

    def _store_ids(self) -> Iterator[str]:
        """Stores that may be the tenant's; a secret of another name may be of the same account."""
        stored, base_url = self._progress.stored, self.job.account.base_url
        if (state := self.job.state) and state.account.base_url == base_url:
            yield state.vector_store_id
        if stored.vector_store_id and stored.account.base_url == base_url:
            yield stored.vector_store_id
        yield from (
            left.vector_store_id for left in stored.left if left.account.base_url == base_url
        )

    def _make_store(self) -> str:
        job, stored = self.job, self._progress.stored
        store_id = self._account.create_store(job.store_name, job.tenant_id, stored.token)
        try:
            self._progress.write(stored.at(job.account, store_id))
        except ObjectChangedError:
            self._account.delete_store(store_id)  # Another sync has made one.
            raise
        self._store_id = store_id
        return store_id

    # The files

    def _upload(self, store_id: str) -> list[FileFault]:
        """Put what is missing into the store, and say which files the upstream refuses."""
        entries, faults = self._sent()
        entries += [Entry(up.file_id, each.path, each.sha256) for each, up in self.plan.adopt]
        for one in self.plan.retry:
            self._account.detach(store_id, one.file_id)
            entries.append(Entry(one.file_id, one.path, one.sha256))
        self._account.attach(store_id, entries)
        return faults

    def _sent(self) -> tuple[list[Entry], list[FileFault]]:
        """Upload several files at once."""
        token, files = self._progress.stored.token, self.plan.upload
        entries, faults = [], []
        with _pool() as pool:
            running = {
                pool.submit(self._account.upload, each, token, self._begun_at): each
                for each in files
            }
            for count, task in enumerate(as_completed(running), 1):
                try:
                    each = running[task]
                    entries.append(Entry(task.result(), each.path, each.sha256))
                except FileRefusedError as error:
                    faults.append(error.fault)
                self._watcher.told("Uploading", count, len(files))
        return entries, faults

    def _indexed(self, store_id: str, count: int) -> list[Present]:
        """Wait until so many of the wanted files are through, and return what became of them."""
        heard, before = self._pace.clock(), -1
        while True:
            present = self._account.present(store_id)
            ours = self._ours(present)
            left = count - sum(one.status != "in_progress" for one in ours)
            self._watcher.told("Indexing", count - left, count)
            if not left:
                return ours
            if left != before:
                heard, before = self._pace.clock(), left
            if self._pace.clock() - heard > self._pace.stalled_seconds:
                raise IndexingStalledError(left, self._pace.stalled_seconds)
            # A look asks once for every hundred files; accounts are limited in what they ask.
            self._pace.pause(self._pace.poll_seconds * (1 + len(present) // 100))

    def _ours(self, present: Iterable[Present]) -> list[Present]:
        """What is there of the wanted files, each once."""
        token = self._progress.stored.token
        now = plan(self.job.wanted, present, (), token)
        return [*now.keep.values(), *now.retry]


@contextmanager
def _pool() -> Iterator[ThreadPoolExecutor]:
    """Threads; where something goes wrong, what has not begun is not begun any more."""
    pool = ThreadPoolExecutor(_AT_ONCE)
    try:
        yield pool
    finally:
        pool.shutdown(cancel_futures=True)
