"""What is written, each a function on a connection that is inside a transaction (``lane``)."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from chain_gateway.core.ledger import Entry
from chain_gateway.core.limits import BROWSER_SECONDS, OPEN_WALKS, WALK_SECONDS
from chain_gateway.store.base import Advanced, Replayed, Step, StoredWalk, Superseded
from chain_gateway.store.sqlite.reads import walk as read_walk
from chain_gateway.store.sqlite.schema import APPLICATION_ID

FORGET_ROWS = 1000
"""Rows of a kind that one transaction forgets, so that no walk waits long for it."""

_TAKE_EPOCH = """
INSERT INTO browsers (id, epoch, signed_out_ms) VALUES (?, max(1, ?), ?)
ON CONFLICT (id) DO UPDATE SET
    epoch = max(epoch + 1, excluded.epoch), signed_out_ms = max(signed_out_ms, excluded.signed_out_ms)
RETURNING epoch"""

_RAISE_EPOCH = """
INSERT INTO browsers (id, epoch, signed_out_ms) VALUES (?, ?, 0)
ON CONFLICT (id) DO UPDATE SET epoch = excluded.epoch WHERE excluded.epoch > epoch"""

_TAKE_ENTRY = """
INSERT INTO ledger (browser, app, holding, epoch, since, sub, sid, auth_time) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (browser, app) DO UPDATE SET
    holding = excluded.holding, epoch = excluded.epoch, since = excluded.since,
    sub = excluded.sub, sid = excluded.sid, auth_time = excluded.auth_time
WHERE excluded.epoch >= epoch"""

_OP_SESSION = """
INSERT INTO op_sessions (browser, epoch, session) VALUES (?, ?, ?)
ON CONFLICT (browser) DO UPDATE SET epoch = excluded.epoch, session = excluded.session
WHERE excluded.epoch >= epoch"""

_NEW_WALK = """
INSERT INTO walks (id, browser, epoch, nonce, state, hop_deadline, expires_at, ended) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (id) DO NOTHING"""

_STEP = """
UPDATE walks SET nonce = ?, state = ?, hop_deadline = ?, expires_at = ?
WHERE id = ? AND nonce = ? AND NOT ended AND ? = (SELECT epoch FROM browsers WHERE id = ?)"""

# Apart, because a statement that names ``ended`` rewrites its index entries, which all steps but the last leave alone.
_LAST_STEP = """
UPDATE walks SET nonce = ?, state = ?, hop_deadline = ?, expires_at = ?, ended = 1
WHERE id = ? AND nonce = ? AND NOT ended AND ? = (SELECT epoch FROM browsers WHERE id = ?)"""

_END_SURPLUS = """
UPDATE walks SET ended = 1 WHERE rowid IN (
    SELECT rowid FROM walks WHERE browser = ? AND NOT ended ORDER BY epoch DESC, rowid DESC LIMIT -1 OFFSET ?)"""

_ONCE = """
INSERT INTO seen (label, key, until) VALUES (?, ?, ?)
ON CONFLICT (label, key) DO UPDATE SET until = excluded.until WHERE until < ?"""

_SEEN_PAST = "DELETE FROM seen WHERE (label, key) IN (SELECT label, key FROM seen WHERE until < ? LIMIT ?)"
_WALKS_PAST = "DELETE FROM walks WHERE rowid IN (SELECT rowid FROM walks WHERE ended AND expires_at < ? LIMIT ?)"
_BROWSERS_PAST = "SELECT id FROM browsers WHERE epoch < ? LIMIT ?"


def ping(connection: sqlite3.Connection) -> None:
    """Writes what is there already, which fails where nothing can be written."""
    connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")


def take_epoch(connection: sqlite3.Connection, browser: bytes, now_ms: int, signed_out_ms: int) -> int:
    """See ``Store.take_epoch``; ``signed_out_ms`` is 0 for a login."""
    (row,) = connection.execute(_TAKE_EPOCH, (browser, now_ms, signed_out_ms)).fetchall()
    return int(row[0])


def open_walk(
    connection: sqlite3.Connection, walk: StoredWalk, ledger: Sequence[Entry], op_session: bytes | None
) -> None:
    """See ``Store.open_walk``."""
    connection.execute(_RAISE_EPOCH, (walk.browser, walk.epoch))
    if op_session is not None:
        connection.execute(_OP_SESSION, (walk.browser, walk.epoch, op_session))
    _take(connection, walk.browser, ledger, walk.epoch)
    _write(connection, walk)
    connection.execute(_END_SURPLUS, (walk.browser, OPEN_WALKS))


def advance(connection: sqlite3.Connection, walk: StoredWalk, spent: bytes, ledger: Sequence[Entry]) -> Step:
    """See ``Store.advance``: one statement where all is as it should be, and a closer look where it is not."""
    if not _step(connection, walk, spent):
        connection.execute(_RAISE_EPOCH, (walk.browser, walk.epoch))
        row = connection.execute("SELECT epoch FROM browsers WHERE id = ?", (walk.browser,)).fetchone()
        if walk.epoch < row[0]:
            connection.execute("UPDATE walks SET ended = 1 WHERE id = ? AND NOT ended", (walk.id,))
            _take(connection, walk.browser, ledger, walk.epoch)
            return Superseded(int(row[0]))
        stored = read_walk(connection, walk.id)
        if stored is None:
            _write(connection, walk)
        elif not _step(connection, walk, spent):
            return Replayed(stored)
    _take(connection, walk.browser, ledger, walk.epoch)
    return Advanced()


def note(connection: sqlite3.Connection, browser: bytes, ledger: Sequence[Entry]) -> None:
    """See ``Store.note``."""
    _take(connection, browser, ledger, 0)


def once(connection: sqlite3.Connection, label: str, key: str, until: int, now: int) -> bool:
    """See ``Store.once``."""
    return connection.execute(_ONCE, (label, key, until, now)).rowcount == 1


def forget(connection: sqlite3.Connection, now: int) -> bool:
    """A share of what ``Store.sweep`` forgets; whether more may be left."""
    most = connection.execute(_SEEN_PAST, (now, FORGET_ROWS)).rowcount
    most = max(most, connection.execute(_WALKS_PAST, (now - WALK_SECONDS, FORGET_ROWS)).rowcount)
    browsers = connection.execute(_BROWSERS_PAST, ((now - BROWSER_SECONDS) * 1000, FORGET_ROWS)).fetchall()
    connection.executemany("DELETE FROM walks WHERE browser = ? AND NOT ended", browsers)
    for table, column in (("ledger", "browser"), ("op_sessions", "browser"), ("browsers", "id")):
        connection.executemany(f"DELETE FROM {table} WHERE {column} = ?", browsers)  # noqa: S608 - names of our own
    return max(most, len(browsers)) == FORGET_ROWS


def _step(connection: sqlite3.Connection, walk: StoredWalk, spent: bytes) -> bool:
    """Whether the nonce was there to be spent, in an open walk of the browser's own epoch; then it is, and written."""
    state = (walk.nonce, walk.state, walk.hop_deadline, walk.expires_at)
    guard = (walk.id, spent, walk.epoch, walk.browser)
    return connection.execute(_LAST_STEP if walk.ended else _STEP, state + guard).rowcount == 1


def _write(connection: sqlite3.Connection, walk: StoredWalk) -> None:
    """A walk that is not there yet."""
    row = (walk.id, walk.browser, walk.epoch, walk.nonce, walk.state, walk.hop_deadline, walk.expires_at, walk.ended)
    connection.execute(_NEW_WALK, row)


def _take(connection: sqlite3.Connection, browser: bytes, ledger: Sequence[Entry], epoch: int) -> None:
    """Takes the entries that are newer than what stands; the browser is known to have ``epoch`` already."""
    highest = max((entry.epoch for entry in ledger), default=epoch)
    if highest > epoch:
        connection.execute(_RAISE_EPOCH, (browser, highest))
    rows = [(browser, e.app, e.holding.value, e.epoch, e.since, e.sub, e.sid, e.auth_time) for e in ledger]
    connection.executemany(_TAKE_ENTRY, rows)
