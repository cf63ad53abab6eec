"""Each invariant of the soak can be broken: a sound trace breaks none, and one with one thing wrong breaks one."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from bench.figures import MeasurementFailed
from bench.soak import reading
from bench.soak.browser import Browser, Tab
from bench.soak.checks import CHECKS, REDIRECTS, forgotten, violations
from bench.soak.person import Person
from bench.soak.servers import MARK, Server, until
from bench.soak.trace import Delivery, Held, Logout, Receipt, Told, Trace, Trip

SHOP, BANK = "shop", "bank"
BEFORE, OUT, AFTER = 1000, 2000, 3000
"""Epochs: a login, a logout, a login after it."""


def a_trace() -> Trace:
    """Alice signs in, signs out everywhere, and signs in again; Shop confirms by its receipt, Bank later."""
    trace = Trace()
    trace.people[1] = "alice"
    trace.trips = [Trip(1, "login", "back", 0.3, 1, 8), Trip(1, "logout", "page", 0.2, 1, 6)]
    trace.logouts["out"] = Logout(1, "out", OUT, 50.0)
    trace.told = [Told(1, "out", OUT, {SHOP: "applied", BANK: "applied"})]
    trace.receipts.add(Receipt(SHOP, "out", "applied"))
    trace.deliveries.add(Delivery(BANK, OUT))
    trace.held = [Held(1, SHOP, AFTER, "alice")]
    trace.effects["shop ticket x"] = 1
    trace.codes[0] = 2
    return trace


def broken(trace: Trace) -> list[str]:
    """The names of the checks that find something."""
    return [name for name, found in violations(trace).items() if found]


def test_a_sound_trace_breaks_nothing() -> None:
    """Each check looks at it, and none has a word."""
    assert violations(a_trace()) == {check.__name__: [] for check in CHECKS}


def test_a_run_in_which_nothing_happened_is_no_success() -> None:
    """Whoever cannot start anything proves nothing."""
    assert broken(Trace()) == ["something_happened"]


def test_a_walk_that_is_open() -> None:
    """After its time."""
    trace = a_trace()
    trace.open_walks = ["a walk"]
    assert broken(trace) == ["every_walk_ends"]


def test_a_logout_that_stays_owed() -> None:
    """When every app is back."""
    trace = a_trace()
    trace.owed = ["bank in 2000"]
    assert broken(trace) == ["nothing_stays_owed"]


def test_a_session_from_before_a_logout() -> None:
    """Of the same epoch, or of a lower one; a later answer has revived it."""
    for epoch in (BEFORE, OUT):
        trace = a_trace()
        trace.held = [Held(1, BANK, epoch, "alice")]
        assert broken(trace) == ["newest_intention_wins"]


def test_the_last_logout_counts() -> None:
    """A session between two logouts is one from before the last; it does not matter which of them was read first."""
    trace = a_trace()
    trace.logouts = {"late": Logout(1, "late", AFTER + 1, 90.0), **trace.logouts}
    assert broken(trace) == ["newest_intention_wins"]


def test_what_redis_may_have_forgotten_is_counted_and_not_excused_twice() -> None:
    """A logout from the failover that no app has confirmed is counted; one that was told as confirmed is broken."""
    trace = a_trace()
    trace.held, trace.outages = [Held(1, BANK, BEFORE, "alice")], [(50.0, 51.0)]
    assert (broken(trace), forgotten(trace)) == (["newest_intention_wins"], 0)
    trace.told = [Told(1, "out", OUT, {SHOP: "applied", BANK: "timed_out"})]
    assert (broken(trace), forgotten(trace)) == ([], 1)
    trace.outages = [(50.01, 53.0)]
    assert (broken(trace), forgotten(trace)) == (["newest_intention_wins"], 0)


@asynccontextmanager
async def a_replica_that_stands_still(folder: Path) -> AsyncIterator[tuple[Server, int]]:
    """Its primary, and the process of the replica, which has all that was written and hears of nothing more."""
    primary, replica = Server(folder / "one"), Server(folder / "two")
    try:
        await primary.start()
        await replica.start(f"replicaof 127.0.0.1 {primary.port}")

        async def follows() -> bool:
            return bool(replica.ask("INFO", "replication")["master_link_status"] == "up")

        await until(follows, "the replica")
        await asyncio.to_thread(primary.copied)
        process = int(replica.ask("INFO", "server")["process_id"])
        os.kill(process, signal.SIGSTOP)
        yield primary, process
    finally:
        replica.kill()
        primary.kill()


@pytest.mark.redis
async def test_a_replica_that_lags_behind_is_no_ground_for_a_failover(tmp_path: Path) -> None:
    """Nothing is put down to a failover then: the run has failed. So it has where no replica follows."""
    async with a_replica_that_stands_still(tmp_path) as (primary, _):
        with pytest.raises(MeasurementFailed, match="had not caught up"):
            await asyncio.to_thread(primary.copied, 50)
    with pytest.raises(MeasurementFailed, match="did not answer"):
        primary.copied(50)


@pytest.mark.redis
async def test_a_failover_may_lose_what_came_after_the_mark_and_nothing_older(tmp_path: Path) -> None:
    """What is written while the replica is waited for is not sure to be there, however late its answer comes."""
    async with a_replica_that_stands_still(tmp_path) as (primary, process):
        primary.ask("DEL", MARK)
        before = time.time()
        copied = asyncio.create_task(asyncio.to_thread(primary.copied))
        await until(lambda: primary.says(1, "EXISTS", MARK), "the mark")
        written = time.time()
        os.kill(process, signal.SIGCONT)
        assert before <= await copied <= written


def test_a_copy_of_cookies_that_still_opens_something() -> None:
    """Where the app has confirmed; where it has not yet, nothing was promised."""
    trace = a_trace()
    trace.held = [Held(1, BANK, BEFORE, "alice", of_copy="out")]
    assert broken(trace) == ["copies_are_dead"]
    trace.told = [Told(1, "out", OUT, {SHOP: "applied", BANK: "timed_out"})]
    assert broken(trace) == []


def test_a_session_of_somebody_else() -> None:
    """In any browser."""
    trace = a_trace()
    trace.held = [Held(1, SHOP, AFTER, "mallory")]
    assert broken(trace) == ["nobody_is_somebody_else"]


def test_a_claim_that_no_app_has_signed() -> None:
    """A receipt of another walk, of another outcome, or a delivery of another logout proves nothing."""
    for receipts, deliveries in (
        ({Receipt(SHOP, "another", "applied")}, {Delivery(BANK, OUT)}),
        ({Receipt(SHOP, "out", "absent")}, {Delivery(BANK, OUT)}),
        ({Receipt(SHOP, "out", "applied")}, {Delivery(BANK, BEFORE)}),
    ):
        trace = a_trace()
        trace.receipts, trace.deliveries = receipts, deliveries
        assert broken(trace) == ["what_is_told_is_proven"]


def test_what_was_not_claimed_needs_no_proof() -> None:
    """A page that says that an app timed out is honest."""
    trace = a_trace()
    trace.told = [Told(1, "out", OUT, {SHOP: "applied", BANK: "timed_out"})]
    assert broken(trace) == []
    assert not trace.told[0].complete


def test_a_ticket_that_took_effect_twice() -> None:
    """At one app."""
    trace = a_trace()
    trace.effects["shop ticket x"] = 2
    assert broken(trace) == ["nothing_twice"]


def test_somebody_who_is_stranded() -> None:
    """Whatever they wanted."""
    trace = a_trace()
    trace.trips.append(Trip(1, "login", "stranded at http://bank with 500"))
    assert broken(trace) == ["nobody_is_stranded"]


def test_more_redirects_than_a_browser_follows() -> None:
    """One more is too many."""
    trace = a_trace()
    trace.trips.append(Trip(1, "login", "back", redirects=REDIRECTS))
    assert broken(trace) == []
    trace.trips.append(Trip(1, "login", "back", redirects=REDIRECTS + 1, way=("bank/chain/hop", "gateway/relay")))
    assert broken(trace) == ["browsers_follow"]
    (said,) = violations(trace)["browsers_follow"]
    assert said == "20 redirects in a row in browser 1: bank/chain/hop > gateway/relay"


async def test_a_run_of_redirects_keeps_its_way() -> None:
    """Host and path of each address, without the query; a run that is shorter does not replace it."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked = (await reader.readuntil(b"\r\n\r\n")).split(b" ")[1].decode()
        left = int(asked[2:].partition("?")[0]) if asked.startswith("/n") else -1
        head = f"303 See Other\r\nLocation: /n{left - 1}?x=y" if left > 0 else "200 OK" if left == 0 else "410 Gone"
        writer.write(f"HTTP/1.1 {head}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode())
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        site = f"http://bank.localhost:{server.sockets[0].getsockname()[1]}"
        async with Tab(Browser(1, "alice", Trace(), set())) as tab:
            await tab.open(f"{site}/n2?a=b")
            await tab.open(f"{site}/n1")
            assert (tab.redirects, tab.way) == (2, ["bank/n2", "bank/n1", "bank/n0"])
            tab.way.clear()
            await Person(tab, site, site, {"bank": site})._trip("login", tab.open(f"{site}/n{REDIRECTS + 9}"))
    (trip,) = tab.browser.trace.trips
    assert trip.redirects == REDIRECTS + 2
    assert trip.way == tuple(f"bank/n{n}" for n in range(REDIRECTS + 9, 7, -1))


def test_a_gateway_that_does_not_end_calmly() -> None:
    """Any code but 0."""
    trace = a_trace()
    trace.codes[-9] = 1
    assert broken(trace) == ["gateways_end_calmly"]


def test_an_exception_in_a_log() -> None:
    """A line with a traceback, and one that is none of ours, as an interpreter that breaks writes it."""
    trace = a_trace()
    lines = [
        {"event": "walk.begun", "kind": "login", "walk": "w"},
        {"event": "background.failed", "exception": "Trace"},
    ]
    assert reading.read(trace, lines)["begun"] == {"login": 1, "logout": 0}
    assert broken(trace) == ["no_exception_is_unhandled"]


def test_a_secret_in_a_log() -> None:
    """One that was planted, in the middle of a word, and one that a browser had; ids of walks are none."""
    planted, seen = ["a secret of the configuration"], {"eyJhbGciOiJFUzI1NiJ9.x.y", "short"}
    assert reading.leaks('{"walk": "kC9ORQiTugbUp1n92MlZGg", "short": 1}', planted, seen) == []
    assert reading.leaks("fine\nxa secret of the configurationx", planted, seen) == ["line 2 has planted 0"]
    assert reading.leaks('{"url": "eyJhbGciOiJFUzI1NiJ9.x.y"}', planted, seen) == ["line 1 has what a browser had"]
    trace = a_trace()
    trace.leaks = ["line 1"]
    assert broken(trace) == ["nothing_secret_is_logged"]
