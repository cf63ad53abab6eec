"""How the file is opened: made with mode 0600, WAL, and a bound on waiting for another process.

``synchronous`` decides what a power cut may take. In WAL both settings keep what was acknowledged through a SIGKILL,
as the log was written to the operating system. ``NORMAL`` syncs the log at checkpoints, of which each sweep makes one;
``FULL`` syncs it at each commit.
"""

from __future__ import annotations

import enum
import os
import sqlite3
import time
from pathlib import Path

from chain_gateway.errors import StoreUnavailable
from chain_gateway.store.sqlite.schema import migrate

BUSY_SECONDS = 1.5
"""How long another process may hold the write lock: less than a caller waits (``lane.ANSWER_SECONDS``)."""
CACHE_KIB = 16 * 1024
LOG_BYTES = 32 * 1024 * 1024
"""What the log is cut back to after a burst."""
OLDEST_SQLITE = (3, 35)
"""The first with RETURNING."""


class Synchronous(enum.Enum):
    """SQLite's word for when it waits for the disk."""

    NORMAL = "normal"
    FULL = "full"


def create(path: Path) -> None:
    """Makes the file, readable by its owner alone, or sees that it can be written; StoreUnavailable says why not."""
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
    except OSError as error:
        raise StoreUnavailable(error.strerror or "cannot be opened") from error


def connect(path: Path, synchronous: Synchronous) -> sqlite3.Connection:
    """A connection that commits by explicit words only; belongs to the thread that calls. Raises sqlite3.Error."""
    connection = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None)
    connection.execute(f"PRAGMA synchronous = {synchronous.value}")
    connection.execute(f"PRAGMA cache_size = -{CACHE_KIB}")
    connection.execute(f"PRAGMA journal_size_limit = {LOG_BYTES}")
    connection.execute("PRAGMA trusted_schema = OFF")
    return connection


def connect_to_write(path: Path, synchronous: Synchronous) -> sqlite3.Connection:
    """The writing connection, on a file of the newest schema. Raises StoreUnavailable and sqlite3.Error."""
    if sqlite3.sqlite_version_info < OLDEST_SQLITE:
        raise StoreUnavailable(f"SQLite {sqlite3.sqlite_version} is too old: 3.35 or newer is needed")
    create(path)
    connection = connect(path, synchronous)
    try:
        migrate(connection)
        _write_ahead(connection)
    except BaseException:
        connection.close()
        raise
    return connection


def connect_to_read(path: Path, synchronous: Synchronous) -> sqlite3.Connection:
    """A connection that changes nothing, beside the writing one."""
    connection = connect(path, synchronous)
    connection.execute("PRAGMA query_only = ON")
    return connection


def _write_ahead(connection: sqlite3.Connection) -> None:
    """Switches to WAL, which the file remembers; of processes that make the file together one does it."""
    deadline = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            (mode,) = connection.execute("PRAGMA journal_mode = WAL").fetchone()
            break
        except sqlite3.OperationalError as error:
            # SQLite's own waiting does not cover the switch.
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
            time.sleep(0.01)
    if mode != "wal":
        raise StoreUnavailable("the file system cannot hold a write-ahead log")
