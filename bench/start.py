"""How long ``serve`` takes from the command to its listener."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from bench.child import ROOT
from bench.figures import Figure, MeasurementFailed, Size, Subject, Words, middle
from bench.gateways import document, names, toml
from chain_gateway.tokens.keyring import Keyring

UNWRITTEN: Final = "PYTHONDONTWRITEBYTECODE"
LISTENING: Final = "listening on"
BASELINE: Final = "import aiohttp.web, uvloop; print('listening on nothing', flush=True)"

SERVE: Final = (sys.executable, "-m", "chain_gateway.cli.main", "serve")


@contextmanager
def configured(apps: int = 1, store: str = "memory://") -> Iterator[Path]:
    """A folder with ``gateway.toml``, for that many apps, and its keys, as long as the block runs."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        told = document(names(apps), store, {}, {}, "127.0.0.1:0")
        (folder / "gateway.toml").write_text(toml(told))
        keys = folder / "keys.json"
        keys.write_text(Keyring.generate(int(time.time()) - 10, os.urandom).dump())
        keys.chmod(0o600)
        yield folder


@contextmanager
def listening(
    command: Sequence[str], folder: Path, stdin: int | None = None
) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """``command``, once it has said where it listens; it is ended with the block. MeasurementFailed if it does not."""
    with subprocess.Popen(
        command,
        cwd=folder,
        stdin=stdin,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env=_environment(folder),
    ) as process:
        try:
            said = process.stdout.readline() if process.stdout else ""
            if not said.startswith(LISTENING):
                raise MeasurementFailed(f"{' '.join(command[1:4])} said {said!r}")
            yield process, said
        finally:
            process.terminate()


def _environment(folder: Path) -> dict[str, str]:
    """What a command is told: bytecode is kept, as where the gateway is installed, and under ``folder``.

    Otherwise each start would compile whatever was edited since somebody's Python wrote it down last.
    """
    told = {name: value for name, value in os.environ.items() if name != UNWRITTEN}
    return told | {"PYTHONPATH": str(ROOT), "PYTHONPYCACHEPREFIX": str(folder / "bytecode")}


def _until_listening(command: Sequence[str], folder: Path) -> float:
    """Seconds from the start of ``command`` to its word."""
    began = time.perf_counter()
    with listening(command, folder):
        return time.perf_counter() - began


def _measure(size: Size) -> Mapping[str, Figure]:
    serve = [*SERVE, "--config", "gateway.toml"]
    imports = [sys.executable, "-c", BASELINE]
    served, imported = [], []
    with configured() as folder:
        for command in (imports, serve):
            _until_listening(command, folder)  # writes the bytecode that the others read
        for _ in range(size.starts):
            imported.append(_until_listening(imports, folder))
            served.append(_until_listening(serve, folder))
    return {"start.wall": Figure(middle(served), "s", middle(imported))}


SUBJECTS: Final = (
    Subject(
        {
            "start.wall": Words(
                "`serve` from the command to its listener, with one app",
                "Python with aiohttp and uvloop imported, and nothing else",
            )
        },
        _measure,
    ),
)
