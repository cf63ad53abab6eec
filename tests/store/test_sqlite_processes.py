"""Several processes on one file, and one that is killed (F27)."""

from __future__ import annotations

import secrets
import signal
import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlite_child import BROWSER, NOW
from sqlite_processes import at_once, child
from sqlite_version1 import make_version_1

from chain_gateway.core.chain import AppId
from chain_gateway.core.ledger import Entry, Holding
from chain_gateway.store.base import StoredWalk
from chain_gateway.store.sqlite import SqliteStore, Synchronous
from chain_gateway.store.sqlite.connection import connect_to_write

PROCESSES = 4


def test_processes_share_the_epochs_of_one_browser(tmp_path: Path) -> None:
    """Processes that make the file at the same moment, and take epochs of one browser, never get one twice."""
    each = 150
    answers = at_once(PROCESSES, "epochs", tmp_path / "chain.db", each)
    taken = [int(word) for answer in answers for word in answer.split()]
    assert sorted(taken) == list(range(NOW * 1000, NOW * 1000 + PROCESSES * each))


async def test_processes_spend_a_nonce_once(tmp_path: Path) -> None:
    """One nonce that several processes try to spend at the same moment is spent in one of them."""
    path = tmp_path / "chain.db"
    store = SqliteStore(path)
    await store.open()
    epoch = await store.take_epoch(BROWSER, NOW * 1000, logout=False)
    walk = StoredWalk(secrets.token_bytes(16), BROWSER, epoch, secrets.token_bytes(16), b"", NOW + 30, NOW + 900)
    await store.open_walk(walk, (), None)
    await store.close()
    answers = at_once(PROCESSES, "spend", path, walk.id.hex(), walk.nonce.hex(), epoch)
    assert sorted(int(answer) for answer in answers) == [0] * (PROCESSES - 1) + [1]


async def owe(path: Path, browsers: int, apps: int) -> set[str]:
    """Writes so many owed logouts into the file, and returns what a child calls them."""
    store = SqliteStore(path)
    await store.open()
    names = set()
    for _ in range(browsers):
        browser = secrets.token_bytes(16)
        entries = [Entry(AppId(f"app{i}"), Holding.OWED, NOW * 1000, NOW) for i in range(apps)]
        await store.note(browser, entries)
        names |= {f"{browser.hex()}/{entry.app}" for entry in entries}
    await store.close()
    return names


async def test_processes_never_claim_the_same(tmp_path: Path) -> None:
    """Processes that claim owed logouts at the same moment get each of them once among them."""
    path = tmp_path / "chain.db"
    owed = await owe(path, browsers=60, apps=20)
    answers = at_once(PROCESSES, "claim", path, 7)
    claimed = [word for answer in answers for word in answer.split()]
    assert len(claimed) == len(owed)
    assert set(claimed) == owed
    assert all(answers), "a process was given nothing: it did not race"


async def test_what_a_killed_process_had_claimed_is_claimed_again(tmp_path: Path) -> None:
    """A worker that is killed takes nothing along: its lease holds until it runs out, and then the next one claims."""
    path = tmp_path / "chain.db"
    await owe(path, browsers=1, apps=3)
    with child("claim-and-hang", path, 2) as process:
        assert process.stdout is not None
        held = process.stdout.readline().split()
        process.send_signal(signal.SIGKILL)
    assert len(held) == 2
    store = SqliteStore(path)
    await store.open()
    rest = [each.entry.app for each in await store.owed(NOW + 29, NOW + 99, 10)]
    assert len(rest) == 1
    assert {each.entry.app for each in await store.owed(NOW + 30, NOW + 99, 10)} == set(held)
    assert {*rest, *held} == {"app0", "app1", "app2"}
    await store.close()


@pytest.mark.parametrize("lines", [1, 40, 400, 2000])
async def test_a_kill_loses_nothing_acknowledged(lines: int, tmp_path: Path) -> None:
    """Killed in the middle of writing, the file opens clean; each step that was acknowledged is there, and whole."""
    path = tmp_path / "chain.db"
    with child("walks", path, 32) as process:
        assert process.stdout is not None
        heard = [process.stdout.readline() for _ in range(lines)]
        process.send_signal(signal.SIGKILL)
        heard += process.stdout.readlines()
    assert process.returncode == -signal.SIGKILL
    acknowledged: dict[bytes, int] = {}
    for line in heard:
        if line.endswith("\n"):
            walk_id, n = line.split()
            acknowledged[bytes.fromhex(walk_id)] = int(n)
    store = SqliteStore(path)
    await store.open()
    for walk_id, n in acknowledged.items():
        walk = await store.walk(walk_id)
        assert walk is not None
        written = int.from_bytes(walk.nonce, "big")
        assert written >= n
        browser = await store.browser(walk.browser)
        assert browser is not None
        assert {app: entry.since for app, entry in browser.ledger.items()} == {"shop": written, "bank": written}
    await store.close()
    with sqlite3.connect(path) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    connection.close()


@pytest.mark.parametrize("older", [False, True])
def test_a_file_is_made_once(older: bool, tmp_path: Path) -> None:
    """Whoever comes while another one makes the file, or brings it forward, waits for that, and is refused nothing."""
    for each in range(25):
        path, start = tmp_path / f"{each}.db", threading.Barrier(6)
        if older:
            make_version_1(path)

        def make(path: Path = path, start: threading.Barrier = start) -> None:
            start.wait()
            connect_to_write(path, Synchronous.NORMAL).close()

        with ThreadPoolExecutor(6) as threads:
            for done in [threads.submit(make) for _ in range(6)]:
                done.result()
