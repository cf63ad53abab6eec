"""A shell that runs the blocks of a page one after the other, as somebody types them."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

SECONDS = 150
OVER, ENDED = "the block is over", "the shell has ended"


class Shell:
    """``bash`` that ends at the first line that fails."""

    def __init__(self, process: subprocess.Popen[str], script: Path) -> None:
        """Each block is put into ``script``, so that no program in it reads what comes after it."""
        self._process = process
        self._script = script

    def run(self, block: str) -> str:
        """What a block prints, once all of its lines have succeeded; it stays in the same folder and environment."""
        self._script.write_text(block)
        self._process.stdin.write(f". {self._script} < /dev/null; printf '\\n%s\\n' '{OVER}'\n")
        self._process.stdin.flush()
        late = threading.Timer(SECONDS, os.killpg, (self._process.pid, signal.SIGKILL))
        late.start()
        said = ""
        while (line := self._process.stdout.readline()) and line.strip() not in {OVER, ENDED}:
            said += line
        late.cancel()
        assert line.strip() == OVER, f"this does not work:\n{block}\n{said}"
        return said


@contextmanager
def a_shell(folder: Path, environ: Mapping[str, str]) -> Iterator[Shell]:
    """A shell in ``folder``; whatever it has started ends with it."""
    with subprocess.Popen(
        ["bash", "-e"],
        cwd=folder,
        env=dict(environ),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    ) as process:
        process.stdin.write(f"trap \"printf '\\n%s\\n' '{ENDED}'\" EXIT\n")
        try:
            yield Shell(process, folder / "block.sh")
        finally:
            os.killpg(process.pid, signal.SIGKILL)
