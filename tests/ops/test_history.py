"""What is remembered of the last hours: per minute and app, bounded, from the meter's own totals."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import structlog
from ops_desk import a_desk
from support.patience import PATIENCE

from chain_gateway.ops import app
from chain_gateway.ops.history import MINUTES, History, Tally, hops_of
from chain_gateway.ops.meter import PrometheusMeter
from chain_gateway.ops.shared_counts import SHARED

BEGAN = 1_800_000_000 + 30


def test_each_minute_has_what_came_in_it() -> None:
    """Confirmed, failed and neither; what was counted before it began to remember is nobody's minute."""
    meter = PrometheusMeter()
    meter.hop_settled("shop", "login", "form_post", "applied", 1)
    meter.remember(BEGAN)
    assert list(meter.history.minutes) == []
    for outcome in ("applied", "absent", "refused", "timed_out", "stale", "unproven"):
        meter.hop_settled("shop", "login", "form_post", outcome, 1)
    meter.hop_settled("bank", "logout", "redirect", "unreachable", None)
    meter.remember(BEGAN + 10)
    assert list(meter.history.minutes) == []
    meter.remember(BEGAN + 30)
    meter.hop_settled("shop", "logout", "redirect", "applied", 1)
    meter.remember(BEGAN + 89)
    meter.remember(BEGAN + 90)
    assert list(meter.history.minutes) == [
        (BEGAN + 30, {"shop": Tally(2, 2, 2), "bank": Tally(0, 1, 0)}),
        (BEGAN + 90, {"shop": Tally(1, 0, 0)}),
    ]


async def test_counts_that_cannot_be_read_end_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Such as a file that a killed worker has left half made: it is tried again, and the end is a calm one."""
    (tmp_path / "counter_1.db").touch()
    monkeypatch.setattr(app, "LOOK_SECONDS", 0.01)
    with structlog.testing.capture_logs() as said:
        async with a_desk() as desk:
            monkeypatch.setenv(SHARED, str(tmp_path))
            async with asyncio.timeout(PATIENCE):
                while len(said) < 2:
                    assert (await desk.client.get("/healthz")).status == 200
            monkeypatch.delenv(SHARED)
    assert {line["event"] for line in said} == {"history.not_taken"}


def test_no_more_is_remembered_than_three_hours() -> None:
    """However long it runs; and what is older than that is not shown after a pause either."""
    history = History()
    for minute in range(1000):
        history.take({"shop": Tally(confirmed=minute)}, BEGAN + 60 * minute)
    assert len(history.minutes) == MINUTES
    now = BEGAN + 60 * 999
    assert len(history.within(now)) == MINUTES
    assert len(history.within(now + 60 * 100)) == MINUTES - 100
    assert history.within(now + 60 * 1000) == []


def test_a_clock_that_is_set_back_begins_anew() -> None:
    """Minutes are never out of order."""
    history = History()
    for minute in range(5):
        history.take({"shop": Tally(confirmed=minute)}, BEGAN + 60 * minute)
    history.take({"shop": Tally(confirmed=9)}, BEGAN - 3600)
    history.take({"shop": Tally(confirmed=11)}, BEGAN - 3540)
    assert [hops for _, hops in history.minutes] == [{"shop": Tally(confirmed=2)}]


def test_counts_that_begin_anew_are_no_negative_numbers() -> None:
    """As they do when the files of the workers' counts are lost."""
    history = History()
    for minute, count in enumerate((50, 60, 3)):
        history.take({"shop": Tally(confirmed=count)}, BEGAN + 60 * minute)
    assert [hops["shop"].confirmed for _, hops in history.minutes] == [10, 3]


def test_it_is_told_since_when_an_app_is_down() -> None:
    """From the first answer that was none; zero once it is back."""
    now = [1000.0]
    meter = PrometheusMeter(lambda: now[0])

    def down_since() -> float:
        return {
            sample.labels["app"]: sample.value
            for family in meter.families()
            for sample in family.samples
            if sample.name == "chain_app_down_since_seconds"
        }["shop"]

    for up, at, since in (
        (True, 1000, 0),
        (False, 1100, 1100),
        (False, 1200, 1100),
        (True, 1300, 0),
        (False, 1400, 1400),
    ):
        now[0] = at
        meter.app_up("shop", up=up)
        assert down_since() == since


def test_an_unknown_sample_is_no_hop() -> None:
    """The rest of what is counted says nothing here."""
    meter = PrometheusMeter()
    meter.walk_begun("login")
    meter.app_up("shop", up=True)
    assert hops_of(meter.families()) == {}


WORKER = """
import json, sys
from chain_gateway.ops.history import hops_of
from chain_gateway.ops.meter import PrometheusMeter
meter = PrometheusMeter(lambda: 1000.0)
if sys.argv[1:] == ["tell"]:
    meter.remember(0)
    found = {sample.labels["app"]: sample.value for family in meter.families() for sample in family.samples
             if sample.name == "chain_app_down_since_seconds"}
    print(json.dumps([hops_of(meter.families())["shop"].confirmed, found]))
else:
    for _ in range(3):
        meter.hop_settled("shop", "login", "form_post", "applied", 1)
    meter.app_up("bank", up=False)
"""


def test_whichever_worker_is_asked_answers_for_all(tmp_path: Path) -> None:
    """Of what others have counted, and of the apps that others have found down."""
    env = {**os.environ, "PROMETHEUS_MULTIPROC_DIR": str(tmp_path)}
    for _ in range(2):
        subprocess.run([sys.executable, "-c", WORKER], env=env, check=True)
    asked = subprocess.run([sys.executable, "-c", WORKER, "tell"], env=env, check=True, capture_output=True)
    assert json.loads(asked.stdout) == [6, {"bank": 1000.0}]
