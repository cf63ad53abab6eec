#!/usr/bin/env python3
"""The one door: ``python3 run.py COMMAND …`` makes ``.venv`` where it is missing or stale, then is ``chain-gateway``.

Standard library alone, and syntax that an old Python can read, so that it can say which Python is needed.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent
OLDEST = (3, 11)
KNOWN = ("python3.14", "python3.13", "python3.12", "python3.11")
INTERRUPTED = 130


class Unprepared(Exception):
    """The house could not be set up; the text says what to do."""


def main(words: list[str]) -> int:
    """Prepares what ``words`` need and becomes ``chain-gateway``; returns only where that failed."""
    extra = "dev" if words[:1] == ["test"] else ""
    try:
        newer = None if sys.version_info >= OLDEST else find_python()
        if newer is not None:
            os.execv(newer, [newer, str(ROOT / "run.py"), *words])
        prepare(ROOT, extra)
    except KeyboardInterrupt:
        tell("stopped")
        return INTERRUPTED
    except Unprepared as problem:
        tell(str(problem))
        return 1
    python = str(python_of(ROOT))
    # -P: whoever runs this from somebody else's folder runs nothing that lies there under the name of a library.
    return os.execv(python, [python, "-P", "-m", "chain_gateway.cli.main", *words])


def find_python() -> str:
    """A Python that is new enough, by its path."""
    for name in KNOWN:
        path = shutil.which(name)
        if path is not None:
            return path
    raise Unprepared(f"Python {OLDEST[0]}.{OLDEST[1]} or newer is needed; none of {', '.join(KNOWN)} is installed")


def prepare(root: Path, extra: str) -> None:
    """Makes ``root/.venv`` fit for the project as it is now, with the extra ``dev`` if asked for; quick when it is."""
    if is_ready(root, extra):
        return
    tell("setting up .venv, which takes a minute and happens once …")
    if not has_pip(python_of(root)):
        make_venv(root / ".venv")
    stamp_of(root).unlink(missing_ok=True)
    target = f".[{extra}]" if extra else "."
    run_or_fail(
        [str(python_of(root)), "-m", "pip", "install", "-qq", "--disable-pip-version-check", "-e", target], root
    )
    stamp_of(root).write_text(f"{fingerprint(root)} {extra}\n")


def is_ready(root: Path, extra: str) -> bool:
    """Whether ``.venv`` was made for this place and these dependencies."""
    if not (python_of(root).exists() and stamp_of(root).exists()):
        return False
    made_for, _, has = stamp_of(root).read_text().strip().partition(" ")
    return made_for == fingerprint(root) and extra in ("", has)


def fingerprint(root: Path) -> str:
    """What ``.venv`` depends on: the declared dependencies, and where the checkout lies."""
    digest = hashlib.sha256(str(root).encode())
    for name in ("setup.cfg", "pyproject.toml"):
        digest.update((root / name).read_bytes())
    return digest.hexdigest()


def python_of(root: Path) -> Path:
    """The interpreter of ``.venv``."""
    return root / ".venv" / "bin" / "python"


def stamp_of(root: Path) -> Path:
    """The file that remembers what ``.venv`` was made for."""
    return root / ".venv" / "made-for"


def has_pip(python: Path) -> bool:
    """Whether there is a working interpreter, new enough, with pip."""
    if not python.exists():
        return False
    program = f"import sys, pip; sys.exit(sys.version_info < {OLDEST})"
    return subprocess.run([str(python), "-c", program], capture_output=True, check=False).returncode == 0


def make_venv(path: Path) -> None:
    """A new virtual environment; where Debian has cut venv out of Python, its package is asked for first."""
    if importlib.util.find_spec("ensurepip") is None:
        package = f"python{sys.version_info[0]}.{sys.version_info[1]}-venv"
        command = ["apt-get", "install", "--yes", "--no-install-recommends", package]
        if os.geteuid() != 0 or shutil.which("apt-get") is None:
            raise Unprepared(f"this Python cannot make virtual environments; run: sudo {' '.join(command)}")
        run_or_fail(["apt-get", "update", "--quiet"], path.parent)
        run_or_fail(command, path.parent)
    run_or_fail([sys.executable, "-m", "venv", "--clear", str(path)], path.parent)


def run_or_fail(command: list[str], root: Path) -> None:
    """Runs a program whose own words, on standard error, say what went wrong; Ctrl-C ends it without any."""
    quiet = dict(os.environ, DEBIAN_FRONTEND="noninteractive")
    with subprocess.Popen(
        command, cwd=root, env=quiet, stdin=subprocess.DEVNULL, stdout=sys.stderr, start_new_session=True
    ) as process:
        try:
            code = process.wait()
        except KeyboardInterrupt:
            os.killpg(process.pid, signal.SIGTERM)
            raise
    if code != 0:
        raise Unprepared(f"this did not work, see above: {' '.join(command)}")


def tell(text: str) -> None:
    """A line for people; standard output belongs to the command."""
    print(f"run.py: {text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
