"""What the SQLite store does when its process, its file or its disk fails."""

import asyncio
import contextlib
import os
import resource
import signal
import sys
from pathlib import Path

import pytest

from gateway.store.errors import StoreUnavailableError
from gateway.store.sqlite import SqliteLimits, SqliteStore
from tests.fakes.store_adapters import opened
from tests.fakes.store_driver import Driver
from tests.fakes.store_values import ACME, LOST, begin, end, ended_run, item, new_thread

ROOT = Path(__file__).parents[2]
QUICK = SqliteLimits(busy_seconds=0.2, tick_seconds=0.02)
HOLD = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute(sys.argv[2])
connection.execute("SELECT count(*) FROM threads").fetchall()
print("held", flush=True)
sys.stdin.read()
"""


@contextlib.asynccontextmanager
async def held(path, statement):
    """Another process that holds a transaction open until the end of the block."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        HOLD,
        str(path),
        statement,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    assert await process.stdout.readline() == b"held\n"
    try:
        yield
    finally:
        process.stdin.close()
        await process.wait()


async def until_healthy(store):
    """Wait until the store says that it is healthy, for some seconds at most."""
    async with asyncio.timeout(10):
        while not store.healthy():
            await store.items(ACME, "thread_9", 1)


@pytest.fixture
def path(tmp_path):
    """Where the store's file is."""
    return tmp_path / "gateway.db"


# The process is killed


async def test_what_was_acknowledged_survives_a_kill(path):
    """After kill -9 each run that was said to be begun or ended is there, and none works on."""
    writer = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.fakes.store_writer",
        str(path),
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
    )
    lines = [await writer.stdout.readline() for _ in range(500)]
    writer.send_signal(signal.SIGKILL)
    lines += (await writer.stdout.read()).splitlines(keepends=True)
    await writer.wait()
    told = [line.split() for line in lines if line.endswith(b"\n")]

    async with opened(SqliteStore(path)) as store:
        runs = {run_id: await store.run(ACME, run_id.decode()) for run_id, _ in told}
        logs = [
            await store.run_events(ACME, run_id.decode())
            for run_id, what in told
            if what == b"ended"
        ]

    ended = {run_id for run_id, what in told if what == b"ended"}
    assert {runs[run_id].status for run_id in ended} == {"completed"}
    assert set(logs) == {b"log" * 1000}
    assert {runs[run_id].status for run_id in runs.keys() - ended} <= {"failed", "completed"}


# The file is locked


async def test_short_lock_is_waited_out(path):
    """While another process holds the lock a write waits, and then it is done."""
    async with opened(SqliteStore(path)) as store:
        thread = new_thread()
        async with held(path, "BEGIN IMMEDIATE"):
            write = asyncio.ensure_future(store.create_thread(ACME, thread))
            done, _ = await asyncio.wait([write], timeout=0.3)
            waited = (not done, store.healthy())
        await write

        assert waited == (True, True)
        assert await store.thread(ACME, thread.id) == thread


async def test_long_lock_makes_it_unavailable_for_a_while(path):
    """A lock that outlasts patience fails the write; when it is gone the store is healthy again."""
    async with opened(SqliteStore(path, limits=QUICK)) as store:
        thread = new_thread()
        async with held(path, "BEGIN IMMEDIATE"):
            with pytest.raises(StoreUnavailableError) as caught:
                await store.create_thread(ACME, thread)
            healthy = store.healthy()
        await until_healthy(store)
        await store.create_thread(ACME, thread)

        assert "SQLITE_BUSY" in caught.value.detail
        assert not healthy
        assert await store.thread(ACME, thread.id) == thread


async def test_reader_delays_only_the_journal_of_a_deletion(path):
    """A thread is deleted while another process reads; its text is gone once the reader is."""
    async with opened(SqliteStore(path, limits=QUICK)) as store:
        started = begin(items=(item("needle" * 20),))
        await store.begin_run(ACME, started)
        await store.end_run(ACME, end(started.fence))
        async with held(path, "BEGIN"):
            await store.delete_thread(ACME, started.thread_id)
            found = journal_holds(path, b"needle")

        async with asyncio.timeout(10):
            while journal_holds(path, b"needle"):
                await store.items(ACME, "thread_9", 1)
        assert found
        assert b"needle" not in path.read_bytes()


def journal_holds(path, text):
    """Whether the log of commits still has a text."""
    return text in path.with_name(f"{path.name}-wal").read_bytes()


async def test_second_process_is_refused(path):
    """A second store on the file is refused by the first one's process, whose runs go on."""
    async with opened(SqliteStore(path)) as store:
        started = begin()
        await store.begin_run(ACME, started)
        second = SqliteStore(path)

        with pytest.raises(StoreUnavailableError) as caught:
            await second.open(LOST)

        assert f"process {os.getpid()}" in caught.value.detail
        assert not second.healthy()
        assert (await store.run(ACME, started.fence.run_id)).status == "in_progress"
    assert await second.open(LOST) == 1
    await second.close()


# The disk is full, fails, or cannot be written


async def test_full_disk_loses_nothing_and_heals(path):
    """On a full disk writes fail, what was acknowledged is read, and room makes it healthy."""
    driver = Driver("PRAGMA max_page_count = 120")
    async with opened(SqliteStore(path, limits=QUICK, connecting=driver)) as store:
        written = []
        with pytest.raises(StoreUnavailableError) as caught:
            await fill(store, written)
        healthy = store.healthy()
        for run in written:
            assert len(await store.items(ACME, run.thread_id, 9)) == 2
        await store.delete_thread(ACME, written[0].thread_id)
        driver.connection.pragmas = ("PRAGMA max_page_count = 1000",)
        await until_healthy(store)
        await ended_run(store)

        assert "SQLITE_FULL" in caught.value.detail
        assert not healthy
        assert len(written) > 5


async def fill(store, written):
    """Write runs until the store refuses one; those it took are in ``written``."""
    while True:
        written.append(await ended_run(store, items=(item("x" * 20_000),)))


async def test_full_disk_stays_unhealthy_until_there_is_room(path):
    """However often it is looked at, a store without room does not call itself healthy."""
    driver = Driver("PRAGMA max_page_count = 60")
    async with opened(SqliteStore(path, limits=QUICK, connecting=driver)) as store:
        with pytest.raises(StoreUnavailableError):
            await fill(store, [])

        for _ in range(50):
            await store.items(ACME, "thread_9", 1)
            assert not store.healthy()


async def test_too_large_a_write_takes_no_neighbour_along(path):
    """Of writes made at once, one that does not fit on the disk fails and the others are done."""
    driver = Driver("PRAGMA max_page_count = 120")
    async with opened(SqliteStore(path, limits=QUICK, connecting=driver)) as store:
        begins = [begin(items=(item("x" * size),)) for size in (10, 900_000, 10)]

        results = await asyncio.gather(
            *(store.begin_run(ACME, one) for one in begins), return_exceptions=True
        )

        assert [type(result) for result in results] == [
            type(None),
            StoreUnavailableError,
            type(None),
        ]
        for one in (begins[0], begins[2]):
            assert await store.items(ACME, one.thread_id, 9) == list(one.items)


async def test_failing_disk_is_told_and_heals(path):
    """When the operating system refuses to write, callers are told; afterwards all goes on."""
    async with opened(SqliteStore(path, limits=QUICK)) as store:
        kept = await ended_run(store)
        with file_size_limit(path.with_name(f"{path.name}-wal").stat().st_size):
            with pytest.raises(StoreUnavailableError) as caught:
                await ended_run(store)
            healthy = store.healthy()
            seen = await store.thread(ACME, kept.thread_id)
        await until_healthy(store)
        await ended_run(store)

        assert "SQLITE_IOERR" in caught.value.detail
        assert not healthy
        assert seen == kept.thread


@contextlib.contextmanager
def file_size_limit(size):
    """Let no file grow beyond ``size`` bytes (setrlimit(2), RLIMIT_FSIZE)."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


async def test_read_only_file_is_told_and_heals(path):
    """A file that cannot be written is still read; writes fail until it can be again."""
    driver = Driver()
    async with opened(SqliteStore(path, limits=QUICK, connecting=driver)) as store:
        kept = await ended_run(store)
        driver.connection.pragmas = ("PRAGMA query_only = ON",)
        with pytest.raises(StoreUnavailableError) as caught:
            await store.create_thread(ACME, new_thread())
        healthy = store.healthy()
        seen = await store.thread(ACME, kept.thread_id)
        driver.connection.pragmas = ("PRAGMA query_only = OFF",)
        await until_healthy(store)
        await store.create_thread(ACME, new_thread())

        assert "SQLITE_READONLY" in caught.value.detail
        assert not healthy
        assert seen == kept.thread


async def test_damaged_page_is_unavailable(path):
    """A damaged page fails its reader as unavailable, not with a fault of the program."""
    async with opened(SqliteStore(path)) as store:
        started = await ended_run(store, items=(item("x" * 500_000),))
    with path.open("r+b") as file:
        file.seek(-100 * 4096, os.SEEK_END)
        file.write(b"\xff" * 4096 * 50)
    async with opened(SqliteStore(path, limits=QUICK)) as store:
        with pytest.raises(StoreUnavailableError) as caught:
            await store.items(ACME, started.thread_id, 9)

    assert "SQLITE_CORRUPT" in caught.value.detail
