"""The gateways: ``chain-gateway serve`` on sockets of their own, with everything that an operator does to them."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import tomllib
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from bench.figures import MeasurementFailed
from bench.gateways import CLIENT_ID, SECRET, toml
from bench.soak.servers import until

NAMES: Final = ("a", "b")
PATIENCE: Final = 60
ROOT: Final = Path(__file__).parents[2]
COMMAND: Final = (sys.executable, "-m", "chain_gateway.cli.main")


class Replica:
    """One gateway. ``workers`` is how many processes serve in it."""

    def __init__(self, folder: Path, name: str, workers: int) -> None:
        """Its files are in ``folder``, under its name."""
        self.name = name
        self.socket, self.config, self.log = (folder / f"{name}.{end}" for end in ("sock", "toml", "log"))
        self.workers = workers
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        """Returns once it listens."""
        words = ("serve", "--config", str(self.config), "--workers", str(self.workers))
        with self.log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *(*COMMAND, *words),
                cwd=ROOT,
                stdout=asyncio.subprocess.PIPE,
                stderr=log,
                start_new_session=True,
                env={**os.environ, "PYTHONUNBUFFERED": "1"},
            )
        assert self._process.stdout is not None
        async with asyncio.timeout(PATIENCE):
            said = await self._process.stdout.readline()
        if not said.startswith(b"listening on unix:"):
            raise MeasurementFailed(f"gateway {self.name} did not start:\n{self.log.read_text()[-2000:]}")

    def kill(self) -> None:
        """SIGKILL to all of its processes, as when their machine is lost."""
        if self._process is not None:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)

    async def stop(self) -> int:
        """SIGTERM; the exit code."""
        assert self._process is not None
        self._process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(PATIENCE):
            return await self._process.wait()

    async def lost(self) -> None:
        """Kills it, and returns when it is gone."""
        assert self._process is not None
        self.kill()
        await self._process.wait()

    def reload(self) -> None:
        """SIGHUP."""
        assert self._process is not None
        self._process.send_signal(signal.SIGHUP)

    def lines(self) -> Iterator[dict[str, Any]]:
        """What it has logged; a line that is no JSON is an event of its own."""
        text = self.log.read_text(errors="replace") if self.log.exists() else ""
        for line in text.splitlines():
            try:
                yield json.loads(line)
            except ValueError:
                yield {"event": "not json", "exception": line}


class Pair:
    """Both gateways, with one configuration but for their sockets, and one key file."""

    def __init__(self, folder: Path, workers: int) -> None:
        """``folder`` has everything of them."""
        self._folder = folder
        self.replicas = [Replica(folder, name, workers) for name in NAMES]
        self.workers = 2 * workers

    @property
    def config(self) -> Path:
        """The first one's configuration."""
        return self.replicas[0].config

    @property
    def keys(self) -> Path:
        """The key file."""
        return self._folder / "keys.json"

    def write(self, document: dict[str, Any], *, broken: str = "") -> None:
        """Writes both configurations, each at once; ``broken`` is put behind the text."""
        for replica in self.replicas:
            own = {"listen": f"unix:{replica.socket}", "ops_listen": f"unix:{replica.socket}.ops"}
            text = toml({**document, "gateway": {**document["gateway"], **own, "keys": {"file": str(self.keys)}}})
            tomllib.loads(text)
            fresh = replica.config.with_suffix(".new")
            fresh.write_text(text + broken)
            fresh.replace(replica.config)

    async def do(self, *words: str) -> dict[str, Any]:
        """What a command of ours answers, as JSON."""
        process = await asyncio.create_subprocess_exec(
            *(*COMMAND, *words, "--json"), cwd=ROOT, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
        )
        out, err = await process.communicate()
        if process.returncode:
            raise MeasurementFailed(f"{' '.join(words)}: {err.decode()}")
        found: dict[str, Any] = json.loads(out)
        return found

    def count(self, event: str) -> int:
        """How often both have logged it."""
        return sum(line.get("event") == event for replica in self.replicas for line in replica.lines())

    async def logged(self, event: str, more: int, before: int) -> None:
        """Returns when it has been logged ``more`` times since there were ``before``."""

        async def enough() -> bool:
            return await asyncio.to_thread(self.count, event) >= before + more

        await until(enough, f"{event}, {more} times", PATIENCE)


def document(gateway: str, op: str, apps: dict[str, str], chain: list[str], store: str) -> dict[str, Any]:
    """The configuration, as an operator would write it: ``chain`` names the apps of the one chain, the rest another."""
    others = [name for name in apps if name not in chain]
    return {
        "gateway": {"public_url": gateway},
        "store": {"url": store},
        "op": {"issuer": op, "client_id": CLIENT_ID, "client_secret": SECRET},
        "apps": [{"id": name, "origin": origin, "secret": SECRET + name} for name, origin in apps.items()],
        "chains": [{"id": "main", "apps": chain}, *([{"id": "rest", "apps": others}] if others else [])],
    }
