"""A file that cannot be opened, a disk that is full or read-only, a lock that another process holds (F26)."""

from __future__ import annotations

import re
import sqlite3
import stat
import tempfile
from collections.abc import AsyncIterator, Awaitable, Iterator
from pathlib import Path

import pytest
from sqlite_child import BROWSER, NOW
from sqlite_processes import said

from chain_gateway.errors import StoreUnavailable
from chain_gateway.store.conformance.values import an_id
from chain_gateway.store.sqlite import SqliteStore


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[SqliteStore]:
    """An open store."""
    store = SqliteStore(tmp_path / "chain.db")
    await store.open()
    yield store
    await store.close()


@pytest.fixture
def shared_folder() -> Iterator[Path]:
    """A folder that any user may enter; pytest's own are private."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o777)
        yield folder


async def pragma(store: SqliteStore, text: str) -> None:
    """Sets something at the writing connection, outside a transaction."""

    def run(connection: sqlite3.Connection) -> None:
        connection.execute(f"PRAGMA {text}").fetchall()

    store._writer._transactions = False
    await store._writer.run(run)
    store._writer._transactions = True


async def _answer(call: Awaitable[bool]) -> bool | str:
    """What a call gives, or SQLite's name for why it does not."""
    try:
        return await call
    except StoreUnavailable as error:
        return error.detail.rpartition("(")[2].rstrip(")")


def the_files(folder: Path) -> dict[str, int]:
    """The names and modes of what is in a folder."""
    return {path.name: stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()}


async def test_files_are_the_owners_alone(store: SqliteStore, tmp_path: Path) -> None:
    """The file and its log are made with mode 0600, whatever the umask would allow."""
    await store.take_epoch(an_id(), NOW * 1000, logout=False)
    assert the_files(tmp_path) == {"chain.db": 0o600, "chain.db-wal": 0o600, "chain.db-shm": 0o600}


async def test_a_clean_end_leaves_one_file(tmp_path: Path) -> None:
    """Closing takes the log into the file, so that it can be copied as it is."""
    store = SqliteStore(tmp_path / "chain.db")
    await store.open()
    await store.take_epoch(an_id(), NOW * 1000, logout=False)
    await store.close()
    assert list(the_files(tmp_path)) == ["chain.db"]


@pytest.mark.parametrize(
    ("path", "reason"),
    [("missing/chain.db", "No such file or directory"), (".", "Is a directory"), ("file/chain.db", "Not a directory")],
)
async def test_a_path_that_cannot_be(path: str, reason: str, tmp_path: Path) -> None:
    """The refusal names the path and the reason, and leaves the store as if it had never been opened."""
    (tmp_path / "file").touch()
    store = SqliteStore(tmp_path / path)
    with pytest.raises(StoreUnavailable, match=rf"^{re.escape(str(tmp_path / path))}: {reason}$"):
        await store.open()
    with pytest.raises(StoreUnavailable, match="not open"):
        await store.ping()
    await store.close()


def test_a_read_only_file(shared_folder: Path) -> None:
    """A file that may not be written is refused when the store opens, not at the first login."""
    path = shared_folder / "chain.db"
    assert said("open-as-nobody", path) == []
    path.chmod(0o444)
    assert said("open-as-nobody", path) == [f"refused {path}: Permission denied"]


async def test_a_file_that_turns_read_only(store: SqliteStore) -> None:
    """Where nothing can be written any more, writing and the ping are refused, reading goes on; then all is well."""
    browser = an_id()
    epoch = await store.take_epoch(browser, NOW * 1000, logout=False)
    await pragma(store, "query_only = ON")
    with pytest.raises(StoreUnavailable, match="SQLITE_READONLY"):
        await store.take_epoch(browser, NOW * 1000, logout=False)
    with pytest.raises(StoreUnavailable, match="SQLITE_READONLY"):
        await store.ping()
    known = await store.browser(browser)
    assert known is not None
    assert known.epoch == epoch
    await pragma(store, "query_only = OFF")
    await store.ping()
    assert await store.take_epoch(browser, NOW * 1000, logout=False) == epoch + 1


async def test_a_full_file(store: SqliteStore) -> None:
    """A file at its greatest size refuses what needs more, keeps what it has, and goes on when there is room."""
    await pragma(store, "max_page_count = 40")
    calls = [store.once("label", "key" * 100 + str(n), NOW, NOW) for n in range(1000)]
    answers = [await _answer(call) for call in calls]
    assert answers.index("SQLITE_FULL") > 50
    assert set(answers) == {True, "SQLITE_FULL"}
    await pragma(store, "max_page_count = 4000")
    again = [await store.once("label", "key" * 100 + str(n), NOW, NOW) for n in range(1000)]
    assert again == [answer is not True for answer in answers]


def test_a_full_disk(tmp_path: Path) -> None:
    """Where the operating system lets the file grow no further: clear refusals, no damage, and recovery by itself."""
    path = tmp_path / "chain.db"
    full, ping, read, kept = said("fill", path, 200_000)
    assert re.fullmatch(rf"full after \d+ {re.escape(str(path))}: .*\(SQLITE_(FULL|IOERR\w*)\)", full)
    assert re.fullmatch(rf"ping {re.escape(str(path))}: .*\(SQLITE_(FULL|IOERR\w*)\)", ping)
    assert read == "read None"
    acknowledged = full.split()[2]
    assert int(acknowledged) > 5
    assert kept == f"kept {acknowledged} then True"
    with sqlite3.connect(path) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    connection.close()


async def test_a_lock_that_is_not_let_go(store: SqliteStore, tmp_path: Path) -> None:
    """While another process holds the write lock, writing is refused after a bounded wait; reading goes on."""
    await pragma(store, "busy_timeout = 20")
    other = sqlite3.connect(tmp_path / "chain.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreUnavailable, match="SQLITE_BUSY"):
        await store.take_epoch(BROWSER, NOW * 1000, logout=False)
    assert await store.browser(BROWSER) is None
    other.execute("ROLLBACK")
    other.close()
    assert await store.take_epoch(BROWSER, NOW * 1000, logout=False) == NOW * 1000


async def test_a_ping_writes(store: SqliteStore, tmp_path: Path) -> None:
    """A ping reaches the disk, so that a full or read-only one is noticed before a login is."""
    before = (tmp_path / "chain.db-wal").stat().st_size
    await store.ping()
    assert (tmp_path / "chain.db-wal").stat().st_size > before


async def test_a_sweep_brings_the_log_into_the_file(store: SqliteStore, tmp_path: Path) -> None:
    """After a sweep a power cut takes nothing that was acknowledged before it: the file itself has it all."""
    epoch = await store.take_epoch(BROWSER, NOW * 1000, logout=False)
    await store.sweep(NOW)
    copy = tmp_path / "copy.db"
    copy.write_bytes((tmp_path / "chain.db").read_bytes())
    with sqlite3.connect(copy) as connection:
        assert connection.execute("SELECT epoch FROM browsers").fetchall() == [(epoch,)]
    connection.close()
