"""The ledger, and the queue that it is: entries are taken, owed ones claimed and deferred."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from chain_gateway.core.ledger import Entry
from chain_gateway.store.base import Owed
from chain_gateway.store.sqlite.reads import owed

_RAISE_EPOCH = """
INSERT INTO browsers (id, epoch, signed_out_ms) VALUES (?, ?, 0)
ON CONFLICT (id) DO UPDATE SET epoch = excluded.epoch WHERE excluded.epoch > epoch"""

# What was owed already keeps its turn in the queue; ``due`` and ``attempts`` of anything else mean nothing.
_TAKE_ENTRY = """
INSERT INTO ledger (browser, app, holding, epoch, since, sub, sid, auth_time, due) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (browser, app) DO UPDATE SET
    due = iif(holding = 'owed' AND epoch = excluded.epoch, due, excluded.due),
    attempts = iif(holding = 'owed' AND epoch = excluded.epoch, attempts, 0),
    holding = excluded.holding, epoch = excluded.epoch, since = excluded.since,
    sub = excluded.sub, sid = excluded.sid, auth_time = excluded.auth_time
WHERE excluded.epoch >= epoch"""

_LEASE = "UPDATE ledger SET due = ? WHERE browser = ? AND app = ?"

_DEFER = """
UPDATE ledger SET due = ?, attempts = ? WHERE browser = ? AND app = ? AND epoch = ? AND holding = 'owed'"""


_SOMEONE = "UPDATE browsers SET someone = 1 WHERE id = ? AND NOT someone"


def raise_epoch(connection: sqlite3.Connection, browser: bytes, epoch: int) -> int:
    """Sees to it that a browser has at least this epoch; the one that it has."""
    connection.execute(_RAISE_EPOCH, (browser, epoch))
    return int(connection.execute("SELECT epoch FROM browsers WHERE id = ?", (browser,)).fetchone()[0])


def sign_in(connection: sqlite3.Connection, browser: bytes) -> None:
    """Remembers that somebody has signed in with this browser, which is known."""
    connection.execute(_SOMEONE, (browser,))


def note(connection: sqlite3.Connection, browser: bytes, ledger: Sequence[Entry]) -> None:
    """See ``Ledger.note``."""
    take(connection, browser, ledger, 0)


def take(connection: sqlite3.Connection, browser: bytes, ledger: Sequence[Entry], epoch: int) -> None:
    """Takes the entries that are newer than what stands; the browser is known to have ``epoch`` already."""
    highest = max((entry.epoch for entry in ledger), default=epoch)
    if highest > epoch:
        raise_epoch(connection, browser, highest)
    if any(entry.of_somebody for entry in ledger):
        sign_in(connection, browser)
    rows = [(browser, e.app, e.holding.value, e.epoch, e.since, e.sub, e.sid, e.auth_time, e.due) for e in ledger]
    connection.executemany(_TAKE_ENTRY, rows)


def claim(connection: sqlite3.Connection, now: int, lease_until: int, limit: int) -> list[Owed]:
    """See ``Queue.owed``."""
    due = owed(connection, limit, now)
    connection.executemany(_LEASE, [(lease_until, each.browser, each.entry.app) for each in due])
    return [Owed(each.browser, each.entry, each.attempts, lease_until) for each in due]


def defer(connection: sqlite3.Connection, browser: bytes, app: str, epoch: int, due: int, attempts: int) -> bool:
    """See ``Queue.defer``."""
    return connection.execute(_DEFER, (due, attempts, browser, app, epoch)).rowcount == 1
