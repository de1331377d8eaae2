"""Values that tests of stores write."""

import itertools

from gateway.store.model import Fence, Item, Key, RunBegin, RunEnd, Thread
from tenants.context import TenantContext

ACME = TenantContext("acme", "corr-1")
RIVAL = TenantContext("rival", "corr-2")
OWNER = "owner-1"
LOST = b'{"status":"failed","lost":true}'

_numbers = itertools.count(1)


def fresh(prefix: str) -> str:
    """An id that no test used before."""
    return f"{prefix}_{next(_numbers):08x}{'0' * 16}"


def item(text: str = "hello", **changes) -> Item:
    """A message of a user."""
    values = {
        "id": fresh("msg"),
        "type": "message",
        "created_at": 1_700_000_000,
        "payload": b'{"type":"message","role":"user","content":"' + text.encode() + b'"}',
        "role": "user",
        **changes,
    }
    return Item(**values)


def new_thread():
    """A thread that was never written."""
    return Thread(fresh("thread"), 1)


def begin(
    thread_id: str | None = None,
    *,
    items: tuple[Item, ...] | None = None,
    key: Key | None = None,
    run_id: str | None = None,
    owner: str = OWNER,
) -> RunBegin:
    """The begin of a run; without a thread's id it creates its thread."""
    new = thread_id is None
    thread_id = thread_id or fresh("thread")
    run_id = run_id or fresh("run")
    return RunBegin(
        fence=Fence(run_id, owner, 1),
        thread_id=thread_id,
        assistant_id="asst_acme_default",
        model="gpt-6-luna",
        created_at=1_700_000_000,
        correlation_id="corr-1",
        head=b'{"run_id":"' + run_id.encode() + b'"}',
        items=(item(),) if items is None else items,
        thread=Thread(thread_id, 1_700_000_000, {"colour": "blue"}) if new else None,
        key=key,
    )


def end(
    fence: Fence,
    *,
    status: str = "completed",
    items: tuple[Item, ...] = (),
    events: bytes | None = b"events",
) -> RunEnd:
    """The end of a run."""
    return RunEnd(
        fence=fence,
        status=status,
        ended_at=1_700_000_060,
        ending=b'{"status":"' + status.encode() + b'"}',
        items=items,
        events=events,
    )


async def ended_run(store, *, tenant=ACME, items=(), events=b"events", key=None):
    """A run that has ended, on a thread of its own."""
    started = begin(key=key)
    await store.begin_run(tenant, started)
    await store.end_run(tenant, end(started.fence, items=items, events=events))
    return started
