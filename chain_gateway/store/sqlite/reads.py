"""What is read, each one statement, so that it sees one moment of the file."""

from __future__ import annotations

import sqlite3

from chain_gateway.core.chain import AppId
from chain_gateway.core.ledger import Browser, Entry, Holding, OpRecord
from chain_gateway.store.base import Counts, Owed, StoredWalk

_WALK = "SELECT id, browser, epoch, nonce, state, hop_deadline, expires_at, ended FROM walks "
_OPEN = _WALK + "INDEXED BY walks_open "

_BROWSER = """
SELECT b.epoch, b.signed_out_ms, b.signed_out_epoch, o.sealed, o.sub, o.sid,
    l.app, l.holding, l.epoch, l.since, l.sub, l.sid, l.auth_time
FROM browsers AS b
LEFT JOIN op_records AS o ON o.browser = b.id
LEFT JOIN ledger AS l ON l.browser = b.id
WHERE b.id = ?"""

_OWED = """
SELECT browser, attempts, due, app, holding, epoch, since, sub, sid, auth_time
FROM ledger INDEXED BY ledger_owed WHERE holding = 'owed' AND due <= ? ORDER BY due, since LIMIT max(?, 0)"""

_COUNTS = """
SELECT (SELECT count(*) FROM walks INDEXED BY walks_open WHERE NOT ended),
    (SELECT count(*) FROM ledger INDEXED BY ledger_owed WHERE holding = 'owed')"""

_OF_SESSION = """
SELECT browser FROM op_records INDEXED BY op_records_by_sid
WHERE sid <> '' AND sid = ?1 AND ?2 IN ('', sub)"""
_OF_PERSON = "SELECT browser FROM op_records INDEXED BY op_records_by_sub WHERE sub <> '' AND sub = ?"

_ENDED, _STOPPED = 1, 2
FOREVER = 2**62


def ping(connection: sqlite3.Connection) -> None:
    """Reads something."""
    connection.execute("SELECT 1 FROM browsers LIMIT 1").fetchall()


def counts(connection: sqlite3.Connection) -> Counts:
    """See ``Store.counts``; two partial indexes are counted, which hold nothing else."""
    walks, owed = connection.execute(_COUNTS).fetchone()
    return Counts(walks, owed)


def walk(connection: sqlite3.Connection, walk_id: bytes) -> StoredWalk | None:
    """See ``Walks.walk``."""
    row = connection.execute(_WALK + "WHERE id = ?", (walk_id,)).fetchone()
    return None if row is None else _walk(row)


def open_walks(connection: sqlite3.Connection, browser: bytes, now: int) -> list[StoredWalk]:
    """See ``Walks.open_walks``."""
    rows = connection.execute(
        _OPEN + "WHERE browser = ? AND NOT ended AND expires_at > ? ORDER BY epoch DESC", (browser, now)
    )
    return [_walk(row) for row in rows]


def open_everywhere(connection: sqlite3.Connection, limit: int) -> list[StoredWalk]:
    """See ``Walks.open_everywhere``."""
    rows = connection.execute(_OPEN + "WHERE NOT ended ORDER BY hop_deadline LIMIT max(?, 0)", (limit,))
    return [_walk(row) for row in rows]


def overdue(connection: sqlite3.Connection, now: int) -> list[StoredWalk]:
    """The walks that ``Walks.sweep`` returns, the longest overdue first.

    All open walks are looked at: they are few, and an index by deadline would be rewritten at every hop.
    """
    where = "WHERE NOT ended AND (hop_deadline <= ?1 OR expires_at <= ?1) ORDER BY hop_deadline"
    return [_walk(row) for row in connection.execute(_OPEN + where, (now,))]


def browser(connection: sqlite3.Connection, browser_id: bytes) -> Browser | None:
    """See ``Ledger.browser``."""
    rows = connection.execute(_BROWSER, (browser_id,)).fetchall()
    if not rows:
        return None
    epoch, signed_out_ms, signed_out_epoch, sealed, sub, sid = rows[0][:6]
    op_session = None if sealed is None else OpRecord(sealed, sub, sid)
    ledger = {row[6]: _entry(row[6:]) for row in rows if row[6] is not None}
    return Browser(browser_id, epoch, signed_out_ms, signed_out_epoch, op_session, ledger)


def owed(connection: sqlite3.Connection, limit: int, until: int = FOREVER) -> list[Owed]:
    """See ``Queue.all_owed``; only what is due ``until`` a second."""
    rows = connection.execute(_OWED, (until, limit))
    return [Owed(row[0], _entry(row[3:]), attempts=row[1], due=row[2]) for row in rows]


def browsers_of(connection: sqlite3.Connection, sub: str, sid: str) -> list[bytes]:
    """See ``SignIns.browsers_of``."""
    rows = connection.execute(_OF_SESSION, (sid, sub)) if sid else connection.execute(_OF_PERSON, (sub,))
    return [found for (found,) in rows]


def checkpoint(connection: sqlite3.Connection) -> None:
    """Brings the log into the file and syncs both, as far as nobody is in the way; nobody waits for it."""
    connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()


def _walk(row: tuple[bytes, bytes, int, bytes, bytes, int, int, int]) -> StoredWalk:
    walk_id, of_browser, epoch, nonce, state, hop_deadline, expires_at, ended = row
    at = (hop_deadline, expires_at)
    return StoredWalk(walk_id, of_browser, epoch, nonce, state, *at, ended=ended == _ENDED, stopped=ended == _STOPPED)


def _entry(row: tuple[str, str, int, int, str, str, int]) -> Entry:
    app, holding, epoch, since, sub, sid, auth_time = row
    return Entry(AppId(app), Holding(holding), epoch, since, sub, sid, auth_time)
