"""Starts ``sqlite_child.py``, and ends what it started."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

CHILD = Path(__file__).with_name("sqlite_child.py")
ROOT = CHILD.parents[2]


@contextmanager
def child(command: str, path: Path, *words: object) -> Iterator[subprocess.Popen[str]]:
    """A process on the file, killed at the end of the block if it is still there."""
    process = subprocess.Popen(
        [sys.executable, str(CHILD), command, str(path), *(str(word) for word in words)],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        try:
            yield process
        finally:
            process.kill()


def at_once(count: int, command: str, path: Path, *words: object) -> list[str]:
    """What so many processes say that are let go at the same moment."""
    with ExitStack() as stack:
        children = [stack.enter_context(child(command, path, *words)) for _ in range(count)]
        for each in children:
            assert each.stdout is not None
            assert each.stdout.readline() == "ready\n"
        for each in children:
            assert each.stdin is not None
            each.stdin.write("go\n")
            each.stdin.flush()
        return [each.communicate(timeout=60)[0] for each in children]


def said(command: str, path: Path, *words: object) -> list[str]:
    """The lines of one process that comes to its end."""
    with child(command, path, *words) as process:
        return process.communicate(timeout=60)[0].splitlines()
