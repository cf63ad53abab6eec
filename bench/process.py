"""What a process has taken, as the kernel counts it (proc(5)); Linux alone."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from bench.figures import MeasurementFailed

_UTIME: Final = 11
_STIME: Final = 12


def resident(pid: int) -> int:
    """The memory that a process holds for itself alone, in bytes (``Private_*`` of smaps_rollup).

    What it shares with others, as the libraries that it maps, is paid for once on a machine.
    """
    lines = _read(pid, "smaps_rollup").splitlines()
    return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith(("Private_Clean", "Private_Dirty")))


def cpu_seconds(pid: int) -> float:
    """The processor time of a process until now, in seconds, as exact as the kernel's tick."""
    fields = _read(pid, "stat").rpartition(")")[2].split()
    return (int(fields[_UTIME]) + int(fields[_STIME])) / os.sysconf("SC_CLK_TCK")


def children(pid: int) -> list[int]:
    """The processes that a process has started and that still run."""
    return [int(word) for word in _read(pid, f"task/{pid}/children").split()]


def open_sockets(pid: int) -> int:
    """How many sockets a process has open."""
    return sum(_leads_to(each).startswith("socket:") for each in Path(f"/proc/{pid}/fd").glob("*"))


def _leads_to(link: Path) -> str:
    """Where a link leads; nowhere, if what it stood for was closed meanwhile."""
    try:
        return str(link.readlink())
    except FileNotFoundError:
        return ""


def _read(pid: int, name: str) -> str:
    try:
        return Path(f"/proc/{pid}/{name}").read_text("utf-8")
    except OSError as error:
        raise MeasurementFailed(f"the kernel tells nothing of process {pid}: {error}") from error
