"""The port, on a lane of scripts: what concerns one browser is one script, what concerns all is one a shard."""

from __future__ import annotations

import asyncio
import heapq
import secrets
from collections.abc import Sequence
from dataclasses import replace
from typing import Final, cast

from chain_gateway.core.ledger import Browser, Entry, OpRecord
from chain_gateway.core.limits import WALK_SECONDS
from chain_gateway.errors import StoreUnavailable
from chain_gateway.store.base import Advanced, Counts, Owed, Replayed, Step, StoredWalk, Superseded
from chain_gateway.store.redis.keys import Keys, sid_word, sub_word
from chain_gateway.store.redis.lane import ANSWER_SECONDS, Lane
from chain_gateway.store.redis.links import link, shards
from chain_gateway.store.redis.places import Place
from chain_gateway.store.redis.records import (
    entry_words,
    owing,
    read_browser,
    read_owed,
    read_walk,
    read_walks,
    someone,
    unhex,
    walk_words,
)

FORGET: Final = 200
"""How many of a kind are forgotten before others have their turn."""
SLACK_SECONDS: Final = 15 * 60
"""How much longer than it counts a key of ``once`` is kept: clocks of gateways and of the server may be apart."""
FOREVER: Final = "+inf"


class RedisStore:
    """``store.base.Store`` on the servers of ``place``."""

    def __init__(self, place: Place, answer_seconds: float = ANSWER_SECONDS) -> None:
        """Nothing is connected before ``open``. A call that has no answer in ``answer_seconds`` is unavailable."""
        self._place = place
        self._answer_seconds = answer_seconds
        self._keys = Keys(shards(place))
        self._lane: Lane | None = None

    async def open(self) -> None:
        """See ``Store.open``; a store that was closed may be opened again."""
        await self.close()
        self._lane = Lane(link(self._place), str(self._place), self._answer_seconds)
        try:
            await self.ping()
        except StoreUnavailable:
            await self.close()
            raise

    async def close(self) -> None:
        """See ``Store.close``."""
        lane, self._lane = self._lane, None
        if lane is not None:
            await lane.close()

    async def ping(self) -> None:
        """See ``Store.ping``; a server that throws keys away when its memory is full is none for us."""
        asked = [self._run("ping", self._keys.of_ping(shard)) for shard in range(self._keys.shards)]
        for told in await asyncio.gather(*asked):
            memory = cast("bytes", told)
            if b"\nmaxmemory:0\r" not in memory and b"\nmaxmemory_policy:noeviction\r" not in memory:
                raise StoreUnavailable(
                    f"{self._place}: maxmemory-policy must be noeviction, so that no key is lost alone"
                )

    async def counts(self) -> Counts:
        """See ``Store.counts``; each shard knows how long its indexes are."""
        answers = await self._lists("counts")
        return Counts(walks=sum(map(int, answers[::2])), owed=sum(map(int, answers[1::2])))

    async def take_epoch(self, browser: bytes, now_ms: int, *, logout: bool) -> int:
        """See ``Walks.take_epoch``."""
        name = browser.hex()
        return int(cast("bytes", await self._run("take_epoch", self._of(browser), name, now_ms, int(logout), "")))

    async def login_epoch(self, browser: bytes, now_ms: int, since_ms: int) -> int | None:
        """See ``Walks.login_epoch``."""
        taken = await self._run("take_epoch", self._of(browser), browser.hex(), now_ms, 0, since_ms)
        return None if taken is None else int(cast("bytes", taken))

    async def open_walk(self, walk: StoredWalk, ledger: Sequence[Entry], op_session: OpRecord | None) -> None:
        """See ``Walks.open_walk``."""
        name = walk.browser.hex()
        op = op_session or OpRecord(b"", "", "")
        by_sid = sid_word(op.sub, op.sid, name) if op.sid else ""
        by_sub = sub_word(op.sub, name) if op.sub else ""
        record = (int(op_session is not None), op.sealed, op.sub, op.sid, by_sid, by_sub)
        words = (name, walk.id.hex(), *walk_words(walk, _a_call()), someone(ledger), *record, *entry_words(ledger))
        await self._run("open_walk", self._of(walk.browser), *words)

    async def advance(self, walk: StoredWalk, spent: bytes, ledger: Sequence[Entry]) -> Step:
        """See ``Walks.advance``."""
        words = (*walk_words(walk, _a_call()), spent.hex(), someone(ledger), *entry_words(ledger))
        answer = await self._run("advance", self._of(walk.browser), walk.browser.hex(), walk.id.hex(), *words)
        how, *what = cast("list[bytes]", answer)
        if how == b"advanced":
            return Advanced()
        return Superseded(int(what[0])) if how == b"superseded" else Replayed(read_walk(walk.id, what[0]))

    async def walk(self, walk_id: bytes) -> StoredWalk | None:
        """See ``Walks.walk``; its id does not tell the shard, so all are asked."""
        records = await self._everywhere("walk", walk_id.hex())
        return next((read_walk(walk_id, cast("bytes", each)) for each in records if each is not None), None)

    async def open_walks(self, browser: bytes, now: int) -> list[StoredWalk]:
        """See ``Walks.open_walks``."""
        walks = read_walks(cast("list[bytes]", await self._run("open_walks", self._of(browser))))
        return [walk for walk in walks if now < walk.expires_at]

    async def open_everywhere(self, limit: int) -> list[StoredWalk]:
        """See ``Walks.open_everywhere``."""
        found = await self._lists("open_everywhere", max(limit, 0))
        return heapq.nsmallest(limit, read_walks(found), key=_by_deadline)

    async def drop_walk(self, walk_id: bytes) -> bool:
        """See ``Walks.drop_walk``."""
        walk = await self.walk(walk_id)
        if walk is None:
            return False
        return await self._run("drop_walk", self._of(walk.browser), walk_id.hex(), _a_call()) == 1

    async def sweep(self, now: int) -> list[StoredWalk]:
        """See ``Walks.sweep``; what is past is forgotten in shares, between which others write."""
        await asyncio.gather(*(self._forget(shard, now) for shard in range(self._keys.shards)))
        return sorted(read_walks(await self._lists("overdue", now)), key=_by_deadline)

    async def browser(self, browser: bytes) -> Browser | None:
        """See ``Ledger.browser``."""
        return read_browser(browser, cast("list[bytes]", await self._run("browser", self._of(browser))))

    async def note(self, browser: bytes, ledger: Sequence[Entry]) -> None:
        """See ``Ledger.note``."""
        if ledger:
            await self._run("note", self._of(browser), browser.hex(), someone(ledger), *entry_words(ledger))

    async def owed(self, now: int, lease_until: int, limit: int) -> list[Owed]:
        """See ``Queue.owed``. Where there are several shards, it is first looked how many of each come first."""
        claimed: list[Owed] = []
        while (left := limit - len(claimed)) > 0:
            shares = await self._shares(now, left)
            claims = [
                self._run("claim", self._keys.of_shard(shard), now, lease_until, share)
                for shard, share in enumerate(shares)
                if share
            ]
            found = [each for some in await asyncio.gather(*claims) for each in read_owed(cast("list[bytes]", some))]
            claimed += found
            # A second look is for what others took in between; with a lease that is over at once it would never end.
            if not found or self._keys.shards == 1 or lease_until <= now:
                break
        return [replace(each, due=lease_until) for each in sorted(claimed, key=_turn)]

    async def defer(self, browser: bytes, app: str, epoch: int, due: int, attempts: int) -> bool:
        """See ``Queue.defer``."""
        return await self._run("defer", self._of(browser), owing(browser, app), epoch, due, attempts) == 1

    async def all_owed(self, limit: int) -> list[Owed]:
        """See ``Queue.all_owed``."""
        found = read_owed(await self._lists("owed", FOREVER, max(limit, 0)))
        return heapq.nsmallest(limit, found, key=_turn)

    async def browsers_of(self, sub: str, sid: str) -> list[bytes]:
        """See ``SignIns.browsers_of``."""
        if not sub and not sid:
            return []
        found = await self._lists("signed_in", sid_word(sub, sid) if sid else sub_word(sub))
        return [unhex(word.rpartition(b":")[2]) for word in found]

    async def clear_op(self, browser: bytes, epoch: int) -> None:
        """See ``SignIns.clear_op``."""
        await self._run("clear_op", self._of(browser), browser.hex(), epoch)

    async def once(self, label: str, key: str, until: int, now: int) -> bool:
        """See ``Memory.once``; whether it still counts is said by ``now``, the server's own time only tidies up."""
        seconds = max(until - now, 0) + SLACK_SECONDS
        return await self._run("once", self._keys.of_once(label, key), until, now, _a_call(), seconds) == 1

    def _of(self, browser: bytes) -> tuple[str, ...]:
        return self._keys.of_browser(browser.hex())

    async def _run(self, name: str, keys: Sequence[str], *words: str | bytes | int) -> object:
        if self._lane is None:
            raise StoreUnavailable(f"{self._place}: not open")
        return await self._lane.run(name, keys, *words)

    async def _everywhere(self, name: str, *words: str | bytes | int) -> list[object]:
        """The answers of all shards, at the same time."""
        keys = [self._keys.of_shard(shard) for shard in range(self._keys.shards)]
        return await asyncio.gather(*(self._run(name, each, *words) for each in keys))

    async def _lists(self, name: str, *words: str | bytes | int) -> list[bytes]:
        """The answers of all shards, one behind the other."""
        return [each for answer in await self._everywhere(name, *words) for each in cast("list[bytes]", answer)]

    async def _shares(self, now: int, limit: int) -> list[int]:
        """How many of the first ``limit`` that are due each shard has."""
        if self._keys.shards == 1:
            return [limit]
        answers = await self._everywhere("owed", now, limit)
        found = [(_turn(o), shard) for shard, some in enumerate(answers) for o in read_owed(cast("list[bytes]", some))]
        first = [shard for _, shard in heapq.nsmallest(limit, found)]
        return [first.count(shard) for shard in range(self._keys.shards)]

    async def _forget(self, shard: int, now: int) -> None:
        """Forgets what is past its time in one shard."""
        keys = self._keys.of_shard(shard)
        while await self._run("forget_walks", keys, now - WALK_SECONDS, FORGET) == FORGET:
            pass
        while past := cast("list[bytes]", await self._run("known", keys, now, FORGET)):
            names = [each.decode() for each in past]
            await asyncio.gather(
                *(self._run("forget_browser", self._keys.of_browser(name), name, now) for name in names)
            )


def _a_call() -> str:
    """What a call is recognised by when its script runs a second time, as the first answer was lost."""
    return secrets.token_hex(8)


def _by_deadline(walk: StoredWalk) -> int:
    return walk.hop_deadline


def _turn(owed: Owed) -> tuple[int, int, bytes, str]:
    """The first to be due first, and of those that are due at once the one that is owed longest."""
    return owed.due, owed.entry.since, owed.browser, owed.entry.app
