"""``serve`` as a program: what it refuses to start with."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

CONFIG = """
[gateway]
public_url = "http://127.0.0.1:1"
listen = "127.0.0.1:0"
[store]
url = "memory://"
[op]
issuer = "https://id.example"
client_id = "gateway"
client_secret = "a client's secret of more than 32 bytes"
[[apps]]
id = "shop"
origin = "https://shop.example"
secret = "an app's secret of more than 32 bytes"
[[chains]]
id = "main"
apps = ["shop"]
"""


def run(folder: Path, *argv: str, **environ: str) -> subprocess.CompletedProcess[str]:
    """One command in ``folder``, which has the configuration."""
    (folder / "gateway.toml").write_text(CONFIG)
    return subprocess.run(
        [sys.executable, "-m", "chain_gateway.cli.main", *argv, "--config", str(folder / "gateway.toml")],
        env={**os.environ, **environ},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_it_does_not_start_on_the_lenient_parser(tmp_path: Path) -> None:
    """Not where the C parser is missing, and not where the environment keeps it out (T36)."""
    assert run(tmp_path, "keys", "new").returncode == 0
    done = run(tmp_path, "serve", AIOHTTP_NO_EXTENSIONS="1")
    assert (done.returncode, done.stdout) == (2, "")
    assert "C parser is not in use" in done.stderr


def test_it_does_not_start_without_keys(tmp_path: Path) -> None:
    """And says how to make them."""
    done = run(tmp_path, "serve")
    assert (done.returncode, done.stdout) == (2, "")
    assert "keys new" in done.stderr


def test_it_does_not_start_with_keys_that_others_can_read(tmp_path: Path) -> None:
    """They sign for everybody."""
    assert run(tmp_path, "keys", "new").returncode == 0
    (tmp_path / "keys.json").chmod(0o644)
    done = run(tmp_path, "serve")
    assert (done.returncode, done.stdout) == (2, "")
    assert "chmod 600" in done.stderr
