"""The house that tests and commands live in: run.py, what it prepares, and the rule that nothing is left out in CI."""

from __future__ import annotations

import ast
import importlib.util
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

from chain_gateway.cli import test as command

ROOT = Path(__file__).parents[1]
SKIPPING = """
import pytest

def test_runs(): pass

@pytest.mark.skip(reason="by mark")
def test_mark(): pass

@pytest.mark.skipif(True, reason="by condition")
def test_condition(): pass

def test_call(): pytest.skip("by call")

@pytest.fixture
def fixture(): pytest.skip("by fixture")

def test_fixture(fixture): pass

@pytest.mark.xfail(reason="known", strict=True)
def test_known(): assert False
"""


def load_run():
    spec = importlib.util.spec_from_file_location("run_py", ROOT / "run.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


house = load_run()


def suite(folder: Path, ci: str, *args: str) -> subprocess.CompletedProcess[str]:
    """Runs a small suite under the project's own conftest."""
    shutil.copy(ROOT / "tests" / "conftest.py", folder)
    shutil.copy(ROOT / "setup.cfg", folder)
    (folder / "test_skipping.py").write_text(SKIPPING)
    (folder / "test_module.py").write_text("import pytest\npytest.skip('by module', allow_module_level=True)\n")
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST")}
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-q", "-o", "testpaths=.", *args],
        cwd=folder,
        env={**kept, "CI": ci, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_skip_is_a_failure_in_ci(tmp_path):
    """However a test skips itself, with CI=true it fails and says what was left out; what was run is not touched."""
    done = suite(tmp_path, "true", "test_skipping.py")
    assert done.returncode == 1, done.stdout
    assert "1 failed, 1 passed, 1 xfailed, 3 errors" in done.stdout
    for reason in ("mark", "condition", "call", "fixture"):
        assert f"left out where nothing may be left out: Skipped: by {reason}" in done.stdout


def test_a_skipped_file_is_a_failure_in_ci(tmp_path):
    """A file that skips itself while it is imported does not get by either."""
    done = suite(tmp_path, "true", "test_module.py")
    assert done.returncode not in (0, 5), done.stdout
    assert "by module" in done.stdout


def test_a_skip_is_a_skip_elsewhere(tmp_path):
    """Without CI, what is left out is only reported, with its reason."""
    done = suite(tmp_path, "")
    assert done.returncode == 0, done.stdout
    assert "1 passed, 5 skipped, 1 xfailed" in done.stdout


def checkout(folder: Path) -> Path:
    (folder / "setup.cfg").write_text("[metadata]\nname = x\n")
    (folder / "pyproject.toml").write_text("")
    (folder / ".venv" / "bin").mkdir(parents=True)
    (folder / ".venv" / "bin" / "python").symlink_to(sys.executable)
    return folder


def stamp(root: Path, extra: str) -> None:
    house.stamp_of(root).write_text(f"{house.fingerprint(root)} {extra}\n")


def test_a_venv_is_ready_as_long_as_nothing_changed(tmp_path):
    """It is made anew when dependencies change, when its interpreter is gone, and when the checkout was moved."""
    root = checkout(tmp_path)
    assert not house.is_ready(root, "")
    stamp(root, "")
    assert house.is_ready(root, "")
    (root / "setup.cfg").write_text("[metadata]\nname = y\n")
    assert not house.is_ready(root, "")
    stamp(root, "")
    moved = tmp_path.parent / "moved"
    root.rename(moved)
    assert not house.is_ready(moved, "")
    stamp(moved, "")
    house.python_of(moved).unlink()
    assert not house.is_ready(moved, "")


def test_a_venv_for_tests_serves_commands_too(tmp_path):
    """What was installed with the extra is enough without it, and not the reverse."""
    root = checkout(tmp_path)
    stamp(root, "dev")
    assert house.is_ready(root, "")
    assert house.is_ready(root, "dev")
    stamp(root, "")
    assert not house.is_ready(root, "dev")


def test_a_failed_preparation_is_a_sentence(tmp_path):
    """No traceback and no stamp where the preparation fails; its own words are on standard error."""
    shutil.copy(ROOT / "run.py", tmp_path)
    (tmp_path / "setup.cfg").write_text("")
    (tmp_path / "pyproject.toml").write_text("")
    (tmp_path / ".venv").write_text("a file where a folder has to be")
    done = subprocess.run(
        [sys.executable, "run.py", "serve"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert done.stdout == ""
    assert "run.py: this did not work, see above" in done.stderr
    assert "Traceback" not in done.stderr


def lock(path: Path, **versions: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    packages = {f"node_modules/{name}": {"version": version} for name, version in versions.items()}
    path.write_text(json.dumps({"packages": {"": {"name": "tests"}, **packages}}))


def test_packages_of_npm_are_there_when_all_versions_are(tmp_path):
    """The lock file is compared with what npm wrote down about its installation."""
    part = command.PARTS[-1]
    there = tmp_path / "tests" / "node"
    assert part.is_there(tmp_path), "nothing is asked for"
    lock(there / "package-lock.json", a="1.0.0", b="2.0.0")
    assert command.missing([part], tmp_path) == [part]
    lock(there / "node_modules" / ".package-lock.json", a="1.0.0", b="1.9.0")
    assert command.missing([part], tmp_path) == [part]
    lock(there / "node_modules" / ".package-lock.json", a="1.0.0", b="2.0.0", c="3.0.0")
    assert command.missing([part], tmp_path) == []


def test_advice_can_be_typed():
    """What is missing comes with the command that brings it."""
    assert [part.advice.split()[0] for part in command.PARTS] == ["sudo"] * 5 + ["(cd"]


def test_the_suite_is_spread_over_workers_unless_told_otherwise():
    """Three workers by default, with the groups kept together; whoever chooses workers or a debugger gets just that."""
    assert command.parallel(["tests/core", "-k", "x"]) == ("-n", "3", "--dist", "loadgroup")
    for args in (["-n", "4"], ["-n0"], ["-p", "no:xdist"], ["--pdb"], ["--numprocesses=1"]):
        assert command.parallel(args) == ()


def test_nothing_that_lies_in_the_current_folder_is_run(tmp_path):
    """A file that is named like a library is not imported where run.py is called from (T60)."""
    root = checkout(tmp_path)
    shutil.copy(ROOT / "run.py", root)
    stamp(root, "")
    (root / "elsewhere").mkdir()
    for name in ("typer", "chain_gateway", "orjson"):
        (root / "elsewhere" / f"{name}.py").write_text("raise SystemExit('taken over')\n")
    libraries = os.pathsep.join([str(ROOT), *(path for path in sys.path if path.endswith("site-packages"))])
    done = subprocess.run(
        [sys.executable, str(root / "run.py"), "--version"],
        cwd=root / "elsewhere",
        env={**os.environ, "PYTHONPATH": libraries},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "chain-gateway" in done.stdout


def test_functions_are_small():
    """None has more than forty lines, its docstring counted: a longer one is two."""
    functions = [
        (f"{path.relative_to(ROOT)}: {node.name}", node.end_lineno - node.lineno + 1)
        for path in sorted((ROOT / "chain_gateway").rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]
    assert len(functions) > 500
    assert [name for name, lines in functions if lines > 40] == []
