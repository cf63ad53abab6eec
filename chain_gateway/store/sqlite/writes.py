"""How walks are written, each a function on a connection that is inside a transaction (``lane``)."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from chain_gateway.core.ledger import Entry, OpRecord
from chain_gateway.core.limits import OPEN_WALKS
from chain_gateway.store.base import Advanced, Replayed, Step, StoredWalk, Superseded
from chain_gateway.store.sqlite.entries import raise_epoch, take
from chain_gateway.store.sqlite.op_records import keep
from chain_gateway.store.sqlite.reads import walk as read_walk
from chain_gateway.store.sqlite.schema import APPLICATION_ID

_TAKE_EPOCH = """
INSERT INTO browsers (id, epoch, signed_out_ms, signed_out_epoch) VALUES (?1, max(1, ?2), ?2 * ?3, max(1, ?2) * ?3)
ON CONFLICT (id) DO UPDATE SET
    epoch = max(epoch + 1, excluded.epoch),
    signed_out_ms = max(signed_out_ms, excluded.signed_out_ms),
    signed_out_epoch = iif(?3, max(epoch + 1, excluded.epoch), signed_out_epoch)
RETURNING epoch"""

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

_STOP = "UPDATE walks SET ended = 2 WHERE id = ? AND NOT ended"

_STOP_SURPLUS = """
UPDATE walks SET ended = 2 WHERE rowid IN (
    SELECT rowid FROM walks WHERE browser = ? AND NOT ended ORDER BY epoch DESC, rowid DESC LIMIT -1 OFFSET ?)"""

_ONCE = """
INSERT INTO seen (label, key, until) VALUES (?, ?, ?)
ON CONFLICT (label, key) DO UPDATE SET until = excluded.until WHERE until < ?"""


def ping(connection: sqlite3.Connection) -> None:
    """Writes what is there already, which fails where nothing can be written."""
    connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")


def take_epoch(connection: sqlite3.Connection, browser: bytes, now_ms: int, *, logout: bool) -> int:
    """See ``Walks.take_epoch``."""
    (row,) = connection.execute(_TAKE_EPOCH, (browser, now_ms, logout)).fetchall()
    return int(row[0])


def login_epoch(connection: sqlite3.Connection, browser: bytes, now_ms: int, since_ms: int) -> int | None:
    """See ``Walks.login_epoch``."""
    row = connection.execute("SELECT signed_out_ms FROM browsers WHERE id = ?", (browser,)).fetchone()
    if row is not None and row[0] >= since_ms:
        return None
    return take_epoch(connection, browser, now_ms, logout=False)


def open_walk(
    connection: sqlite3.Connection, walk: StoredWalk, ledger: Sequence[Entry], op_session: OpRecord | None
) -> None:
    """See ``Walks.open_walk``."""
    raise_epoch(connection, walk.browser, walk.epoch)
    if op_session is not None:
        keep(connection, walk.browser, walk.epoch, op_session)
    take(connection, walk.browser, ledger, walk.epoch)
    _write(connection, walk)
    connection.execute(_STOP_SURPLUS, (walk.browser, OPEN_WALKS))


def advance(connection: sqlite3.Connection, walk: StoredWalk, spent: bytes, ledger: Sequence[Entry]) -> Step:
    """See ``Walks.advance``: one statement where all is as it should be, and a closer look where it is not."""
    if not _step(connection, walk, spent):
        stored = read_walk(connection, walk.id)
        if stored is not None and stored.ended:
            return Replayed(stored)
        newest = raise_epoch(connection, walk.browser, walk.epoch)
        if walk.epoch < newest:
            drop_walk(connection, walk.id)
            take(connection, walk.browser, ledger, walk.epoch)
            return Superseded(newest)
        if stored is None:
            _write(connection, walk)
        elif not _step(connection, walk, spent):
            return Replayed(stored)
    take(connection, walk.browser, ledger, walk.epoch)
    return Advanced()


def drop_walk(connection: sqlite3.Connection, walk_id: bytes) -> bool:
    """See ``Walks.drop_walk``."""
    return connection.execute(_STOP, (walk_id,)).rowcount == 1


def once(connection: sqlite3.Connection, label: str, key: str, until: int, now: int) -> bool:
    """See ``Memory.once``."""
    return connection.execute(_ONCE, (label, key, until, now)).rowcount == 1


def _step(connection: sqlite3.Connection, walk: StoredWalk, spent: bytes) -> bool:
    """Whether the nonce was there to be spent, in an open walk of the browser's own epoch; then it is, and written."""
    state = (walk.nonce, walk.state, walk.hop_deadline, walk.expires_at)
    guard = (walk.id, spent, walk.epoch, walk.browser)
    return connection.execute(_LAST_STEP if walk.ended else _STEP, state + guard).rowcount == 1


def _write(connection: sqlite3.Connection, walk: StoredWalk) -> None:
    """A walk that is not there yet."""
    row = (walk.id, walk.browser, walk.epoch, walk.nonce, walk.state, walk.hop_deadline, walk.expires_at, walk.ended)
    connection.execute(_NEW_WALK, row)
