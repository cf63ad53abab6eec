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


def test_a_file_is_made_once(tmp_path: Path) -> None:
    """Whoever comes while another one makes the file, its tables and its log waits for that, and is refused nothing."""
    for each in range(25):
        path, start = tmp_path / f"{each}.db", threading.Barrier(6)

        def make(path: Path = path, start: threading.Barrier = start) -> None:
            start.wait()
            connect_to_write(path, Synchronous.NORMAL).close()

        with ThreadPoolExecutor(6) as threads:
            for done in [threads.submit(make) for _ in range(6)]:
                done.result()
