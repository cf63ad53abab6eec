"""How long ``serve`` takes from the command to its listener."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from bench.child import ROOT
from bench.figures import Figure, MeasurementFailed, Size, Subject, Words, middle
from bench.gateways import SECRET
from chain_gateway.tokens.keyring import Keyring

PATH: Final = {"PYTHONPATH": str(ROOT)}
LISTENING: Final = "listening on"
BASELINE: Final = "import aiohttp.web, uvloop; print('listening on nothing')"

CONFIG: Final = f"""
[gateway]
public_url = "http://login.localhost:8080"
listen = "127.0.0.1:0"

[store]
url = "memory://"

[op]
issuer = "http://id.localhost:8080"
client_id = "gateway"
client_secret = "{SECRET}"

[[apps]]
id = "shop"
origin = "http://shop.localhost:8080"
secret = "{SECRET}shop"

[[chains]]
id = "main"
apps = ["shop"]
"""


def _until_listening(command: Sequence[str], folder: Path) -> float:
    """Seconds from the start of ``command`` to its word; it is ended then."""
    began = time.perf_counter()
    with subprocess.Popen(
        command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env={**os.environ, **PATH}
    ) as process:
        said = process.stdout.readline() if process.stdout else ""
        seconds = time.perf_counter() - began
        process.terminate()
    if not said.startswith(LISTENING):
        raise MeasurementFailed(f"{' '.join(command[1:4])} said {said!r}")
    return seconds


def _measure(size: Size) -> Mapping[str, Figure]:
    serve = [sys.executable, "-m", "chain_gateway.cli.main", "serve", "--config", "gateway.toml"]
    imports = [sys.executable, "-c", BASELINE]
    served, imported = [], []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "gateway.toml").write_text(CONFIG)
        keys = folder / "keys.json"
        keys.write_text(Keyring.generate(int(time.time()) - 10, os.urandom).dump())
        keys.chmod(0o600)
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
