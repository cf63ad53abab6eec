"""The owed logouts of all browsers, beside the ledgers that say so."""

from __future__ import annotations

import heapq
from dataclasses import dataclass, field, replace

from chain_gateway.core.ledger import Entry, Holding
from chain_gateway.store.base import Owed

_Key = tuple[bytes, str]
SLACK = 64
"""How many more turns than twice what is owed may wait, so that a short queue is not tidied at each change."""


@dataclass(slots=True)
class Owing:
    """The queue: what is owed, and a heap of turns. A turn that is not its logout's any more is passed over."""

    _owed: dict[_Key, Owed] = field(default_factory=dict)
    _turns: list[tuple[int, int, _Key]] = field(default_factory=list)

    def __len__(self) -> int:
        """How many logouts are owed."""
        return len(self._owed)

    def follow(self, browser: bytes, old: Entry | None, new: Entry) -> None:
        """The ledger of ``browser`` has ``new`` in place of ``old``."""
        key = (browser, new.app)
        if new.holding is not Holding.OWED:
            self._drop(key)
        elif old is not None and old.holding is Holding.OWED and old.epoch == new.epoch:
            self._put(replace(self._owed[key], entry=new._replace(due=0)))
        else:
            self._put(Owed(browser, new._replace(due=0), due=new.due))

    def forget(self, browser: bytes, app: str) -> None:
        """There is no such ledger any more."""
        self._drop((browser, app))

    def clear(self) -> None:
        """Forgets all."""
        self._owed.clear()
        self._turns.clear()

    def claim(self, now: int, lease_until: int, limit: int) -> list[Owed]:
        """See ``Queue.owed``."""
        claimed: dict[_Key, Owed] = {}
        while self._turns and self._turns[0][0] <= now and len(claimed) < limit:
            turn = heapq.heappop(self._turns)
            key = turn[2]
            owed = self._owed.get(key)
            if owed is not None and key not in claimed and turn == _turn(owed):
                claimed[key] = replace(owed, due=lease_until)
        for owed in claimed.values():
            self._put(owed)
        return list(claimed.values())

    def defer(self, browser: bytes, app: str, epoch: int, due: int, attempts: int) -> bool:
        """See ``Queue.defer``."""
        owed = self._owed.get((browser, app))
        if owed is None or owed.entry.epoch != epoch:
            return False
        self._put(replace(owed, due=due, attempts=attempts))
        return True

    def all(self, limit: int) -> list[Owed]:
        """See ``Queue.all_owed``."""
        return heapq.nsmallest(limit, self._owed.values(), key=_turn)

    def _put(self, owed: Owed) -> None:
        """Takes in one logout, or its next turn."""
        turn = _turn(owed)
        self._owed[turn[2]] = owed
        heapq.heappush(self._turns, turn)
        self._tidy()

    def _drop(self, key: _Key) -> None:
        if self._owed.pop(key, None) is not None:
            self._tidy()

    def _tidy(self) -> None:
        """Lets go of turns that are passed over, when they outnumber the others."""
        if len(self._turns) > 2 * len(self._owed) + SLACK:
            self._turns = [_turn(owed) for owed in self._owed.values()]
            heapq.heapify(self._turns)


def _turn(owed: Owed) -> tuple[int, int, _Key]:
    """The first to be due first, and of those that are due at once the one that is owed longest."""
    return owed.due, owed.entry.since, (owed.browser, owed.entry.app)
