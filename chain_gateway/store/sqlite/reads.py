"""What is read, each one statement, so that it sees one moment of the file."""

from __future__ import annotations

import sqlite3

from chain_gateway.core.chain import AppId
from chain_gateway.core.ledger import Browser, Entry, Holding
from chain_gateway.store.base import StoredWalk

_WALK = "SELECT id, browser, epoch, nonce, state, hop_deadline, expires_at, ended FROM walks "
_OPEN = _WALK + "INDEXED BY walks_open "

_BROWSER = """
SELECT b.epoch, b.signed_out_ms, o.session, l.app, l.holding, l.epoch, l.since, l.sub, l.sid, l.auth_time
FROM browsers AS b
LEFT JOIN op_sessions AS o ON o.browser = b.id
LEFT JOIN ledger AS l ON l.browser = b.id
WHERE b.id = ?"""


def ping(connection: sqlite3.Connection) -> None:
    """Reads something."""
    connection.execute("SELECT 1 FROM browsers LIMIT 1").fetchall()


def walk(connection: sqlite3.Connection, walk_id: bytes) -> StoredWalk | None:
    """See ``Store.walk``."""
    row = connection.execute(_WALK + "WHERE id = ?", (walk_id,)).fetchone()
    return None if row is None else _walk(row)


def open_walks(connection: sqlite3.Connection, browser: bytes, now: int) -> list[StoredWalk]:
    """See ``Store.open_walks``."""
    rows = connection.execute(
        _OPEN + "WHERE browser = ? AND NOT ended AND expires_at > ? ORDER BY epoch DESC", (browser, now)
    )
    return [_walk(row) for row in rows]


def overdue(connection: sqlite3.Connection, now: int) -> list[StoredWalk]:
    """The walks that ``Store.sweep`` returns, the longest overdue first.

    All open walks are looked at: they are few, and an index by deadline would be rewritten at every hop.
    """
    rows = connection.execute(_OPEN + "WHERE NOT ended AND hop_deadline <= ? ORDER BY hop_deadline", (now,))
    return [_walk(row) for row in rows]


def browser(connection: sqlite3.Connection, browser_id: bytes) -> Browser | None:
    """See ``Store.browser``."""
    rows = connection.execute(_BROWSER, (browser_id,)).fetchall()
    if not rows:
        return None
    epoch, signed_out_ms, op_session = rows[0][:3]
    ledger = {row[3]: _entry(row[3:]) for row in rows if row[3] is not None}
    return Browser(browser_id, epoch, signed_out_ms, op_session or b"", ledger)


def checkpoint(connection: sqlite3.Connection) -> None:
    """Brings the log into the file and syncs both, as far as nobody is in the way; nobody waits for it."""
    connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()


def _walk(row: tuple[bytes, bytes, int, bytes, bytes, int, int, int]) -> StoredWalk:
    walk_id, of_browser, epoch, nonce, state, hop_deadline, expires_at, ended = row
    return StoredWalk(walk_id, of_browser, epoch, nonce, state, hop_deadline, expires_at, bool(ended))


def _entry(row: tuple[str, str, int, int, str, str, int]) -> Entry:
    app, holding, epoch, since, sub, sid, auth_time = row
    return Entry(AppId(app), Holding(holding), epoch, since, sub, sid, auth_time)
