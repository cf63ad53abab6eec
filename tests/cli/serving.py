"""``serve`` as a process of its own, on loopback, with what it says and what it logs."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from queue import Empty, Queue
from threading import Thread
from typing import Any

from support.patience import FULL, PATIENCE

from chain_gateway.cli import keys
from chain_gateway.cli.console import USAGE

CONFIG = """
[gateway]
public_url = "http://127.0.0.1:1"
listen = "127.0.0.1:0"
ops_listen = "127.0.0.1:0"
[store]
url = "sqlite:///chain.db"
[op]
issuer = "http://127.0.0.1:1"
client_id = "gateway"
client_secret = "a client's secret of more than 32 bytes"
[[apps]]
id = "shop"
name = "{name}"
origin = "https://shop.example"
secret = "an app's secret of more than 32 bytes"
[[chains]]
id = "main"
apps = ["shop"]
"""

END = "the end of the log"


class Serving:
    """A gateway that is being served."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.said: Queue[str] = Queue()
        self.logged: Queue[dict[str, Any]] = Queue()
        self._threads = [Thread(target=self._read_out, daemon=True), Thread(target=self._read_log, daemon=True)]
        for thread in self._threads:
            thread.start()
        line = self.said.get(timeout=FULL)
        assert line, "it ended and did not say where it listens"
        self.port = int(line.split()[2].rpartition(":")[2])

    def _read_out(self) -> None:
        for line in self.process.stdout or ():
            self.said.put(line)
        self.said.put("")

    def _read_log(self) -> None:
        for line in self.process.stderr or ():
            self.logged.put(json.loads(line) if line.startswith("{") else {"event": line.strip()})
        self.logged.put({"event": END})

    def workers(self, count: int) -> list[int]:
        """The processes of that many workers, once they serve; a program that starts has its time."""
        return [line["process"] for line in self.awaited("worker.started", count, within=FULL)]

    def awaited(self, event: str, count: int = 1, *, not_: str = END, within: float = PATIENCE) -> list[dict[str, Any]]:
        """Returns when that many log lines of this name have come since the last ones that were awaited.

        AssertionError where they do not, or where one named ``not_`` comes before: at the latest the end of the log.
        """
        found: list[dict[str, Any]] = []
        until = time.monotonic() + within
        while len(found) < count:
            try:
                line = self.logged.get(timeout=max(0.01, until - time.monotonic()))
            except Empty:
                raise AssertionError(f"{event} did not come {count} times but {len(found)}") from None
            assert line["event"] not in {END, not_}, f"{line['event']} came before {event}"
            found += [line] if line["event"] == event else []
        return found

    def get(self, path: str, connection: HTTPConnection | None = None) -> tuple[int, str]:
        """Status and body."""
        http = connection or HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        http.request("GET", path, headers={"Accept": "text/html"})
        answer = http.getresponse()
        body = answer.read().decode()
        if connection is None:
            http.close()
        return answer.status, body

    def send(self, number: signal.Signals) -> None:
        """A signal to the process that was started."""
        self.process.send_signal(number)

    def ended(self) -> int:
        """The exit code, once it has ended."""
        return self.process.wait(PATIENCE)


def write(folder: Path, name: str = "Shop", **changes: str) -> Path:
    """Writes the configuration at once, as an operator's tool does; ``changes`` are pieces of its text."""
    text = CONFIG.format(name=name)
    for old, new in changes.items():
        text = text.replace(f"\n{old} =", f"\n{new}")
    tomllib.loads(text)
    path = folder / "gateway.toml"
    fresh = folder / "gateway.toml.new"
    fresh.write_text(text)
    fresh.replace(path)
    return path


def made(folder: Path) -> Path:
    """A configuration with keys."""
    path = write(folder)
    keys.new(folder / "keys.json", int(time.time()), force=False)
    return path


def run(path: Path, *argv: str, **environ: str) -> subprocess.CompletedProcess[str]:
    """One command with the configuration at ``path``, until it has ended."""
    return subprocess.run(
        [sys.executable, "-m", "chain_gateway.cli.main", *argv, "--config", str(path)],
        env={**os.environ, **environ},
        capture_output=True,
        text=True,
        timeout=2 * FULL,
        check=False,
    )


def turned_down(path: Path, *words: str, **environ: str) -> str:
    """What ``serve`` says on standard error where it does not begin to serve; AssertionError as soon as it does."""
    with started(path, *words, **environ) as process:
        assert process.stdout.readline() == ""
        said = process.stderr.read()
        assert process.wait(PATIENCE) == USAGE
    return said


@contextmanager
def serving(path: Path, *words: str, **environ: str) -> Iterator[Serving]:
    """``serve`` with these options, until the end of the block, and whatever happens no longer."""
    with started(path, *words, **environ) as process:
        yield Serving(process)


@contextmanager
def started(path: Path, *words: str, **environ: str) -> Iterator[subprocess.Popen[str]]:
    """The process alone, whose output nobody reads yet."""
    with subprocess.Popen(
        [sys.executable, "-m", "chain_gateway.cli.main", "serve", "--config", str(path), *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1", **environ},
        start_new_session=True,
    ) as process:
        try:
            yield process
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
