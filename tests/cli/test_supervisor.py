"""Several workers: what reaches them while they are still starting does them no harm."""

from __future__ import annotations

import signal
from contextlib import suppress
from pathlib import Path
from queue import Empty

from serving import Serving, made, serving


def catches(gateway: Serving, number: signal.Signals) -> bool:
    """Whether the process has a handler for the signal."""
    status = Path(f"/proc/{gateway.process.pid}/status").read_text()
    caught = next(line.split()[1] for line in status.splitlines() if line.startswith("SigCgt:"))
    return bool(int(caught, 16) >> (number - 1) & 1)


def test_a_reload_does_not_kill_a_worker_that_starts(tmp_path: Path) -> None:
    """SIGHUP again and again until both serve: neither has died of it, and a later one reaches both."""
    path = made(tmp_path)
    with serving(path, "--workers", "2") as gateway:
        while not catches(gateway, signal.SIGHUP):
            pass
        seen: list[str] = []
        while seen.count("worker.started") < 2 and "worker.died" not in seen:
            gateway.send(signal.SIGHUP)
            with suppress(Empty):
                seen.append(gateway.logged.get(timeout=0.02)["event"])
        assert "worker.died" not in seen
        gateway.send(signal.SIGHUP)
        gateway.awaited("configuration.taken", 2)
        gateway.send(signal.SIGTERM)
        assert gateway.ended() == 0
