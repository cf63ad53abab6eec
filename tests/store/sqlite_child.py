"""A process of its own on a store's file: ``sqlite_child.py COMMAND FILE …``; what it did is on its standard output."""

from __future__ import annotations

import asyncio
import itertools
import os
import resource
import sys
from pathlib import Path

from chain_gateway.core.chain import AppId
from chain_gateway.core.ledger import Entry, Holding
from chain_gateway.errors import StoreUnavailable
from chain_gateway.store.base import Advanced, StoredWalk
from chain_gateway.store.sqlite import SqliteStore

NOW = 1_800_000_000
BROWSER = b"the only browser"
NOBODY = 65534


def say(*words: object) -> None:
    """One line, out of the process at once."""
    os.write(1, (" ".join(str(word) for word in words) + "\n").encode())


def wait_for_the_word() -> None:
    """Says that it is ready, and waits until all the others are."""
    say("ready")
    sys.stdin.readline()


async def epochs(store: SqliteStore, count: str) -> None:
    """Takes so many epochs of one browser, all at once."""
    taken = await asyncio.gather(*(store.take_epoch(BROWSER, NOW * 1000, logout=False) for _ in range(int(count))))
    say(*taken)


async def spend(store: SqliteStore, walk_id: str, nonce: str, epoch: str) -> None:
    """Tries to spend one nonce, sixteen times at once, and says how many times it could."""
    walk = StoredWalk(bytes.fromhex(walk_id), BROWSER, int(epoch), os.urandom(16), b"next", NOW + 30, NOW + 900)
    steps = await asyncio.gather(*(store.advance(walk, bytes.fromhex(nonce), ()) for _ in range(16)))
    say(steps.count(Advanced()))


async def claim(store: SqliteStore, limit: str) -> None:
    """Claims so many owed logouts at a time, and says whose they are.

    A first share before the word is given, so that no process is left out; then four at once until there are none.
    """
    shares = [await store.owed(NOW, NOW + 30, int(limit))]
    wait_for_the_word()
    while any(shares):
        say(*(f"{each.browser.hex()}/{each.entry.app}" for share in shares for each in share))
        shares = await asyncio.gather(*(store.owed(NOW, NOW + 30, int(limit)) for _ in range(4)))


async def claim_and_hang(store: SqliteStore, limit: str) -> None:
    """Claims so many owed logouts, says whose they were, and never delivers them."""
    say(*(each.entry.app for each in await store.owed(NOW, NOW + 30, int(limit))))
    await asyncio.Event().wait()


async def walks(store: SqliteStore, count: str) -> None:
    """Walks without an end in so many browsers at once, and says each step after it was acknowledged.

    Step n of a walk has the nonce n, and writes n into two entries of the ledger.
    """

    async def one() -> None:
        browser = os.urandom(16)
        epoch = await store.take_epoch(browser, NOW * 1000, logout=False)
        walk = StoredWalk(os.urandom(16), browser, epoch, bytes(16), b"", NOW + 30, NOW + 900)
        await store.open_walk(walk, (), None)
        for n in itertools.count(1):
            following = walk._replace(nonce=n.to_bytes(16, "big"), state=b"%d" % n)
            ledger = [Entry(AppId(app), Holding.HOLDS, epoch, n) for app in ("shop", "bank")]
            assert await store.advance(following, walk.nonce, ledger) == Advanced()
            say(walk.id.hex(), n)
            walk = following

    await asyncio.gather(*(one() for _ in range(int(count))))


async def fill(store: SqliteStore, limit: str) -> None:
    """Writes until the file may not grow, says what it met, and goes on when it may again."""
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(limit), hard))
    acknowledged = 0
    try:
        while True:
            await store.once("label", f"{acknowledged}", NOW, NOW)
            acknowledged += 1
    except StoreUnavailable as error:
        say("full after", acknowledged, error.detail)
    try:
        await store.ping()
    except StoreUnavailable as error:
        say("ping", error.detail)
    say("read", await store.browser(BROWSER))
    resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
    await store.ping()
    again = [await store.once("label", f"{n}", NOW, NOW) for n in range(acknowledged)]
    say("kept", again.count(False), "then", await store.once("label", "more", NOW, NOW))


COMMANDS = {
    "epochs": epochs,
    "spend": spend,
    "claim": claim,
    "claim-and-hang": claim_and_hang,
    "walks": walks,
    "fill": fill,
}


def main(command: str, path: str, *words: str) -> None:
    """Runs a command; a store that cannot be opened is a line, too."""

    async def run() -> None:
        store = SqliteStore(Path(path))
        if command == "open-as-nobody" and os.getuid() == 0:
            os.setgroups([])
            os.setgid(NOBODY)
            os.setuid(NOBODY)
        if command in {"epochs", "spend"}:
            wait_for_the_word()
        try:
            await store.open()
        except StoreUnavailable as error:
            say("refused", error.detail)
            return
        try:
            if command != "open-as-nobody":
                await COMMANDS[command](store, *words)
        finally:
            await store.close()

    asyncio.run(run())


if __name__ == "__main__":
    main(*sys.argv[1:])
