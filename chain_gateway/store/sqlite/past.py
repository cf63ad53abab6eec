"""What is forgotten when its time has passed."""

from __future__ import annotations

import sqlite3

from chain_gateway.core.limits import BROWSER_SECONDS, NOBODY_SECONDS, WALK_SECONDS

FORGET_ROWS = 1000
"""Rows of a kind that one transaction forgets, so that no walk waits long for it."""

_SEEN_PAST = "DELETE FROM seen WHERE (label, key) IN (SELECT label, key FROM seen WHERE until < ? LIMIT ?)"
_WALKS_PAST = "DELETE FROM walks WHERE rowid IN (SELECT rowid FROM walks WHERE ended AND expires_at < ? LIMIT ?)"
_BROWSERS_PAST = "SELECT id FROM browsers WHERE epoch < ? LIMIT ?"
_NOBODY_PAST = """
SELECT id FROM browsers WHERE NOT someone AND epoch < ?
AND NOT EXISTS (SELECT 1 FROM walks WHERE browser = browsers.id AND NOT ended) LIMIT ?"""


def forget(connection: sqlite3.Connection, now: int) -> bool:
    """A share of what ``Walks.sweep`` forgets; whether more may be left."""
    most = connection.execute(_SEEN_PAST, (now, FORGET_ROWS)).rowcount
    most = max(most, connection.execute(_WALKS_PAST, (now - WALK_SECONDS, FORGET_ROWS)).rowcount)
    browsers = []
    for past, seconds in ((_BROWSERS_PAST, BROWSER_SECONDS), (_NOBODY_PAST, NOBODY_SECONDS)):
        found = connection.execute(past, ((now - seconds) * 1000, FORGET_ROWS)).fetchall()
        most = max(most, len(found))
        browsers += found
    connection.executemany("DELETE FROM walks WHERE browser = ? AND NOT ended", browsers)
    for table, column in (("ledger", "browser"), ("op_records", "browser"), ("browsers", "id")):
        connection.executemany(f"DELETE FROM {table} WHERE {column} = ?", browsers)  # noqa: S608 - names of our own
    return most == FORGET_ROWS
