"""The files that several workers count in.

Each worker has its own, by its number: whichever is asked answers for all, and one that is started again goes on.

prometheus-client maps them into memory and leaves holes where nothing was written yet. A hole that the disk has no room
for any more ends the process (SIGBUS), so all room is taken before anything is counted.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

import structlog
from prometheus_client import values

SHARED: Final = "PROMETHEUS_MULTIPROC_DIR"
"""The environment variable with the folder; prometheus-client's own."""
KINDS: Final = ("counter", "histogram", "gauge_mostrecent")
MIB: Final = 1024 * 1024
APPS: Final = 50
"""How many apps a mebibyte is enough for: 60 hops of each that differ in kind, mode or outcome, of some 300 bytes."""
log = structlog.stdlib.get_logger("chain_gateway")


def share(number: int, apps: int) -> None:
    """Lets worker ``number`` of a gateway with that many ``apps`` count in the folder that ``SHARED`` names.

    Where the disk has no room, it counts for itself alone, and the log says so. To be called before a meter is made.
    """
    folder = Path(os.environ[SHARED])
    try:
        for kind in KINDS:
            _reserve(folder / f"{kind}_{number}.db", MIB * (1 + apps // APPS))
    except OSError as error:
        log.error("metrics.not_shared", worker=number, reason=error.strerror)  # noqa: TRY400 - it is the system's
        os.environ.pop(SHARED)
        values.ValueClass = values.MutexValue
        return
    values.ValueClass = values.MultiProcessValue(lambda: number)  # type: ignore[no-untyped-call]


def _reserve(path: Path, size: int) -> None:
    """Has ``path`` be ``size`` bytes long at least, all of them on the disk; OSError, and no file, if it cannot be."""
    kept = path.exists()
    file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        os.posix_fallocate(file, 0, size)
    except OSError:
        if not kept:  # an empty one would spoil the answer of all
            path.unlink()
        raise
    finally:
        os.close(file)
