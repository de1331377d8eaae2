"""What the SQLite store does when its thread dies, hangs or is given what it cannot write."""

import asyncio
import threading

import pytest

from gateway.store.errors import FenceLostError, StoreUnavailableError
from gateway.store.model import Thread
from gateway.store.sqlite import SqliteLimits, SqliteStore
from tests.fakes.store_adapters import opened
from tests.fakes.store_driver import Driver
from tests.fakes.store_values import ACME, LOST, begin, end, new_thread


@pytest.fixture
def path(tmp_path):
    """Where the store's file is."""
    return tmp_path / "gateway.db"


async def test_poisoned_write_fails_alone(path):
    """Text that cannot be written fails its own caller; neighbours and the thread go on."""
    async with opened(SqliteStore(path)) as store:
        threads = [Thread("thread_\ud800", 1), new_thread(), Thread("thread_\udfff", 1)]

        results = await asyncio.gather(
            *(store.create_thread(ACME, thread) for thread in threads), return_exceptions=True
        )

        assert [type(result) for result in results] == [
            UnicodeEncodeError,
            type(None),
            UnicodeEncodeError,
        ]
        assert store.healthy()
        assert await store.thread(ACME, threads[1].id) == threads[1]


async def test_death_of_the_thread_fails_everybody(path, capsys):
    """When its thread dies, those who wait and those who come later are told, and it is logged."""
    driver = Driver()
    store = SqliteStore(path, connecting=driver)
    await store.open(LOST)
    driver.connection.broken = True

    waiting = await asyncio.gather(
        *(store.create_thread(ACME, new_thread()) for _ in range(5)),
        *(store.thread(ACME, "thread_9") for _ in range(5)),
        return_exceptions=True,
    )
    with pytest.raises(StoreUnavailableError) as later:
        await store.thread(ACME, "thread_9")

    assert {type(error) for error in waiting} == {StoreUnavailableError}
    assert "thread died" in later.value.detail
    assert not store.healthy()
    assert "store_thread_died" in capsys.readouterr().out
    await store.close()


async def test_dead_store_lets_go_of_its_file(path):
    """After its thread's death the file can be opened again, and nothing acknowledged is lost."""
    driver = Driver()
    store = SqliteStore(path, connecting=driver)
    await store.open(LOST)
    started = begin()
    await store.begin_run(ACME, started)
    driver.connection.broken = True
    with pytest.raises(StoreUnavailableError):
        await store.create_thread(ACME, new_thread())
    await store.close()

    async with opened(SqliteStore(path)) as again:
        assert (await again.run(ACME, started.fence.run_id)).status == "failed"
        with pytest.raises(FenceLostError):
            await again.end_run(ACME, end(started.fence))


async def test_a_busy_store_waits_for_company_and_a_quiet_one_does_not(path):
    """After a batch of several the next one waits and is committed once; after one of one, not."""
    driver = Driver()
    limits = SqliteLimits(company_seconds=0.4)
    async with opened(SqliteStore(path, limits=limits, connecting=driver)) as store:
        await asyncio.gather(*(store.create_thread(ACME, new_thread()) for _ in range(2)))
        driver.connection.statements.clear()

        first = asyncio.ensure_future(store.create_thread(ACME, new_thread()))
        early, _ = await asyncio.wait([first], timeout=0.1)
        await asyncio.gather(first, store.create_thread(ACME, new_thread()))
        together = driver.connection.statements.count("COMMIT")
        await store.create_thread(ACME, new_thread())
        alone = asyncio.ensure_future(store.create_thread(ACME, new_thread()))
        soon, _ = await asyncio.wait([alone], timeout=0.3)

    assert (early, together, soon) == (set(), 1, {alone})


async def test_too_many_that_wait_are_refused_at_once(path):
    """Beyond the limit a call is refused though the thread hangs; those within it are done."""
    hanging = threading.Event()

    def connecting(file):
        hanging.wait()
        return Driver()(file)

    store = SqliteStore(path, limits=SqliteLimits(waiting=5), connecting=connecting)
    calls = [asyncio.ensure_future(store.open(LOST))]
    await asyncio.sleep(0)
    calls += [asyncio.ensure_future(store.create_thread(ACME, new_thread())) for _ in range(4)]
    await asyncio.sleep(0)

    with pytest.raises(StoreUnavailableError) as caught:
        await store.create_thread(ACME, new_thread())
    hanging.set()

    assert "5 operations wait" in caught.value.detail
    assert await asyncio.gather(*calls) == [0, None, None, None, None]
    await store.close()
