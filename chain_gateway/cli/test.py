"""``test``: sees to what the tests need beside Python, says what is left out and how to get it, then runs pytest.

Debian's packages are installed where that is allowed (root, apt), packages of npm where Node is there. Where
``CI=true``, nothing may be left out: a part that is still missing is a failure.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from chain_gateway.cli.console import FAILED, USAGE, complain, say

ROOT = Path(__file__).parents[2]
NODE_FOLDER = "tests/node"
OLDEST_NODE = 20
SYSTEM_PATH = "/usr/sbin:/usr/bin:/sbin:/bin"
WORKERS = 3
"""One more than the processors of a small machine: many tests wait, for a browser, a provider, a process."""
OWN_WORKERS = ("-n", "--numprocesses", "-p", "--dist", "--pdb", "--trace", "--collect-only", "--co")


@dataclass(frozen=True, slots=True)
class Part:
    """Something that tests of one marker need: how to see that it is there, and the command that brings it."""

    name: str
    marker: str
    is_there: Callable[[Path], bool]
    command: tuple[str, ...]
    folder: str = "."
    by_root: bool = False

    @property
    def advice(self) -> str:
        """The command as a person types it in the checkout."""
        words = " ".join(self.command)
        return f"sudo {words}" if self.by_root else words if self.folder == "." else f"(cd {self.folder} && {words})"


def _debian(*packages: str) -> tuple[str, ...]:
    return ("apt-get", "install", "--yes", "--no-install-recommends", *packages)


def _firefox() -> str | None:
    return shutil.which("firefox-esr") or shutil.which("firefox")


def _has_servers() -> bool:
    """Debian's servers are where only root's PATH leads, and its PyYAML belongs to its own Python."""
    programs = ("nginx", "haproxy", "caddy", "systemd-analyze", "python3")
    found = [shutil.which(name, path=SYSTEM_PATH) for name in programs]
    if None in found:
        return False
    yaml = subprocess.run([str(found[-1]), "-c", "import yaml"], capture_output=True, check=False)
    return yaml.returncode == 0


def _has_node(_: Path) -> bool:
    node = shutil.which("node")
    if node is None or shutil.which("npm") is None:
        return False
    said = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout
    major = said.removeprefix("v").partition(".")[0]
    return major.isdecimal() and int(major) >= OLDEST_NODE


def _has_packages(root: Path) -> bool:
    """Whether what npm wrote down about its installation is what the lock file asks for."""
    wanted = _packages(root / NODE_FOLDER / "package-lock.json")
    found = _packages(root / NODE_FOLDER / "node_modules" / ".package-lock.json")
    return all(found.get(name) == version for name, version in wanted.items())


def _packages(lock: Path) -> dict[str, object]:
    """The version of each package that ``lock`` names, without those of some systems; empty without a file."""
    if not lock.exists():
        return {}
    packages = json.loads(lock.read_text())["packages"].items()
    return {name: about["version"] for name, about in packages if name and not about.get("optional")}


PARTS = (
    Part("Chromium", "browser", lambda _: shutil.which("chromium") is not None, _debian("chromium"), by_root=True),
    Part("Firefox", "firefox", lambda _: _firefox() is not None, _debian("firefox-esr"), by_root=True),
    Part(
        "Redis with Sentinel",
        "redis",
        lambda _: shutil.which("redis-server") is not None and shutil.which("redis-sentinel") is not None,
        _debian("redis-server", "redis-sentinel"),
        by_root=True,
    ),
    Part(
        "nginx, HAProxy, Caddy, systemd and PyYAML",
        "deploy",
        lambda _: _has_servers(),
        _debian("nginx", "haproxy", "caddy", "systemd", "python3-yaml"),
        by_root=True,
    ),
    Part(
        f"Node {OLDEST_NODE} with npm",
        "node",
        _has_node,
        _debian("nodejs", "npm"),
        by_root=True,
    ),
    Part(
        "packages for Node",
        "node",
        _has_packages,
        ("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"),
        NODE_FOLDER,
    ),
)


def missing(parts: Sequence[Part] = PARTS, root: Path = ROOT) -> list[Part]:
    """What of ``parts`` the tests of the checkout at ``root`` do not find."""
    return [part for part in parts if not part.is_there(root)]


def run(args: list[str]) -> int:
    """Runs the suite, or what ``args``, which are pytest's own, choose of it; returns pytest's exit code.

    Returns 1 without running anything where ``CI=true`` and a part is missing, 2 outside of a checkout.
    """
    if not (ROOT / "tests" / "conftest.py").exists():
        complain("the tests are in the project's checkout: run this there")
        return USAGE
    bring(missing())
    left_out = missing()
    for part in left_out:
        complain(f"missing: {part.name}, so the tests marked `{part.marker}` are left out; to have them: {part.advice}")
    if left_out and os.environ.get("CI") == "true":
        complain("nothing may be left out here")
        return FAILED
    code = _pytest(args)
    if left_out:
        say(f"left out: {', '.join(part.name for part in left_out)}; see above for how to get it")
    return code


def bring(parts: Sequence[Part]) -> None:
    """Installs what it may; what fails says so itself, and is still missing afterwards."""
    may_install = os.geteuid() == 0 and shutil.which("apt-get") is not None
    from_debian = [part for part in parts if part.by_root]
    if may_install and from_debian:
        names = ", ".join(part.name for part in from_debian)
        complain(f"installing {names} …")
        _call("apt-get", "update", "--quiet")
        for part in from_debian:
            _call(*part.command)
    for part in parts:
        if not part.by_root and shutil.which(part.command[0]) is not None:
            complain(f"installing {part.name} …")
            _call(*part.command, folder=ROOT / part.folder)


def _call(*command: str, folder: Path = ROOT) -> bool:
    """Runs a program; its own words go to standard error. Returns whether it did what it should."""
    quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    done = subprocess.run(command, cwd=folder, env=quiet, stdin=subprocess.DEVNULL, stdout=sys.stderr, check=False)
    return done.returncode == 0


def parallel(args: Sequence[str]) -> tuple[str, ...]:
    """How the suite is spread where ``args`` do not say it: over some workers, groups of tests kept together."""
    return () if any(arg.startswith(OWN_WORKERS) for arg in args) else ("-n", str(WORKERS), "--dist", "loadgroup")


def _pytest(args: Sequence[str]) -> int:
    command = (sys.executable, "-m", "pytest", *parallel(args), *args)
    with subprocess.Popen(command, cwd=ROOT) as process:
        while True:
            try:
                return process.wait()
            except KeyboardInterrupt:  # pytest hears it as well, and ends in its own time
                continue
