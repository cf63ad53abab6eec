"""What every test stands on: ``support`` can be imported, and where nothing may be left out, a skip is a failure."""

from __future__ import annotations

import os
import sys
from collections.abc import Generator
from pathlib import Path

import pytest
from hypothesis import settings

from chain_gateway.cli.test import PARTS, missing

sys.path.insert(0, str(Path(__file__).parent))

# No test here asserts how long something takes: a busy machine is no defect.
settings.register_profile("calm", deadline=None)
settings.load_profile("calm")

NOTHING_LEFT_OUT = os.environ.get("CI") == "true"


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests whose browser or Node is not there say so; tests with a browser share one worker, and so one browser."""
    for marker in sorted({part.marker for part in PARTS}):
        marked = [item for item in items if item.get_closest_marker(marker)]
        gone = missing([part for part in PARTS if part.marker == marker]) if marked else []
        for item in marked:
            for part in gone:
                item.add_marker(pytest.mark.skip(reason=f"{part.name} missing; to have it: {part.advice}"))
            if marker == "browser" and item.get_closest_marker("xdist_group") is None:
                item.add_marker(pytest.mark.xdist_group("browser"))


def _forbid_skip(report: pytest.TestReport | pytest.CollectReport) -> None:
    """Turns a skip into a failure that repeats the reason; an expected failure (xfail) was run, and stays one."""
    if NOTHING_LEFT_OUT and report.skipped and not hasattr(report, "wasxfail"):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
        report.outcome = "failed"
        report.longrepr = f"left out where nothing may be left out: {reason}"


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A skipped test, whether by a mark, a fixture or a call."""
    report = yield
    _forbid_skip(report)
    return report


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """A whole file that skips itself while it is imported."""
    report = yield
    _forbid_skip(report)
    return report
