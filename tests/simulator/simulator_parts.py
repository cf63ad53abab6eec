"""The parts of ``table.txt``: read, compared, and written anew where that is asked for."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

TABLE = Path(__file__).with_name("table.txt")
Row = tuple[str, ...]


def assert_kept(title: str, rows: Sequence[Row]) -> None:
    """The rows are those of the table; ``SIMULATOR_TABLE=write`` makes them so."""
    part = drawn(title, rows)
    print(part)  # noqa: T201 - for whoever asks pytest for it (-s)
    if os.environ.get("SIMULATOR_TABLE") == "write":
        _keep(title, part)
    assert part == _kept(title)


def drawn(title: str, rows: Sequence[Row]) -> str:
    """A part of the table, in columns."""
    widths = [max(len(cell) for cell in column) for column in zip(*rows, strict=True)]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    return "\n".join([title, *lines])


def _parts() -> list[str]:
    return [part.strip() for part in TABLE.read_text().split("\n\n")] if TABLE.exists() else []


def _kept(title: str) -> str:
    return next((part for part in _parts() if part.startswith(title + "\n")), "")


def _keep(title: str, part: str) -> None:
    kept = [each for each in _parts() if not each.startswith(title + "\n")]
    TABLE.write_text("\n\n".join(sorted([*kept, part])) + "\n")
