"""What the SQLite store promises about its file and its schema."""

import sqlite3
import stat
from pathlib import Path

import pytest

from gateway.store.errors import StoreUnavailableError
from gateway.store.model import Key, Thread
from gateway.store.sqlite import SqliteStore
from gateway.store.sqlite_schema import MIGRATIONS, migrate
from tests.fakes.store_adapters import Clock, opened
from tests.fakes.store_values import ACME, LOST, begin

VERSION_1 = Path(__file__).parents[1] / "fakes" / "store_v1.sql"


def database(path, script=""):
    """A file that ``script`` made."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.executescript(script)
    return connection


def version(connection):
    """The version of a file's schema."""
    return connection.execute("PRAGMA user_version").fetchone()[0]


async def test_file_is_its_owners_alone(tmp_path):
    """Folders are made, and nobody but the owner reads any of the files."""
    path = tmp_path / "a" / "b" / "gateway.db"

    async with opened(SqliteStore(path)) as store:
        await store.create_thread(ACME, Thread("thread_1", 1))
        modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()}

    assert modes.keys() >= {"gateway.db", "gateway.db-wal", "gateway.db.lock"}
    assert set(modes.values()) == {0o600}


async def test_file_that_others_could_read_is_closed_to_them(tmp_path):
    """A file that was left readable, such as a copied backup, is made its owner's alone."""
    path = tmp_path / "gateway.db"
    path.touch(mode=0o644)

    async with opened(SqliteStore(path)):
        mode = stat.S_IMODE(path.stat().st_mode)

    assert mode == 0o600


async def test_version_1_is_opened(tmp_path):
    """A file of schema version 1 is served with all that it holds, and its dead run is ended."""
    path = tmp_path / "gateway.db"
    database(path, VERSION_1.read_text()).close()
    store = SqliteStore(path, clock=Clock())

    lost = await store.open(LOST)

    assert lost == 1
    thread = await store.thread(ACME, "thread_one")
    assert (thread.metadata, thread.user) == ({"colour": "blue"}, "ada")
    items = await store.items(ACME, "thread_one", 9)
    assert [item.id for item in items] == ["msg_one", "msg_two", "msg_three"]
    assert (await store.run(ACME, "run_one")).status == "completed"
    assert (await store.run(ACME, "run_two")).ending == LOST
    assert await store.run_events(ACME, "run_one") == b"events"
    assert [item.id for item in await store.run_items(ACME, "run_one")] == ["msg_two"]
    key = Key("scope", "key", "body")
    assert await store.run_by_key(ACME, "scope", "key") == (key, "run_one")
    assert await store.key_uses(ACME) == {"key_one": 1_700_000_000}
    await store.begin_run(ACME, begin("thread_one"))
    await store.close()
    assert version(database(path)) == len(MIGRATIONS)


async def test_file_of_a_newer_program_is_refused_by_name(tmp_path):
    """A file whose schema is newer is left as it is, and the error names it and both versions."""
    path = tmp_path / "gateway.db"
    newer = len(MIGRATIONS) + 1
    database(path, f"CREATE TABLE future (x); PRAGMA user_version = {newer}").close()

    with pytest.raises(StoreUnavailableError) as caught:
        await SqliteStore(path).open(LOST)

    assert str(path) in caught.value.detail
    assert f"version {newer}" in caught.value.detail
    connection = database(path)
    assert version(connection) == newer
    assert connection.execute("SELECT name FROM sqlite_master").fetchall() == [("future",)]


async def test_file_of_another_kind_is_refused_by_name(tmp_path):
    """A file that is no database is refused and left as it is."""
    path = tmp_path / "gateway.db"
    path.write_text("tenant = 'acme'\n" * 100)

    with pytest.raises(StoreUnavailableError) as caught:
        await SqliteStore(path).open(LOST)

    assert str(path) in caught.value.detail
    assert "not a database" in caught.value.detail
    assert path.read_text() == "tenant = 'acme'\n" * 100


async def test_folder_that_cannot_be_made_is_named(tmp_path):
    """Where a file stands in the way of a folder, the error names the path; later it may open."""
    (tmp_path / "taken").touch()
    store = SqliteStore(tmp_path / "taken" / "gateway.db")

    with pytest.raises(StoreUnavailableError) as caught:
        await store.open(LOST)
    (tmp_path / "taken").unlink()
    again = await store.open(LOST)

    assert "taken" in caught.value.detail
    assert again == 0
    await store.close()


def test_steps_are_taken_from_where_a_file_is(tmp_path):
    """Only the steps beyond a file's version are taken, each once, in order."""
    connection = database(tmp_path / "a.db", "CREATE TABLE a (x); PRAGMA user_version = 1")
    steps = ("CREATE TABLE a (x);", "CREATE TABLE b (x);", "ALTER TABLE b ADD COLUMN y;")

    migrate(connection, steps)
    migrate(connection, steps)

    assert version(connection) == 3
    assert connection.execute("SELECT y FROM b").fetchall() == []


def test_step_that_fails_leaves_the_file_as_it_was(tmp_path):
    """Half of a step is never left behind; the steps before it stay."""
    connection = database(tmp_path / "a.db")
    steps = ("CREATE TABLE a (x);", "CREATE TABLE b (x); INSERT INTO missing VALUES (1);")

    with pytest.raises(sqlite3.OperationalError):
        migrate(connection, steps)

    assert version(connection) == 1
    assert connection.execute("SELECT name FROM sqlite_master").fetchall() == [("a",)]
