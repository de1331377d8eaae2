"""What the SQLite store costs: 16 conversations at once, each turn begun, read and ended.

A turn is ``begin_run`` with a message, ``items`` for the newest 20, and ``end_run`` with an answer
of 100 words and a log of 15 KB, as 108 events make. Run it as ``python -m bench.store``.
"""

import argparse
import asyncio
import os
import tempfile
import time
from pathlib import Path

import attrs

from gateway.runs.ids import new_id
from gateway.store.model import Fence, Item, RunBegin, RunEnd, Thread
from gateway.store.sqlite import SqliteStore
from tenants.context import TenantContext

_TENANT = TenantContext("acme", "bench")
_TEXT = b'{"type":"message","role":"user","content":[{"type":"input_text","text":"%s"}]}'
_LOST = b'{"status":"failed"}'


@attrs.frozen
class Load:
    """What is driven.

    Args:
        turns: of all conversations together.
        turns_per_thread: after so many a conversation goes on in a new thread.
        log_bytes: of each run's log.
    """

    conversations: int
    turns: int
    turns_per_thread: int
    log_bytes: int


async def _converse(store: SqliteStore, load: Load) -> list[float]:
    seconds = []
    log = os.urandom(load.log_bytes // 2).hex().encode()
    thread_id = ""
    for number in range(load.turns // load.conversations):
        new = number % load.turns_per_thread == 0
        thread_id = new_id("thread") if new else thread_id
        started = time.perf_counter()
        await _turn(store, thread_id, log, new=new)
        seconds.append(time.perf_counter() - started)
    return seconds


async def _turn(store: SqliteStore, thread_id: str, log: bytes, *, new: bool) -> None:
    fence = Fence(new_id("run"), "bench", 1)
    begin = RunBegin(
        fence=fence,
        thread_id=thread_id,
        assistant_id="asst_acme_default",
        model="gpt-6-luna",
        created_at=1_700_000_000,
        correlation_id="bench",
        head=b"{}" * 150,
        items=(_item("user", 60, None),),
        thread=Thread(thread_id, 1_700_000_000) if new else None,
    )
    await store.items(_TENANT, thread_id, 20)
    await store.begin_run(_TENANT, begin)
    answer = _item("assistant", 600, fence.run_id)
    await store.end_run(
        _TENANT, RunEnd(fence, "completed", 1_700_000_001, b"{}" * 100, (answer,), log)
    )


def _item(role: str, length: int, run_id: str | None) -> Item:
    payload = _TEXT % (b"x" * length)
    return Item(new_id("msg"), "message", 1_700_000_000, payload, run_id=run_id, role=role)


async def _measure(load: Load) -> None:
    with tempfile.TemporaryDirectory(dir=".") as folder:
        store = SqliteStore(Path(folder) / "bench.db")
        await store.open(_LOST)
        await _converse(store, attrs.evolve(load, turns=200))
        cpu, wall = time.process_time(), time.perf_counter()
        lanes = await asyncio.gather(*(_converse(store, load) for _ in range(load.conversations)))
        cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
        await store.close()
    waits = sorted(wait for lane in lanes for wait in lane)
    print(
        f"{load.conversations:4} at once: {len(waits) / wall:7.0f} turns/s"
        f"  {3 * len(waits) / wall:7.0f} operations/s"
        f"  {cpu / len(waits) * 1000:.3f} ms CPU a turn"
        f"  turn p50 {waits[len(waits) // 2] * 1000:.2f} ms"
        f"  p99 {waits[len(waits) * 99 // 100] * 1000:.2f} ms"
    )


def main() -> None:
    """Measure 1, 16 and 128 conversations at once."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--turns", type=int, default=8000)
    parser.add_argument("--turns-per-thread", type=int, default=5)
    parser.add_argument("--log-bytes", type=int, default=15_000)
    chosen = parser.parse_args()
    for conversations in (1, 16, 128):
        turns = chosen.turns // 4 if conversations == 1 else chosen.turns
        load = Load(conversations, turns, chosen.turns_per_thread, chosen.log_bytes)
        asyncio.run(_measure(load))


if __name__ == "__main__":
    main()
