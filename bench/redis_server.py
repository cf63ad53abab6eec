"""A real server of Redis for a measurement, on a free port of loopback, that keeps nothing."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from bench.figures import MeasurementFailed
from bench.ports import free_port

PROGRAM: Final = "redis-server"
READY: Final = b"Ready to accept connections"


@contextmanager
def redis_server() -> Iterator[str]:
    """The URL of a server that runs while the block does."""
    program = shutil.which(PROGRAM)
    if program is None:
        raise MeasurementFailed(f"{PROGRAM} is not there; to have it: sudo apt-get install redis-server")
    port = free_port()
    words = ("--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no")
    with subprocess.Popen([program, *words], stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout is not None
            if not any(READY in line for line in process.stdout):
                raise MeasurementFailed(f"{PROGRAM} did not start")
            yield f"redis://127.0.0.1:{port}"
        finally:
            process.kill()
