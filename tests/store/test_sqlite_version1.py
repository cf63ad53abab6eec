"""A file of version 1 is brought forward with all that it knows."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlite_version1 import make_version_1

from chain_gateway.core.chain import AppId
from chain_gateway.core.ledger import Browser, Entry, Holding, OpRecord
from chain_gateway.core.limits import NOBODY_SECONDS
from chain_gateway.store.base import Advanced, Owed, Replayed, StoredWalk, Superseded
from chain_gateway.store.conformance.values import NOW, NOW_MS, a_record, a_walk, an_id, step
from chain_gateway.store.sqlite import SqliteStore
from chain_gateway.store.sqlite.schema import MIGRATIONS


def named(name: str) -> bytes:
    """An id or nonce of the file."""
    return name.encode().ljust(16)


SIGNED_IN, SIGNED_OUT, TWO_TABS = named("signed in"), named("signed out"), named("two tabs")
OWED = Entry(AppId("bank"), Holding.OWED, NOW_MS + 5000, NOW, "", "sid 2", NOW - 60)


def a_walk_of(browser: bytes, name: str, nonce: str, epoch: int, *, ended: bool = False) -> StoredWalk:
    """A walk of the file."""
    state = b"state of " + name.encode()
    return StoredWalk(named(name), browser, epoch, named(nonce), state, NOW + 30, NOW + 900, ended=ended)


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[SqliteStore]:
    """A store that was opened on such a file."""
    make_version_1(tmp_path / "chain.db")
    store = SqliteStore(tmp_path / "chain.db")
    await store.open()
    yield store
    await store.close()


async def test_it_has_the_tables_of_a_new_file(store: SqliteStore, tmp_path: Path) -> None:
    """A file that was brought forward and one that was made now have the same columns and indexes, and no others."""
    new = SqliteStore(tmp_path / "new.db")
    await new.open()
    await new.close()

    def shape(path: Path) -> dict[str, object]:
        with closing(sqlite3.connect(path)) as connection:
            assert connection.execute("PRAGMA user_version").fetchone() == (len(MIGRATIONS),)
            assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
            names = [name for (name,) in connection.execute("SELECT name FROM sqlite_master")]
            return {
                name: connection.execute(f"PRAGMA table_info({name})").fetchall()
                or connection.execute(f"PRAGMA index_xinfo({name})").fetchall()
                for name in names
            }

    found = shape(tmp_path / "chain.db")
    assert found == shape(tmp_path / "new.db")
    assert {"browsers", "ledger", "ledger_owed", "op_records", "op_records_by_sid", "op_records_by_sub"} < set(found)
    assert "op_sessions" not in found


async def test_whoever_signed_in_is_kept(store: SqliteStore) -> None:
    """A browser of that file is not taken for one that nobody ever signed in with."""
    await store.sweep(NOW + 100 * NOBODY_SECONDS)
    assert [await store.browser(browser) is not None for browser in (SIGNED_IN, SIGNED_OUT)] == [True, True]


async def test_who_is_signed_in_is_found(store: SqliteStore) -> None:
    """The provider's words come from the ledger of the same walk, so that its logout token finds the browser."""
    known = await store.browser(SIGNED_IN)
    holds = [Entry(AppId(app), Holding.HOLDS, NOW_MS, NOW, "auth0|1", "sid 1", NOW - 60) for app in ("bank", "shop")]
    record = OpRecord(b"sealed 1", "auth0|1", "sid 1")
    assert known == Browser(SIGNED_IN, NOW_MS, op_session=record, ledger={each.app: each for each in holds})
    assert await store.browsers_of("auth0|1", "sid 1") == [SIGNED_IN]
    assert await store.browsers_of("auth0|3", "") == [TWO_TABS]


async def test_who_signed_out_stays_signed_out(store: SqliteStore) -> None:
    """A logout of before counts as newer than the logins before it, and nobody finds the sign-in that it ended."""
    known = await store.browser(SIGNED_OUT)
    assert known is not None
    assert (known.signed_out_ms, known.signed_out_epoch) == (NOW_MS + 5000, NOW_MS + 5000)
    assert known.op_session == OpRecord(b"sealed 2", "", "")
    assert await store.browsers_of("auth0|2", "") == []
    assert await store.browsers_of("", "sid 2") == []
    others = [await store.browser(each) for each in (SIGNED_IN, TWO_TABS)]
    assert [other and other.signed_out_epoch for other in others] == [0, 0]


async def test_what_was_owed_is_due_at_once(store: SqliteStore) -> None:
    """A logout that was owed and could wait for the next walk alone is delivered now."""
    assert await store.owed(NOW, NOW + 30, 10) == [Owed(SIGNED_OUT, OWED, 0, NOW + 30)]
    assert await store.defer(SIGNED_OUT, "bank", NOW_MS + 5000, NOW + 60, 1)
    await store.note(SIGNED_OUT, [OWED._replace(holding=Holding.NONE)])
    assert await store.all_owed(10) == []


async def test_walks_stand_where_they_stood(store: SqliteStore) -> None:
    """An ended one has ended, an open one goes on, and one that gave way to another one is told so, as before."""
    ended = a_walk_of(SIGNED_IN, "one login", "third", NOW_MS, ended=True)
    assert await store.advance(step(ended), named("third"), ()) == Replayed(ended)
    older = a_walk_of(TWO_TABS, "older tab", "first", NOW_MS)
    assert await store.walk(older.id) == older._replace(stopped=True)
    assert await store.advance(step(older), older.nonce, ()) == Superseded(NOW_MS + 1)
    newer = a_walk_of(TWO_TABS, "newer tab", "first", NOW_MS + 1)
    assert await store.open_everywhere(10) == [newer]
    assert await store.advance(step(newer), newer.nonce, ()) == Advanced()
    assert not await store.once("logout:shop", "a key", NOW + 60, NOW)


async def test_it_is_written_like_a_new_file(store: SqliteStore) -> None:
    """A sign-in of now takes the place of one of before."""
    record = a_record()
    await store.open_walk(a_walk(SIGNED_IN, NOW_MS + 9), (), record)
    assert await store.browsers_of("auth0|1", "") == []
    assert await store.browsers_of(record.sub, "") == [SIGNED_IN]
    await store.clear_op(SIGNED_OUT, NOW_MS + 5000)
    known = await store.browser(SIGNED_OUT)
    assert known is not None
    assert known.op_session is None
    assert await store.browser(an_id()) is None
