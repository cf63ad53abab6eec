"""The provider's side of each browser's sign-in: kept while it stands, and cleared for good."""

from __future__ import annotations

import sqlite3

from chain_gateway.core.ledger import OpRecord
from chain_gateway.store.sqlite.entries import raise_epoch, sign_in

# A row without ``sealed`` says up to which epoch nothing stands: that of the same epoch may not come back either.
_KEEP = """
INSERT INTO op_records (browser, epoch, sealed, sub, sid) VALUES (?, ?, ?, ?, ?)
ON CONFLICT (browser) DO UPDATE SET
    epoch = excluded.epoch, sealed = excluded.sealed, sub = excluded.sub, sid = excluded.sid
WHERE excluded.epoch > epoch OR (excluded.epoch = epoch AND (sealed IS NOT NULL OR excluded.sealed IS NULL))"""


def keep(connection: sqlite3.Connection, browser: bytes, epoch: int, record: OpRecord) -> None:
    """Writes a record down, unless a newer one stands or it was cleared."""
    connection.execute(_KEEP, (browser, epoch, record.sealed, record.sub, record.sid))
    sign_in(connection, browser)


def clear_op(connection: sqlite3.Connection, browser: bytes, epoch: int) -> None:
    """See ``SignIns.clear_op``; of a browser that is not known nothing is written."""
    if connection.execute("SELECT 1 FROM browsers WHERE id = ?", (browser,)).fetchone() is not None:
        raise_epoch(connection, browser, epoch)
        connection.execute(_KEEP, (browser, epoch, None, "", ""))
