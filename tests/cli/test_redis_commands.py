"""Commands on a store in Redis: they find it, and say so where it is not there."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from support.redis_servers import alone, free_port

pytestmark = pytest.mark.redis
CONFIG = """
[gateway]
public_url = "http://127.0.0.1:1"
listen = "127.0.0.1:0"
ops_listen = "127.0.0.1:0"
[store]
url = "{url}"
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
CANARY = "canary-8d1e-never-shown"


def run(folder: Path, url: str, *argv: str) -> subprocess.CompletedProcess[str]:
    """One command with the configuration of a store."""
    (folder / "gateway.toml").write_text(CONFIG.format(url=url))
    words = [sys.executable, "-m", "chain_gateway.cli.main", *argv, "--config", str(folder / "gateway.toml")]
    return subprocess.run(words, capture_output=True, text=True, timeout=60, check=False)


def test_a_server_that_is_there(tmp_path: Path) -> None:
    """The check holds, and the operator's list is empty."""
    with alone(tmp_path / "redis") as ground:
        done = run(tmp_path, ground.url, "check")
        assert (done.returncode, done.stdout.split(": ")[1]) == (0, "good, 1 app in 1 chain\n")
        assert run(tmp_path, ground.url, "walks", "list").returncode == 0


def test_a_server_that_is_not_there(tmp_path: Path) -> None:
    """The check says which, without the password; the gateway does not start."""
    where = f"127.0.0.1:{free_port()}"
    url = f"redis://:{CANARY}@{where}/0"
    done = run(tmp_path, url, "check")
    assert done.returncode == 2
    assert "store.url: cannot be reached: redis://" + where in done.stdout
    assert run(tmp_path, url, "keys", "new").returncode == 0
    served = run(tmp_path, url, "serve")
    assert served.returncode == 1
    assert where in served.stderr
    assert CANARY not in done.stdout + done.stderr + served.stdout + served.stderr
