"""Commands on a store in Redis: they find it, and say so where it is not there."""

from __future__ import annotations

from pathlib import Path

import pytest
from serving import run, write
from support.redis_servers import alone

from bench.ports import free_port

pytestmark = pytest.mark.redis
CANARY = "canary-8d1e-never-shown"


def on(folder: Path, url: str) -> Path:
    """The configuration of a gateway on that store."""
    return write(folder, url=f'url = "{url}" #')


def test_a_server_that_is_there(tmp_path: Path) -> None:
    """The check holds, and the operator's list is empty."""
    with alone(tmp_path / "redis") as ground:
        path = on(tmp_path, ground.url)
        done = run(path, "check")
        assert (done.returncode, done.stdout.split(": ")[1]) == (0, "good, 1 app in 1 chain\n")
        assert run(path, "walks", "list").returncode == 0


def test_a_server_that_is_not_there(tmp_path: Path) -> None:
    """The check says which, without the password; the gateway does not start."""
    where = f"127.0.0.1:{free_port()}"
    url = f"redis://:{CANARY}@{where}/0"
    path = on(tmp_path, url)
    done = run(path, "check")
    assert done.returncode == 2
    assert "store.url: cannot be reached: redis://" + where in done.stdout
    assert run(path, "keys", "new").returncode == 0
    served = run(path, "serve")
    assert served.returncode == 1
    assert where in served.stderr
    assert CANARY not in done.stdout + done.stderr + served.stdout + served.stderr
