"""A Python with the libraries loaded that runs pytest again and again, each time in a fork and on another tree.

Starting Python, pytest and what the project stands on takes longer than most tests. This program loads all that once,
and nothing of the project. For each line on its standard input it forks: the child moves to the tree that the line
names, imports from there, runs pytest and ends; its exit code is the answer. ``WarmPytest`` is the other end.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

LIBRARIES = (
    *("pytest", "_pytest.junitxml", "_pytest.pastebin", "_pytest.unraisableexception", "_pytest.warnings"),
    *("_pytest.faulthandler", "_pytest.helpconfig", "_pytest.setupplan", "_pytest.skipping", "_pytest.threadexception"),
    *("_pytest.unittest", "pydantic.functional_serializers", "pydantic.main"),
    *("pytest_aiohttp.plugin", "pytest_asyncio.plugin", "pytest_timeout", "xdist.looponfail", "xdist.plugin"),
    *("_hypothesis_pytestplugin", "hypothesis.stateful", "hypothesis.strategies", "doctest", "pdb", "tracemalloc"),
    *("aiohttp.web", "aiohttp.test_utils", "aiohttp_jinja2", "aiohttp_session", "jinja2", "uvloop", "yarl"),
    *("cryptography.hazmat.primitives.asymmetric.ec", "cryptography.hazmat.primitives.ciphers.aead"),
    *("cryptography.hazmat.backends.openssl.backend", "joserfc.jwk", "joserfc.jws", "joserfc.jwt", "trustme"),
    *("orjson", "pydantic.dataclasses", "pydantic.json_schema", "rich.console", "rich.table", "stamina", "structlog"),
    *("typer", "prometheus_client.multiprocess", "prometheus_client.parser", "redis.asyncio.sentinel", "sqlite3"),
    *("configparser", "html.parser", "http.server", "playwright.async_api", "tomllib"),
)
LOADED_BEFORE = ("-W", "ignore::pytest.PytestAssertRewriteWarning")
"""Of libraries that are loaded pytest cannot rewrite the assertions any more, and would say so."""


class WarmPytest:
    """Runs pytest in forks of one warm process, one run at a time. Close it."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        """``environ`` is what the runs see, beside the ``PYTHONPATH`` of their tree."""
        # Without a place of its own each run looks through, and clears up, what all others have left in pytest's.
        self._scratch = tempfile.TemporaryDirectory(prefix="runs-", ignore_cleanup_errors=True)
        self._process = subprocess.Popen(
            [sys.executable, "-P", __file__],
            env=dict(environ),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def run(self, root: Path, args: Sequence[str], output: Path, **environ: str) -> int:
        """Runs pytest with ``args`` in the tree at ``root``; what it prints is in ``output``. Returns its exit code.

        ``environ`` is what this run sees beside the rest.
        """
        words = [f"--basetemp={self._scratch.name}/run", *args]
        line = json.dumps({"root": str(root), "args": words, "output": str(output), "environ": environ})
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()
        return int(self._process.stdout.readline())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, at: TracebackType | None) -> None:
        """Ends the warm process, after the run that is under way."""
        self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()
        self._scratch.cleanup()


def serve() -> None:
    """Answers each line of standard input with the exit code of the run that it asks for."""
    for library in LIBRARIES:
        importlib.import_module(library)
    gc.freeze()  # pytest collects garbage again and again, and nothing that is loaded here ever is any
    for line in sys.stdin:
        asked = json.loads(line)
        child = os.fork()
        if child == 0:
            os.environ.update(asked["environ"])
            os._exit(_run(Path(asked["root"]), asked["args"], Path(asked["output"])))
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        sys.stdout.write(f"{code}\n")
        sys.stdout.flush()


def _run(root: Path, args: Sequence[str], output: Path) -> int:
    nothing, written = os.open(os.devnull, os.O_RDONLY), os.open(output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    for here, there in ((nothing, 0), (written, 1), (written, 2)):
        os.dup2(here, there)
    os.chdir(root)
    os.environ["PYTHONPATH"] = str(root)
    sys.path.insert(0, str(root))
    code = int(importlib.import_module("pytest").main([*LOADED_BEFORE, *args]))
    sys.stdout.flush()
    sys.stderr.flush()
    return code


if __name__ == "__main__":
    serve()
