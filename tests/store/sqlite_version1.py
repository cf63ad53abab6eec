"""A file as version 1 of the schema left it."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

CONTENT = Path(__file__).with_name("version1.sql")
"""What a store of that version wrote, as SQLite dumps it."""


def make_version_1(path: Path) -> None:
    """Makes the file."""
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(CONTENT.read_text())
