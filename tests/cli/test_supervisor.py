"""Several workers: what reaches them while they are still starting does them no harm."""

from __future__ import annotations

import os
import resource
import select
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from queue import Empty

from serving import FULL, PATIENCE, Serving, made, serving, write
from support.broken_disk import BROKEN

from chain_gateway.cli.console import FAILED, USAGE
from chain_gateway.cli.supervisor import SOCKETS


def catches(gateway: Serving, number: signal.Signals) -> bool:
    """Whether the process has a handler for the signal."""
    return has(gateway.process.pid, "SigCgt", number)


def has(process: int, which: str, number: signal.Signals) -> bool:
    """Whether a signal is among those that the process catches (``SigCgt``), or ignores (``SigIgn``)."""
    status = Path(f"/proc/{process}/status").read_text()
    found = next(line.split()[1] for line in status.splitlines() if line.startswith(f"{which}:"))
    return bool(int(found, 16) >> (number - 1) & 1)


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


def test_a_reload_does_not_kill_a_gateway_that_starts(tmp_path: Path) -> None:
    """It is ignored while the gateway is being read in, and obeyed once that serves."""
    path = made(tmp_path)
    argv = [sys.executable, "-m", "chain_gateway.cli.main", "serve", "--config", str(path)]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        try:
            while not has(process.pid, "SigIgn", signal.SIGHUP):
                assert not has(process.pid, "SigCgt", signal.SIGHUP)
            process.send_signal(signal.SIGHUP)
            assert process.stdout is not None
            assert process.stdout.readline().startswith("listening")
            assert has(process.pid, "SigCgt", signal.SIGHUP)
            process.send_signal(signal.SIGTERM)
            assert process.wait(PATIENCE) == 0
        finally:
            process.kill()


def test_a_worker_that_cannot_be_started_is_tried_again(tmp_path: Path) -> None:
    """As where the system has no descriptor left for a while: its place does not stay empty, and the end is calm."""
    path = made(tmp_path)
    with serving(path, "--workers", "2") as gateway:
        workers = gateway.workers(2)
        supervisor = gateway.process.pid
        soft, hard = resource.prlimit(supervisor, resource.RLIMIT_NOFILE)
        resource.prlimit(supervisor, resource.RLIMIT_NOFILE, (8, hard))
        for worker in workers:
            os.kill(worker, signal.SIGKILL)
        gateway.awaited("worker.not_started", 2)
        resource.prlimit(supervisor, resource.RLIMIT_NOFILE, (soft, hard))
        gateway.awaited("worker.started", 2)
        assert gateway.get("/logout?app=shop")[0] == 200
        gateway.send(signal.SIGTERM)
        assert gateway.ended() == 0


def test_a_worker_that_cannot_read_its_files_just_now_is_tried_again(tmp_path: Path) -> None:
    """Its exit code says whether another try may help; a configuration that does not hold ends the gateway."""
    codes = {}
    for name, file in {"broken disk": BROKEN, "no such file": tmp_path / "nothing"}.items():
        path = tmp_path / name
        path.symlink_to(file)
        argv = [sys.executable, "-m", "chain_gateway.cli.serve", str(path), "0"]
        with subprocess.Popen(argv, env={**os.environ, SOCKETS: "-,-"}, stdin=subprocess.PIPE) as process:
            codes[name] = process.wait(FULL)
    assert codes == {"broken disk": FAILED, "no such file": USAGE}


def test_workers_end_with_a_supervisor_that_was_killed(tmp_path: Path) -> None:
    """Alone they would hold its address for ever, and whoever starts it again could not."""
    path = made(tmp_path)
    with serving(path, "--workers", "2") as gateway:
        workers = gateway.workers(2)
        write(tmp_path, listen=f'listen = "127.0.0.1:{gateway.port}" #')
        gateway.process.kill()
        left = still_alive(workers)
        for process in left:
            os.kill(process, signal.SIGKILL)
        assert left == []
        with serving(path, "--workers", "2") as again:
            assert again.port == gateway.port
            again.workers(2)
            assert again.get("/logout?app=shop")[0] == 200


def still_alive(processes: list[int]) -> list[int]:
    """Those that have not ended after a while; whoever inherited the others need not have asked for them yet."""
    ends = {}
    for process in processes:
        with suppress(ProcessLookupError):
            ends[os.pidfd_open(process)] = process
    until = time.monotonic() + PATIENCE
    left = set(ends)
    while left and (ended := select.select(left, [], [], max(0, until - time.monotonic()))[0]):
        left -= set(ended)
    for end in ends:
        os.close(end)
    return [ends[end] for end in left]


def counts(folder: Path) -> list[Path]:
    """The files in which the workers count."""
    return sorted(folder.glob("chain-gateway-*/*.db"))


def test_what_workers_count_in_is_on_the_disk_before_it_is_needed(tmp_path: Path) -> None:
    """No file has a hole, which a disk that is full would make deadly; a worker that is started again has the same."""
    path = made(tmp_path)
    with serving(path, "--workers", "2", TMPDIR=str(tmp_path)) as gateway:
        worker, _ = gateway.workers(2)
        found = counts(tmp_path)
        assert [file.name for file in found] == [
            f"{kind}_{number}.db" for kind in ("counter", "gauge_mostrecent", "histogram") for number in (0, 1)
        ]
        assert all(file.stat().st_blocks * 512 >= file.stat().st_size >= 1024 * 1024 for file in found)
        os.kill(worker, signal.SIGKILL)
        gateway.workers(1)
        assert counts(tmp_path) == found
        gateway.send(signal.SIGTERM)
        assert gateway.ended() == 0
    assert counts(tmp_path) == []


def test_a_disk_without_room_for_counts_stops_nobody(tmp_path: Path) -> None:
    """Each worker then counts for itself, and leaves no empty file that would spoil the answer of the others."""
    path = made(tmp_path)
    with serving(path, "--workers", "2", TMPDIR=str(tmp_path)) as gateway:
        workers = gateway.workers(2)
        resource.prlimit(gateway.process.pid, resource.RLIMIT_FSIZE, (256 * 1024, 256 * 1024))
        for file in counts(tmp_path):
            file.unlink()
        for worker in workers:
            os.kill(worker, signal.SIGKILL)
        gateway.awaited("metrics.not_shared", 2)
        assert gateway.get("/logout?app=shop")[0] == 200
        assert counts(tmp_path) == []
        gateway.send(signal.SIGTERM)
        assert gateway.ended() == 0
