"""A server of the measurement, from the outside: a process that is started, asked by lines, and ended."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from bench.figures import MeasurementFailed

ROOT: Final = Path(__file__).parents[1]
END_SECONDS: Final = 20
TOLD_CHARS: Final = 2000


class Child:
    """``python -m MODULE WORDS…`` as a context; its log goes to a file, which is shown where it fails."""

    def __init__(self, module: str, *words: str, sockets: Sequence[socket.socket] = ()) -> None:
        """``sockets`` are handed over by their numbers, which ``words`` tell."""
        self._command = [sys.executable, "-m", module, *words]
        self._sockets = sockets
        self._log = tempfile.TemporaryFile("w+")  # noqa: SIM115 - it lives as long as the context that this is
        self._process: subprocess.Popen[str] | None = None

    def __enter__(self) -> Self:
        """Starts it; it is ready when it has answered."""
        self._process = subprocess.Popen(
            self._command,
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
            pass_fds=[each.fileno() for each in self._sockets],
        )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Closes its standard input, at which it ends by itself, or is ended."""
        process = self._process
        if process is None or process.stdin is None or process.stdout is None:
            return
        process.stdin.close()
        try:
            process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        process.stdout.close()
        self._log.close()

    def ask(self, line: str) -> list[str]:
        """The words that it answers to ``line``; MeasurementFailed with its log where it has ended."""
        process = self._process
        if process is None or process.stdin is None or process.stdout is None:
            raise MeasurementFailed("asked before it was started")
        try:
            process.stdin.write(line + "\n")
            process.stdin.flush()
            answer = process.stdout.readline()
        except BrokenPipeError:
            answer = ""
        if not answer:
            self._log.seek(0)
            raise MeasurementFailed(f"{' '.join(self._command[2:4])} has ended:\n{self._log.read()[-TOLD_CHARS:]}")
        words: list[str] = json.loads(answer)
        return words

    @property
    def pid(self) -> int:
        """Its number; MeasurementFailed before it was started."""
        if self._process is None:
            raise MeasurementFailed("asked before it was started")
        return self._process.pid

    def cpu(self) -> float:
        """The processor time that it has taken until now, in seconds."""
        return float(self.ask("cpu")[0])
