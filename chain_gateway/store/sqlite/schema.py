"""The tables, and the way from each version of them to the next.

Rows are found by 16 random bytes. ``walks`` keeps its rowid all the same: new walks lie side by side then, and one
transaction of many steps touches few pages. The small tables are clustered by their key.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from chain_gateway.errors import StoreUnavailable

APPLICATION_ID = 0x63686777
"""``chgw``, by which a file is known as ours."""

MIGRATIONS: tuple[tuple[str, ...], ...] = (
    (
        """CREATE TABLE browsers (
            id BLOB PRIMARY KEY,
            epoch INTEGER NOT NULL,
            signed_out_ms INTEGER NOT NULL
        ) WITHOUT ROWID""",
        "CREATE INDEX browsers_by_epoch ON browsers (epoch)",
        """CREATE TABLE op_sessions (
            browser BLOB PRIMARY KEY,
            epoch INTEGER NOT NULL,
            session BLOB NOT NULL
        )""",
        """CREATE TABLE ledger (
            browser BLOB NOT NULL,
            app TEXT NOT NULL,
            holding TEXT NOT NULL,
            epoch INTEGER NOT NULL,
            since INTEGER NOT NULL,
            sub TEXT NOT NULL,
            sid TEXT NOT NULL,
            auth_time INTEGER NOT NULL,
            PRIMARY KEY (browser, app)
        ) WITHOUT ROWID""",
        """CREATE TABLE walks (
            id BLOB NOT NULL UNIQUE,
            browser BLOB NOT NULL,
            epoch INTEGER NOT NULL,
            nonce BLOB NOT NULL,
            state BLOB NOT NULL,
            hop_deadline INTEGER NOT NULL,
            expires_at INTEGER NOT NULL,
            ended INTEGER NOT NULL
        )""",
        "CREATE INDEX walks_open ON walks (browser) WHERE NOT ended",
        "CREATE INDEX walks_past ON walks (expires_at) WHERE ended",
        """CREATE TABLE seen (
            label TEXT NOT NULL,
            key TEXT NOT NULL,
            until INTEGER NOT NULL,
            PRIMARY KEY (label, key)
        ) WITHOUT ROWID""",
        "CREATE INDEX seen_past ON seen (until)",
    ),
    (
        # Version 1 kept the time of the last logout alone, and compared that with epochs.
        "ALTER TABLE browsers ADD COLUMN signed_out_epoch INTEGER NOT NULL DEFAULT 0",
        "UPDATE browsers SET signed_out_epoch = signed_out_ms WHERE signed_out_ms",
        # What was owed is due at once.
        "ALTER TABLE ledger ADD COLUMN due INTEGER NOT NULL DEFAULT 0",
        "ALTER TABLE ledger ADD COLUMN attempts INTEGER NOT NULL DEFAULT 0",
        "CREATE INDEX ledger_owed ON ledger (due, since) WHERE holding = 'owed'",
        # The provider's words were sealed with the rest, but the ledger may have them from the same walk. Its sid is
        # the provider's own, or drawn at random where that gave none, and then nobody ever asks for it.
        """CREATE TABLE op_records (
            browser BLOB PRIMARY KEY,
            epoch INTEGER NOT NULL,
            sealed BLOB,
            sub TEXT NOT NULL,
            sid TEXT NOT NULL
        )""",
        """INSERT INTO op_records
            SELECT o.browser, o.epoch, o.session, coalesce(max(l.sub), ''), coalesce(max(l.sid), '')
            FROM op_sessions AS o LEFT JOIN ledger AS l ON l.browser = o.browser AND l.epoch = o.epoch
            GROUP BY o.browser""",
        "CREATE INDEX op_records_by_sub ON op_records (sub) WHERE sub <> ''",
        "CREATE INDEX op_records_by_sid ON op_records (sid) WHERE sid <> ''",
        "DROP TABLE op_sessions",
        # Version 1 did not tell why a walk had ended, and called each one superseded that a newer one had followed.
        """UPDATE walks SET ended = 2
            WHERE ended AND epoch < (SELECT epoch FROM browsers WHERE id = walks.browser)""",
    ),
    (
        "ALTER TABLE browsers ADD COLUMN someone INTEGER NOT NULL DEFAULT 0",
        """UPDATE browsers SET someone = 1
            WHERE id IN (SELECT browser FROM op_records WHERE sealed IS NOT NULL)
            OR id IN (SELECT browser FROM ledger WHERE sub <> '' OR sid <> '')""",
        "CREATE INDEX browsers_of_nobody ON browsers (epoch) WHERE NOT someone",
    ),
)
"""What leads from version n (its place, from 0) to n + 1. A released entry is never changed; a change is a new one.

``browsers.someone`` is whether anybody ever signed in with it. ``walks.ended`` is 0 for an open walk, 1 for one that
ended, 2 for one that was stopped. ``op_records.sealed`` is NULL where the record was cleared. ``ledger.due`` and
``attempts`` count while ``holding`` is ``owed``.
"""


def migrate(connection: sqlite3.Connection, migrations: tuple[tuple[str, ...], ...] = MIGRATIONS) -> None:
    """Brings the file to the newest version, in one transaction; of several processes one does it, the others wait.

    Raises StoreUnavailable for a file of a newer version or of another program, sqlite3.Error if SQLite refuses.
    """
    with _transaction(connection, "BEGIN"):  # one moment of the file, while another process may be making it
        if _version(connection, migrations) == len(migrations):
            return
    with _transaction(connection, "BEGIN IMMEDIATE"):
        for statements in migrations[_version(connection, migrations) :]:
            for statement in statements:
                connection.execute(statement)
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {len(migrations)}")


@contextmanager
def _transaction(connection: sqlite3.Connection, begin: str) -> Iterator[None]:
    connection.execute(begin)
    try:
        yield
        connection.execute("COMMIT")
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")


def _version(connection: sqlite3.Connection, migrations: tuple[tuple[str, ...], ...]) -> int:
    """The version of the file, 0 if it is empty."""
    version = int(connection.execute("PRAGMA user_version").fetchone()[0])
    owner = int(connection.execute("PRAGMA application_id").fetchone()[0])
    tables = int(connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0])
    if owner != APPLICATION_ID and (owner or version or tables):
        raise StoreUnavailable("the file is a database of another program")
    if version > len(migrations):
        raise StoreUnavailable(
            f"the file has schema version {version} and this program knows {len(migrations)}: it is older than the file"
        )
    return version
