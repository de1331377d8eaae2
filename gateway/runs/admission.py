"""Which runs work now, and which post joins which run."""

import time
from collections import Counter, OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager

from gateway.runs.errors import IdempotencyMismatchError, TenantLeavingError
from gateway.runs.live import LiveRun, TurnRequest, fingerprint
from gateway.store.errors import ThreadBusyError

_CUT_SECONDS = 60
_CUTS_KEPT = 10_000


class Admission:
    """One run a thread; posts of the same message join it.

    Older clients post a message again after any fault, and nobody wants it twice. So a post joins
    the active run of its thread when the message is the same, and for 60 s the run whose stream
    was cut for its client.
    """

    def __init__(self) -> None:
        self._active: dict[tuple[str, str], LiveRun] = {}
        self._by_id: dict[tuple[str, str], LiveRun] = {}
        self._by_key: dict[tuple[str, str, str], LiveRun] = {}
        self._cuts: OrderedDict[tuple[str, str], tuple[bytes, str, float]] = OrderedDict()
        self._closed: Counter[str] = Counter()

    def __len__(self) -> int:
        return len(self._by_id)

    def runs(self) -> list[LiveRun]:
        """Those that work now."""
        return list(self._by_id.values())

    def runs_of(self, tenant_id: str) -> list[LiveRun]:
        """Those of a tenant that work now."""
        return [run for run in self._by_id.values() if run.tenant.tenant_id == tenant_id]

    @contextmanager
    def closed(self, tenant_id: str) -> Iterator[None]:
        """Let nothing of a tenant begin while this is entered; several may have entered it."""
        self._closed[tenant_id] += 1
        try:
            yield
        finally:
            self._closed[tenant_id] -= 1
            if not self._closed[tenant_id]:
                del self._closed[tenant_id]

    def require_open(self, tenant_id: str) -> None:
        """Let something of a tenant begin.

        Raises:
            TenantLeavingError: the tenant is closed.
        """
        if tenant_id in self._closed:
            raise TenantLeavingError(tenant_id)

    def run(self, tenant_id: str, run_id: str) -> LiveRun | None:
        """A run that works now, by its id."""
        return self._by_id.get((tenant_id, run_id))

    def working(self, tenant_id: str, thread_id: str) -> LiveRun | None:
        """The run that works on a thread now."""
        return self._active.get((tenant_id, thread_id))

    def delivered(self, tenant_id: str, thread_id: str, run_id: str) -> None:
        """Forget that this run's stream was cut: a client has read its end since."""
        cut = self._cuts.get((tenant_id, thread_id))
        if cut is not None and cut[1] == run_id:
            del self._cuts[tenant_id, thread_id]

    def forget(self, tenant_id: str, thread_id: str) -> None:
        """Forget a thread that was deleted."""
        self._cuts.pop((tenant_id, thread_id), None)

    def forget_all(self, tenant_id: str) -> None:
        """Forget all threads of a tenant; they were deleted."""
        for place in [place for place in self._cuts if place[0] == tenant_id]:
            del self._cuts[place]

    def joinable(self, tenant_id: str, request: TurnRequest) -> LiveRun | None:
        """The active run that this post joins.

        Raises:
            ThreadBusyError: the thread's run answers another message.
            IdempotencyMismatchError: the key's run was asked with another body.
        """
        if request.key is not None:
            keyed = self._by_key.get((tenant_id, request.key.scope, request.key.key))
            if keyed is not None and keyed.request.key is not None:
                if keyed.request.key.body != request.key.body:
                    raise IdempotencyMismatchError
                return keyed
        if request.thread_id is None:
            return None
        run = self._active.get((tenant_id, request.thread_id))
        if run is not None and run.fingerprint != fingerprint(request.message):
            raise ThreadBusyError(request.thread_id, run.id)
        return run

    def cut_run(self, tenant_id: str, request: TurnRequest) -> str | None:
        """The id of the ended run whose stream was cut before its client had read it."""
        cut = self._cuts.get((tenant_id, request.thread_id or ""))
        if cut is None:
            return None
        message, run_id, at = cut
        fresh = time.monotonic() - at < _CUT_SECONDS
        return run_id if fresh and message == fingerprint(request.message) else None

    def enter(self, run: LiveRun) -> None:
        """Take the thread for this run."""
        tenant_id = run.tenant.tenant_id
        self._active[tenant_id, run.thread_id] = run
        self._by_id[tenant_id, run.id] = run
        self._cuts.pop((tenant_id, run.thread_id), None)
        if run.request.key is not None:
            self._by_key[tenant_id, run.request.key.scope, run.request.key.key] = run

    def leave(self, run: LiveRun) -> None:
        """Free the thread."""
        tenant_id = run.tenant.tenant_id
        self._active.pop((tenant_id, run.thread_id), None)
        self._by_id.pop((tenant_id, run.id), None)
        if run.request.key is not None:
            self._by_key.pop((tenant_id, run.request.key.scope, run.request.key.key), None)

    def cut(self, run: LiveRun) -> None:
        """Remember that a client of this run went away before its end."""
        place = (run.tenant.tenant_id, run.thread_id)
        self._cuts[place] = (run.fingerprint, run.id, time.monotonic())
        while len(self._cuts) > _CUTS_KEPT:
            self._cuts.popitem(last=False)
