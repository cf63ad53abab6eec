"""A short soak: two gateways on one Redis, people who come and go, and everything breaks. Nothing may come of it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from bench.soak.checks import CHECKS

ROOT = Path(__file__).parents[2]
WORDS = ("--seconds", "6", "--people", "6", "--workers", "1", "--drain", "1", "--json")
SECONDS = 280


@pytest.mark.redis
@pytest.mark.timeout(SECONDS + 10)
def test_no_invariant_is_broken_under_load_and_faults() -> None:
    """A failover, a killed gateway, rotated and retired keys, reloads, an app that is down, a rolling restart."""
    command = [sys.executable, "-m", "bench.soak", *WORDS]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=SECONDS, check=False)
    assert done.stdout, done.stderr[-3000:]
    told = json.loads(done.stdout)
    assert told["violations"] == {}
    assert done.returncode == 0
    assert told["checks"] == [check.__name__ for check in CHECKS]
    assert len(told["done"]) == 9
    assert told["calm_ends"] == 4
    assert (told["open_walks"], told["owed"]) == (0, 0)
    assert min(told["walks_begun"].values()) > 10
    assert told["deliveries_confirmed"] > 0
