"""A process that writes runs as fast as it can and says which are acknowledged.

Run as ``python -m tests.fakes.store_writer PATH``: each line is a run's id and ``begun`` or
``ended``, printed once the store has answered.
"""

import asyncio
import sys
from pathlib import Path

from gateway.runs.ids import new_id
from gateway.store.model import Thread
from gateway.store.sqlite import SqliteStore
from tests.fakes.store_values import ACME, LOST, begin, end, item

_CONVERSATIONS = 8


async def _converse(store):
    while True:
        started = begin(new_id("thread"), run_id=new_id("run"), items=())
        await store.create_thread(ACME, Thread(started.thread_id, started.created_at))
        await store.begin_run(ACME, started)
        _say(started, "begun")
        answer = item(id=new_id("msg"), run_id=started.fence.run_id)
        await store.end_run(ACME, end(started.fence, items=(answer,), events=b"log" * 1000))
        _say(started, "ended")


def _say(started, what):
    print(started.fence.run_id, what, flush=True)  # noqa: T201 - its parent reads it


async def _main(path):
    store = SqliteStore(path)
    await store.open(LOST)
    async with asyncio.TaskGroup() as group:
        for _ in range(_CONVERSATIONS):
            group.create_task(_converse(store))


if __name__ == "__main__":
    asyncio.run(_main(Path(sys.argv[1])))
