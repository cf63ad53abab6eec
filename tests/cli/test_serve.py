"""``serve`` as a program: what it refuses to start with."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from serving import made, turned_down, write


def test_it_does_not_start_on_the_lenient_parser(tmp_path: Path) -> None:
    """Not where the C parser is missing, and not where the environment keeps it out (T36)."""
    assert "C parser is not in use" in turned_down(made(tmp_path), AIOHTTP_NO_EXTENSIONS="1")


def test_it_does_not_start_without_keys(tmp_path: Path) -> None:
    """And says how to make them."""
    assert "keys new" in turned_down(write(tmp_path))


def test_it_does_not_start_with_keys_that_others_can_read(tmp_path: Path) -> None:
    """They sign for everybody."""
    path = made(tmp_path)
    (tmp_path / "keys.json").chmod(0o644)
    assert "chmod 600" in turned_down(path)


def test_it_collects_garbage_once_it_is_loaded(tmp_path: Path) -> None:
    """Not while it loads, when nothing becomes garbage; afterwards, and passing over the program itself."""
    serve = "from pathlib import Path\nfrom chain_gateway.cli import main, serve\n"
    look = "import gc\nserve.Files = lambda path: print(gc.isenabled(), gc.get_freeze_count() > 10_000)\n"
    command = [sys.executable, "-c", f"{serve}{look}main.main(['serve', '--config', 'gateway.toml'])"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, cwd=tmp_path)
    assert done.stdout == "True True\n"
