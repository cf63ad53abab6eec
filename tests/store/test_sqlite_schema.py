"""The file's version: it is raised, never lowered, and a file of somebody else is left alone."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from chain_gateway.errors import StoreUnavailable
from chain_gateway.store.sqlite import SqliteStore
from chain_gateway.store.sqlite.schema import MIGRATIONS, migrate

NEXT = (*MIGRATIONS, ("ALTER TABLE browsers ADD COLUMN note TEXT NOT NULL DEFAULT 'none'", "CREATE TABLE more (n)"))


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    """A connection to an empty file that commits by explicit words only."""
    connection = sqlite3.connect(tmp_path / "chain.db", isolation_level=None)
    yield connection
    connection.close()


def tables(connection: sqlite3.Connection) -> set[str]:
    return {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}


def version(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def test_an_empty_file_gets_the_tables(connection: sqlite3.Connection) -> None:
    """All versions are passed through from nothing; doing it again changes nothing."""
    migrate(connection)
    assert tables(connection) == {"browsers", "op_records", "ledger", "walks", "seen"}
    assert version(connection) == len(MIGRATIONS)
    migrate(connection)
    assert version(connection) == len(MIGRATIONS)


def test_an_older_file_is_brought_forward(connection: sqlite3.Connection) -> None:
    """The next version's statements run on what is there, which stays."""
    migrate(connection)
    connection.execute("INSERT INTO browsers VALUES (x'01', 5, 0, 0, 1)")
    migrate(connection, NEXT)
    assert version(connection) == len(NEXT)
    assert connection.execute("SELECT * FROM browsers").fetchall() == [(b"\1", 5, 0, 0, 1, "none")]


def test_a_migration_is_whole_or_not_at_all(connection: sqlite3.Connection) -> None:
    """One that fails half-way leaves the file at the version it had."""
    migrate(connection)
    with pytest.raises(sqlite3.OperationalError):
        migrate(connection, (*MIGRATIONS, ("CREATE TABLE more (n)", "no statement at all")))
    assert version(connection) == len(MIGRATIONS)
    assert "more" not in tables(connection)
    assert not connection.in_transaction


async def test_a_newer_file_is_refused(connection: sqlite3.Connection, tmp_path: Path) -> None:
    """An older program does not touch a file that a newer one has changed, and says which versions they are."""
    migrate(connection, NEXT)
    store = SqliteStore(tmp_path / "chain.db")
    with pytest.raises(StoreUnavailable, match=r"chain\.db: the file has schema version 4 and this program knows 3"):
        await store.open()
    assert version(connection) == len(NEXT)


@pytest.mark.parametrize("made", ["CREATE TABLE theirs (n)", "PRAGMA user_version = 1", "PRAGMA application_id = 7"])
async def test_somebody_elses_database_is_refused(made: str, connection: sqlite3.Connection, tmp_path: Path) -> None:
    """A database that another program made is not taken for an empty one, nor for ours."""
    connection.execute(made)
    with pytest.raises(StoreUnavailable, match=r"chain\.db: the file is a database of another program"):
        await SqliteStore(tmp_path / "chain.db").open()
    assert "walks" not in tables(connection)


async def test_what_is_no_database_is_refused(tmp_path: Path) -> None:
    """A file of some other kind is named and left as it is."""
    path = tmp_path / "keys.json"
    path.write_text('{"keys": []}' * 200)
    with pytest.raises(StoreUnavailable, match=r"keys\.json: file is not a database \(SQLITE_NOTADB\)"):
        await SqliteStore(path).open()
    assert path.read_text() == '{"keys": []}' * 200
