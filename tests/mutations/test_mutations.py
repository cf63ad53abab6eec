"""Switches each defence off, one at a time, and shows that its test goes red: a test that cannot fail defends nothing.

The rows are in the TOML files beside this one. Each worker of the session has a copy of the project. For a row, the
text ``old`` in ``file`` becomes ``new`` in the copy, the one named test is run there, where it must fail, and the file
is put back. Rows are dealt to the workers in groups of a few.

A red says something only if the test is green with the defence on. The session that runs all tests sees that on the
checkout, and each file of them has to show with one of its named tests that it is no different on a copy: what a copy
lacks (``.git``, ``.venv``, what was built) a whole file would miss. Files whose tests are quick do so a folder in one
run. So this would escape: a single test that fails on each copy, whatever stands in it, while the test that speaks for
its file passes there. A session that runs a row without its test (``-k``, or this file alone) runs the test on the copy
first, and nothing escapes.
"""

from __future__ import annotations

import compileall
import os
import shutil
import tomllib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from py_compile import PycInvalidationMode

import pytest
from support.patience import VARIABLE
from support.warm_pytest import WarmPytest

from chain_gateway import __version__

ROOT = Path(__file__).parents[2]
LEFT_BEHIND = shutil.ignore_patterns(".*", "*.egg-info", "node_modules", "build", "dist", "*.db*")
LENT = Path("tests", "node", "node_modules")
REMEMBERED = Path(".hypothesis", "constants")
GROUPS = 48
ROW_SECONDS = 60
ROW_PATIENCE = "6"
"""How long a test may take whose defence is off, and how long it waits for what does not come then, in seconds."""
TAKES_LONG = (
    *("tests/bench/", "tests/browser/", "tests/cli/", "tests/core/test_origins", "tests/counterparts/"),
    *("tests/demo/test_headless", "tests/deploy/", "tests/docs/", "tests/exploration/", "tests/ops/test_tracing"),
    *("tests/service/test_deliver", "tests/service/test_logins", "tests/simulator/", "tests/store/test_redis"),
    *("tests/store/test_store_conformance", "tests/web/test_limits"),
    *("tests/web/test_pages_browser", "tests/web/test_refusals_browser"),
)
"""Where tests are that take long, mostly as they start programs."""


@dataclass(frozen=True)
class Mutation:
    """One row: how a defence is switched off, and which test must see it."""

    id: str
    defence: str
    file: str
    old: str
    new: str
    test: str

    @property
    def name(self) -> str:
        """What the report calls it."""
        return f"{self.id}: {self.defence}"


@dataclass(frozen=True)
class Run:
    """How a run of tests ended, and what it printed."""

    code: int
    output: str = field(repr=False, compare=False)

    def failed(self, test: str) -> bool:
        """Whether ``test``, or a case of it, looked at something and found it wrong."""
        marks = (f"FAILED {test} ", f"FAILED {test}[", f"FAILED {test}\n")
        return any(mark in self.output for mark in marks)


def rows() -> list[Mutation]:
    """All rows of all files, in the files' order."""
    files = sorted(Path(__file__).parent.glob("*.toml"))
    return [Mutation(**row) for file in files for row in tomllib.loads(file.read_text()).get("mutation", [])]


def speakers() -> dict[str, list[str]]:
    """The tests that show that a copy is as good as the checkout, by the folder or the file that they speak for."""
    by_file = {mutation.test.partition("::")[0]: mutation.test for mutation in reversed(rows())}
    found: dict[str, list[str]] = {}
    for file, test in sorted(by_file.items()):
        place = file if file.startswith(TAKES_LONG) else str(Path(file).parent)
        found.setdefault(place, []).append(test)
    return found


def environment() -> dict[str, str]:
    """What a run sees of this one's environment: nothing that is pytest's or hypothesis's own."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST", "HYPOTHESIS"))}
    return {**kept, "PYTHONDONTWRITEBYTECODE": "1"}


class Copy:
    """A copy of the project that tests are run on, and that is as it was after each run."""

    def __init__(self, root: Path, warm: WarmPytest) -> None:
        """Copies the project to ``root``; what npm installed is too large to copy, and is lent."""
        self.root = root
        self._warm = warm
        shutil.copytree(ROOT, root, ignore=LEFT_BEHIND)
        if (ROOT / LENT).is_dir():
            (root / LENT).symlink_to(ROOT / LENT)
        # Bytecode that goes by a hash of the source, not by its time: none is taken for that of a changed file.
        compileall.compile_dir(root, quiet=2, force=True, invalidation_mode=PycInvalidationMode.CHECKED_HASH)

    def run(self, *args: str, **environ: str) -> Run:
        """Runs tests, without what costs time and says nothing; what they left behind is taken away."""
        output, before = self.root.with_suffix(".txt"), self._files()
        quiet = ("-q", "-p", "no:cacheprovider", "-p", "no:xdist", "--tb=short", "-rfE")
        code = self._warm.run(self.root, [*quiet, *args], output, **environ)
        after = self._files()
        for stray in after.keys() - before.keys():
            Path(stray).unlink()
            del after[stray]
        assert after == before, "the run changed the copy"
        return Run(code, output.read_text())

    def without(self, mutation: Mutation) -> Run:
        """Runs the row's test with its defence off; what an assertion compared matters only where it should hold."""
        with self._switched_off(mutation):
            short = ("-x", "-o", f"timeout={ROW_SECONDS}", "--assert=plain", "--tb=native")
            return self.run(*short, mutation.test, **{VARIABLE: ROW_PATIENCE})

    @contextmanager
    def _switched_off(self, mutation: Mutation) -> Iterator[None]:
        path = self.root / mutation.file
        source, times = path.read_text(), path.stat()
        assert source.count(mutation.old) == 1, f"`old` stands {source.count(mutation.old)} times in {mutation.file}"
        path.write_text(source.replace(mutation.old, mutation.new))
        try:
            yield
        finally:
            path.write_text(source)
            os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))

    def _files(self) -> dict[str, tuple[int, int]]:
        """When each file was written, and its size; without what hypothesis has read out of the sources."""
        found = {}
        for folder, _, names in os.walk(self.root):
            if not folder.startswith(str(self.root / REMEMBERED)):
                for name in names:
                    about = os.lstat(path := f"{folder}/{name}")
                    found[path] = (about.st_mtime_ns, about.st_size)
        return found


@pytest.fixture(scope="session")
def warm() -> Iterator[WarmPytest]:
    """One for all rows of a worker."""
    with WarmPytest(environment()) as warm:
        yield warm


@pytest.fixture(scope="session")
def copy(warm, tmp_path_factory) -> Copy:
    """One for all rows of a worker, as each puts back what it changed."""
    return Copy(tmp_path_factory.mktemp("mutations") / "copy", warm)


@pytest.fixture(scope="session")
def selected(request: pytest.FixtureRequest) -> set[str]:
    """What this session runs on the checkout: each test by its name, with and without its case."""
    places = [item.location for item in request.session.items]
    names = [f"{file}::{name}" for file, _, name in places]
    return {*names, *(name.partition("[")[0] for name in names)}


def dealt(cases: Sequence[object], groups: int) -> list[object]:
    """The cases as parameters, dealt to groups of tests that any worker can take."""
    marks = [pytest.mark.xdist_group(f"mutations-{number}") for number in range(groups)]
    return [pytest.param(case, marks=marks[place % groups]) for place, case in enumerate(cases)]


@pytest.mark.mutation
@pytest.mark.timeout(900)
@pytest.mark.parametrize("mutation", dealt(rows(), GROUPS), ids=lambda mutation: mutation.name)
def test_without_the_defence_its_test_goes_red(mutation, copy, selected):
    """The named test passes as things are, and fails, by itself and not by a broken import, once the defence is off."""
    if mutation.test not in selected:
        untouched = copy.run(mutation.test)
        assert untouched.code == 0, f"does not pass with the defence on\n{untouched.output}"
    without = copy.without(mutation)
    assert without.code != 0, f"stays green without the defence: {mutation.defence}"
    assert without.code == 1, f"the test could not be run (pytest's exit code {without.code})\n{without.output}"
    assert without.failed(mutation.test), f"something else than the named test failed\n{without.output}"


@pytest.mark.mutation
@pytest.mark.timeout(900)
@pytest.mark.parametrize("place", dealt(sorted(speakers()), GROUPS), ids=str)
def test_a_copy_is_as_good_as_the_checkout(place, copy):
    """Where nothing is switched off, the named tests of the place pass on a copy too."""
    run = copy.run(*speakers()[place])
    assert run.code == 0, f"fails on a copy\n{run.output}"


def test_each_row_fits_the_code_as_it_stands():
    """No row is left behind by a change: its text stands in its file once, its test exists, its name is its own."""
    all_rows = rows()
    assert all_rows
    names = [mutation.name for mutation in all_rows]
    assert len(set(names)) == len(names), "two rows of one name"
    problems = []
    for mutation in all_rows:
        source = ROOT / mutation.file
        file, _, test = mutation.test.partition("::")
        count = source.read_text().count(mutation.old) if source.is_file() else 0
        if count != 1:
            problems.append(f"{mutation.name}: `old` stands {count} times in {mutation.file}")
        if mutation.old == mutation.new:
            problems.append(f"{mutation.name}: changes nothing")
        if mutation.file.startswith("tests/"):
            problems.append(f"{mutation.name}: a test is no defence")
        function = test.partition("[")[0].rpartition("::")[2]
        if not (ROOT / file).is_file() or f"def {function}(" not in (ROOT / file).read_text():
            problems.append(f"{mutation.name}: no test {mutation.test}")
    assert problems == []


@pytest.mark.mutation
@pytest.mark.xdist_group("mutations-0")
def test_it_is_the_copy_that_is_imported(copy, warm, tmp_path):
    """A copy is tested and not the checkout, although the checkout is what is installed; each has its own tree."""
    for each in (copy, Copy(tmp_path / "another", warm)):
        with probed(each, PROBE.format(copy=str(each.root))):
            assert each.run("tests/test_probe.py") == Run(0, "")


@pytest.mark.mutation
@pytest.mark.xdist_group("mutations-0")
def test_a_row_leaves_nothing_to_the_next(copy):
    """A changed file is read anew, by a child too and though nothing but its content differs, and is put back."""
    test = "tests/test_probe.py::test_it_is_as_it_was"
    with probed(copy, READ_ANEW):
        for new in ("9" * len(__version__), "8" * len(__version__)):
            without = copy.without(Mutation("", "", "chain_gateway/__init__.py", __version__, new, test))
            assert without.failed(test)
            assert f"read {new}, {new}" in without.output
            assert not (copy.root / "stray").exists()
            assert copy.run(test) == Run(0, "")


@contextmanager
def probed(copy: Copy, tests: str) -> Iterator[None]:
    """The copy has these tests as well."""
    probe = copy.root / "tests" / "test_probe.py"
    probe.write_text(tests)
    try:
        yield
    finally:
        probe.unlink()


PROBE = """
import subprocess, sys
from pathlib import Path
import chain_gateway.core.origins
import support.payloads

def test_imported():
    assert Path(chain_gateway.core.origins.__file__).is_relative_to({copy!r})
    assert Path(support.payloads.__file__).is_relative_to({copy!r})

def test_imported_by_a_child():
    program = "import chain_gateway.core.origins as it; print(it.__file__)"
    found = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd="/")
    assert Path(found.stdout.strip()).is_relative_to({copy!r})
"""

READ_ANEW = f"""
import subprocess, sys
from pathlib import Path
import chain_gateway

def test_it_is_as_it_was():
    Path("stray").touch()
    program = "import chain_gateway as it; print(it.__version__)"
    found = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd="/")
    here, there = chain_gateway.__version__, found.stdout.strip()
    assert (here, there) == ({__version__!r}, {__version__!r}), f"read {{here}}, {{there}}"
"""
