"""Switches each defence off, one at a time, and shows that its test goes red: a test that cannot fail defends nothing.

The rows are in the TOML files beside this one. For each, the project is copied, the text ``old`` in ``file`` becomes
``new``, and the one named test is run on the copy, where it must fail. Before that, all named tests are run once on a
copy that nothing was changed in, where they must pass. Two copies are worked on at a time.
"""

from __future__ import annotations

import os
import shutil
import tomllib
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from queue import Queue

import pytest
from support.warm_pytest import WarmPytest

ROOT = Path(__file__).parents[2]
LEFT_BEHIND = shutil.ignore_patterns(".*", "*.egg-info", "node_modules", "build", "dist", "*.db*")
WORKERS = 2


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

    def apply(self, root: Path) -> None:
        """Changes the copy at ``root``; AssertionError if the text to be replaced does not stand there once."""
        path = root / self.file
        source = path.read_text()
        assert source.count(self.old) == 1, f"`old` stands {source.count(self.old)} times in {self.file}"
        path.write_text(source.replace(self.old, self.new))


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


def environment() -> dict[str, str]:
    """What a run sees of this one's environment: nothing that is pytest's or hypothesis's own."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST", "HYPOTHESIS"))}
    return {**kept, "PYTHONDONTWRITEBYTECODE": "1"}


def run_tests(warm: WarmPytest, root: Path, *args: str) -> Run:
    """Runs tests on the copy at ``root``, without what costs time and says nothing."""
    output = root.parent / f"{root.name}.txt"
    code = warm.run(root, ["-q", "-p", "no:cacheprovider", "-p", "no:xdist", "--tb=short", "-rfE", *args], output)
    return Run(code, output.read_text())


def copied(to: Path) -> Path:
    """A copy of the project; what npm installed is too large to copy, and is lent."""
    shutil.copytree(ROOT, to, ignore=LEFT_BEHIND)
    lent = Path("tests", "node", "node_modules")
    if (ROOT / lent).is_dir():
        (to / lent).symlink_to(ROOT / lent)
    return to


def mutated_run(warm: WarmPytest, mutation: Mutation, to: Path) -> Run:
    """Runs the row's test with its defence off."""
    copy = copied(to)
    try:
        mutation.apply(copy)
        return run_tests(warm, copy, "-x", mutation.test)
    finally:
        shutil.rmtree(copy)


class Runs:
    """The runs of one session: the untouched copy once, and each row a step before it is asked for."""

    def __init__(
        self, asked: Sequence[Mutation], folder: Path, pool: ThreadPoolExecutor, warm: Queue[WarmPytest]
    ) -> None:
        self._asked = asked
        self._folder = folder
        self._pool = pool
        self._warm = warm
        self._started: dict[str, Future[Run]] = {}
        tests = sorted({mutation.test for mutation in asked})
        self._untouched = pool.submit(
            self._with_warm, lambda warm: run_tests(warm, copied(folder / "untouched"), *tests)
        )

    def _with_warm(self, work: Callable[[WarmPytest], Run]) -> Run:
        warm = self._warm.get()
        try:
            return work(warm)
        finally:
            self._warm.put(warm)

    def untouched(self) -> Run:
        """How all named tests end with every defence on."""
        return self._untouched.result()

    def without(self, mutation: Mutation) -> Run:
        """How the row's test ends; the row after it is started too, so that two are always under way."""
        place = self._asked.index(mutation)
        for number, row in enumerate(self._asked[place : place + WORKERS], place):
            if row.name not in self._started:
                work = partial(mutated_run, mutation=row, to=self._folder / f"copy{number}")
                self._started[row.name] = self._pool.submit(self._with_warm, work)
        return self._started[mutation.name].result()


@pytest.fixture(scope="module")
def runs(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Runs]:
    """The runs of the rows that this session selected."""
    named = [item for item in request.session.items if isinstance(item, pytest.Function) and hasattr(item, "callspec")]
    asked = [item.callspec.params["mutation"] for item in named if "mutation" in item.callspec.params]
    warm: Queue[WarmPytest] = Queue()
    with ExitStack() as stack:
        for _ in range(WORKERS):
            warm.put(stack.enter_context(WarmPytest(environment())))
        pool = stack.enter_context(ThreadPoolExecutor(WORKERS))
        yield Runs(asked, tmp_path_factory.mktemp("mutations"), pool, warm)


@pytest.mark.mutation
@pytest.mark.timeout(900)
@pytest.mark.xdist_group("mutations")
@pytest.mark.parametrize("mutation", rows(), ids=lambda mutation: mutation.name)
def test_without_the_defence_its_test_goes_red(mutation, runs):
    """The named test passes as things are, and fails, by itself and not by a broken import, once the defence is off."""
    untouched = runs.untouched()
    assert not untouched.failed(mutation.test), f"fails with the defence on\n{untouched.output}"
    assert f"ERROR {mutation.test}" not in untouched.output, f"falls over with the defence on\n{untouched.output}"
    assert untouched.code in (0, 1), f"the named tests cannot be run at all\n{untouched.output}"
    without = runs.without(mutation)
    assert without.code != 0, f"stays green without the defence: {mutation.defence}"
    assert without.code == 1, f"the test could not be run (pytest's exit code {without.code})\n{without.output}"
    assert without.failed(mutation.test), f"something else than the named test failed\n{without.output}"


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
        function = test.partition("[")[0].rpartition("::")[2]
        if not (ROOT / file).is_file() or f"def {function}(" not in (ROOT / file).read_text():
            problems.append(f"{mutation.name}: no test {mutation.test}")
    assert problems == []


@pytest.mark.mutation
@pytest.mark.xdist_group("mutations")
def test_it_is_the_copy_that_is_imported(tmp_path):
    """A copy is tested and not the checkout, although the checkout is what is installed; each run has its own copy."""
    with WarmPytest(environment()) as warm:
        for name in ("first", "second"):
            copy = copied(tmp_path / name)
            (copy / "tests" / "test_probe.py").write_text(PROBE.format(copy=str(copy)))
            assert run_tests(warm, copy, "tests/test_probe.py") == Run(0, "")


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
