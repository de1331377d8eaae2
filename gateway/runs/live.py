"""A run while it works."""

import asyncio
import hashlib
import time
from collections.abc import Awaitable, Callable

import attrs

from gateway.runs.lifecycle import RunCreated, RunEnded
from gateway.runs.log import RunLog
from gateway.runs.settled import Settled
from gateway.store.model import Fence, Item, Key
from tenants.compiled import Assistant, CompiledTenant
from tenants.context import TenantContext


def fingerprint(message: str) -> bytes:
    """What two posts of the same message have in common."""
    return hashlib.blake2b(message.encode(), digest_size=16).digest()


@attrs.frozen
class TurnRequest:
    """One message for a thread.

    Args:
        thread_id: None starts a thread.
        stream: whether somebody wants deltas; else the upstream is called unstreamed.
        surface: the route that it came by, for the log and metrics.
        key: the request's ``Idempotency-Key``.
        metadata: of the thread that it starts.
    """

    message: str
    thread_id: str | None
    stream: bool
    surface: str
    key: Key | None = None


@attrs.define(eq=False)
class LiveRun:
    """A run from its admission to its end.

    Args:
        exists: settled once the run exists; its error is why it never will.
        ended: settled once its end is committed; its error says that it could not be.
        answered: whether an upstream's response head has come.
        begun: whether it was given to the store.
        shared: whether somebody beside its own client asked for it.
        write: gives it to the store, unless that was done.
        ending: how it ends, once that is known.
        items: what it added to its thread after the message.
        stop_reason: why it is being stopped: ``cancelled``, ``shutdown`` or ``overdue``.
        timer: of what is due next while it works.
    """

    tenant: CompiledTenant
    context: TenantContext
    assistant: Assistant
    request: TurnRequest
    head: RunCreated
    fence: Fence
    message: Item
    exists: Settled[None] = attrs.field(factory=Settled)
    ended: Settled[RunEnded] = attrs.field(factory=Settled)
    log: RunLog = attrs.field(factory=RunLog)
    items: list[Item] = attrs.field(factory=list)
    started: float = attrs.field(factory=time.monotonic)
    task: asyncio.Task[None] | None = None
    answered: bool = False
    begun: bool = False
    shared: bool = False
    write: Callable[[], Awaitable[None]] | None = None
    ending: RunEnded | None = None
    stop_reason: str | None = None
    timer: asyncio.TimerHandle | None = None
    first_token_ms: int | None = None
    rounds: int = 0

    @property
    def id(self) -> str:
        """The run's id."""
        return self.head.run_id

    @property
    def thread_id(self) -> str:
        """The id of its thread."""
        return self.head.thread_id

    @property
    def fingerprint(self) -> bytes:
        """Of its message."""
        return fingerprint(self.request.message)

    def elapsed_ms(self) -> int:
        """Since its admission."""
        return round((time.monotonic() - self.started) * 1000)

    async def share(self) -> None:
        """Let somebody else find it, in the store too, once it was answered.

        Raises:
            StoreError: it could not be written; the run never exists.
        """
        self.shared = True
        if self.answered and not self.begun and self.write is not None:
            await self.write()

    def stop(self, reason: str) -> bool:
        """Interrupt it, once; False when it is already ending."""
        if self.ending is not None or self.stop_reason is not None or self.task is None:
            return False
        self.stop_reason = reason
        self.task.cancel()
        return True
