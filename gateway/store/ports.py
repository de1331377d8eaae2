"""What runs and surfaces ask of a store. Every method looks within one tenant.

What a context does not reach (``TenantContext.user``, ``.thread_id``) does not exist for it; the
writes of a run go by its fence alone.
"""

from collections.abc import Mapping, Sequence
from typing import Protocol

from gateway.store.model import Fence, Item, Key, Page, Run, RunBegin, RunEnd, Thread
from tenants.context import TenantContext


class Threads(Protocol):
    """Conversations and what was said in them. Every method raises ``StoreUnavailableError``."""

    async def create_thread(self, tenant: TenantContext, thread: Thread) -> None:
        """Keep a new, empty thread.

        Raises:
            DuplicateError: there is one of that id within the tenant.
        """
        ...

    async def thread(self, tenant: TenantContext, thread_id: str) -> Thread:
        """Look a thread up.

        Raises:
            NotFoundError: there is none of that id within the tenant.
        """
        ...

    async def delete_thread(self, tenant: TenantContext, thread_id: str) -> None:
        """Delete a thread and everything of it: items, runs, events, idempotency keys.

        Raises:
            NotFoundError: there is none of that id within the tenant.
            ThreadBusyError: a run works on it; nothing was deleted.
        """
        ...

    async def items(self, tenant: TenantContext, thread_id: str, newest: int) -> list[Item]:
        """The newest items of a thread, oldest first; none for an unknown thread."""
        ...

    async def messages(
        self, tenant: TenantContext, thread_id: str, page: Page
    ) -> tuple[list[Item], bool]:
        """A page of a thread's messages, and whether there are more behind it.

        Raises:
            NotFoundError: there is no such thread, or no message with the cursor's id in it.
        """
        ...


class Runs(Protocol):
    """Runs and their logs. Every method raises ``StoreUnavailableError``."""

    async def begin_run(self, tenant: TenantContext, begin: RunBegin) -> None:
        """Write a run with its thread, its first items and its idempotency key, or nothing.

        Raises:
            NotFoundError: its thread does not exist.
            ThreadBusyError: another run works on the thread.
            KeyUsedError: its key started another run in the last 24 hours; looked at first.
            DuplicateError: a thread, run or item of such an id is there already.
        """
        ...

    async def record_run(self, tenant: TenantContext, begin: RunBegin, end: RunEnd) -> None:
        """Write a whole run at once: what ``begin_run`` and ``end_run`` would, or nothing.

        Raises:
            NotFoundError: its thread does not exist.
            ThreadBusyError: another run works on the thread.
            KeyUsedError: its key started another run already.
        """
        ...

    async def save_items(self, tenant: TenantContext, fence: Fence, items: Sequence[Item]) -> None:
        """Add items to the run's thread, all in one transaction.

        Raises:
            FenceLostError: the run has ended or has another owner.
            DuplicateError: the thread has an item of such an id already.
        """
        ...

    async def end_run(self, tenant: TenantContext, end: RunEnd) -> None:
        """Write the run's end, its last items and its log, or nothing.

        Raises:
            FenceLostError: the run has ended or has another owner.
            DuplicateError: the thread has an item of such an id already.
        """
        ...

    async def run(self, tenant: TenantContext, run_id: str) -> Run:
        """Look a run up.

        Raises:
            NotFoundError: there is none of that id within the tenant.
        """
        ...

    async def run_events(self, tenant: TenantContext, run_id: str) -> bytes | None:
        """The log of an ended run, or None where it was too large or is kept no longer.

        Raises:
            NotFoundError: there is no such run within the tenant.
        """
        ...

    async def run_items(self, tenant: TenantContext, run_id: str) -> list[Item]:
        """What a run added to its thread, oldest first.

        Raises:
            NotFoundError: there is no such run within the tenant.
        """
        ...

    async def run_by_key(
        self, tenant: TenantContext, scope: str, key: str
    ) -> tuple[Key, str] | None:
        """The stored key and the id of its run, if it was used in the last 24 hours."""
        ...


class Tenants(Protocol):
    """Tenants as a whole. Every method raises ``StoreUnavailableError``."""

    async def forget(self, tenant: TenantContext, most: int) -> int:
        """Delete some of a tenant's threads with everything of them; called until none is left.

        Once none is, this deletes what else is kept of the tenant. Threads on which runs work stay.

        Args:
            tenant: all of it, whoever may be in force.
            most: so many threads, so that others' turns wait no longer than for these.

        Returns:
            How many threads; 0: nothing is left but what runs work on.
        """
        ...

    async def note_key_uses(self, uses: Mapping[tuple[str, str], int]) -> None:
        """Keep when keys were used, in Unix seconds, by tenant's and key's ids."""
        ...

    async def key_uses(self, tenant: TenantContext) -> dict[str, int]:
        """When a tenant's keys were last used, in Unix seconds, by the key's id."""
        ...


class Store(Threads, Runs, Tenants, Protocol):
    """All of it, and its life."""

    async def open(self, lost: bytes) -> int:
        """Bring the schema up to date and end the runs of dead processes as failed.

        Args:
            lost: the ending that those runs get, encoded.

        Returns:
            How many runs were ended.

        Raises:
            StoreUnavailableError: it cannot be opened; the detail says how to mend it.
        """
        ...

    async def close(self) -> None:
        """Write what is waiting, then let go."""
        ...

    def healthy(self) -> bool:
        """Whether the store could take work now; never waits."""
        ...
